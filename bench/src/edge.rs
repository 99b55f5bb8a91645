//! CPU per request of the edge, beside a bare Pingora proxy of the same build.
//!
//! Both run as processes of their own with one worker, in front of one upstream on a Unix
//! socket. Within a round they take turns every few hundred requests, so that what else the
//! machine does falls on both alike. What is counted is the CPU time of a proxy's process, in
//! user and kernel; connections are opened before the count begins.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

use crate::contender::Contender;
use crate::report::{Report, Spread, Table};
use crate::stage::{BAD_TOKENS_MAX, Stage};
use crate::traffic::{Ask, Clients, Protocol};

/// The route that is asked for: authenticated, authorised, forwarded.
const PATH: &str = "/api/orders";

/// Longest time for a contender to answer for the first time.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Requests before anything is counted.
const WARM_UP_REQUESTS: usize = 4_000;

/// Requests after which the other side has its turn.
const TURN_REQUESTS: usize = 800;

/// Rounds of what only the edge answers.
const REFUSAL_ROUNDS: usize = 3;

/// Measures CPU per request of the edge and of a bare Pingora proxy.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Requests in a round, for each of the two.
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(64..=1_000_000))]
    requests: u32,
    /// Rounds.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Requests in flight: connections, or streams on an eighth as many connections.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=512))]
    clients: u32,
    /// Speak HTTP/2.
    #[arg(long)]
    h2: bool,
    /// Give the bare proxy Pingora's default runtime, whose threads steal work.
    #[arg(long)]
    work_stealing: bool,
    /// The policy folder.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    /// The edge's program; left out, the one beside this program.
    #[arg(long, value_name = "FILE")]
    proxy: Option<PathBuf>,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Edge,
    Bare,
}

/// A run with everything started.
struct Run {
    stage: Stage,
    protocol: Protocol,
    clients: usize,
    edge: Contender,
    bare: Contender,
    /// Held until the run ends.
    _upstream: Contender,
}

/// Microseconds of CPU per request in one round.
#[derive(Debug, Clone, Copy)]
struct Pair {
    edge: f64,
    bare: f64,
}

/// What is refused, and the edge's microseconds for it in each round.
type Refusals = Vec<(&'static str, Vec<f64>)>;

pub(crate) fn run(flags: &Flags) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            report = measure(flags) => report,
            // Leaving here ends the children, too.
            _ = terminate.recv() => anyhow::bail!("terminated"),
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                anyhow::bail!("interrupted")
            }
        }
    })
}

async fn measure(flags: &Flags) -> anyhow::Result<Report> {
    let run = Run::start(flags)?;
    let requests = usize::try_from(flags.requests)?;
    let pairs = run.pairs(flags.rounds, requests).await?;
    let refusals = run.refusals(requests / 2).await?;
    Ok(Report::default().with(costs(flags, &pairs, &refusals)).with(ratios(&pairs)))
}

impl Run {
    fn start(flags: &Flags) -> anyhow::Result<Self> {
        let stage = Stage::set(&flags.policies)?;
        let this = std::env::current_exe()?;
        let socket = stage.path("upstream.sock");
        let mut upstream = Command::new(&this);
        upstream.arg("upstream").arg("--socket").arg(&socket);
        let mut edge = Command::new(match &flags.proxy {
            Some(proxy) => proxy.clone(),
            None => this.with_file_name("stockade-proxy"),
        });
        edge.arg("--config").arg(stage.path("stockade.toml"));
        edge.arg("--policies").arg(stage.path("policies"));
        let mut bare = Command::new(&this);
        bare.arg("bare").arg("--listen").arg(stage.bare_addr.to_string());
        bare.arg("--upstream").arg(&socket);
        bare.arg("--certificate").arg(stage.path("tls.crt"));
        bare.arg("--key").arg(stage.path("tls.key"));
        if flags.work_stealing {
            bare.arg("--work-stealing");
        }
        Ok(Self {
            protocol: if flags.h2 { Protocol::Http2 } else { Protocol::Http1 },
            clients: usize::try_from(flags.clients)?,
            _upstream: Contender::start(&mut upstream, &stage.path("upstream.log"))?,
            edge: Contender::start(&mut edge, &stage.path("edge.log"))?,
            bare: Contender::start(&mut bare, &stage.path("bare.log"))?,
            stage,
        })
    }

    /// Rounds in which both take turns.
    async fn pairs(&self, rounds: u32, requests: usize) -> anyhow::Result<Vec<Pair>> {
        let ask = Ask { path: PATH, token: Some(self.stage.token.clone()), statuses: &[200] };
        let mut edge = self.first_clients(Side::Edge, &ask).await?;
        let mut bare = self.first_clients(Side::Bare, &ask).await?;
        let mut pairs = Vec::new();
        for round in 0..=rounds {
            let requests = if round == 0 { WARM_UP_REQUESTS } else { requests };
            let before = (self.edge.cpu()?, self.bare.cpu()?);
            let mut sent = 0;
            while sent < requests {
                let turn = TURN_REQUESTS.min(requests - sent);
                sent += edge.send(turn).await.with_context(|| self.edge.said())?;
                bare.send(turn).await.with_context(|| self.bare.said())?;
            }
            if round > 0 {
                pairs.push(Pair {
                    edge: micros_each(self.edge.cpu()?.saturating_sub(before.0), sent)?,
                    bare: micros_each(self.bare.cpu()?.saturating_sub(before.1), sent)?,
                });
            }
        }
        Ok(pairs)
    }

    /// What the edge spends on requests it does not forward.
    async fn refusals(&self, requests: usize) -> anyhow::Result<Refusals> {
        let forged = Some(self.stage.forged_token()?);
        let no_token = Ask { path: PATH, token: None, statuses: &[401] };
        let bad = Ask { path: PATH, token: forged.clone(), statuses: &[401] };
        // Even from a noisy address, one is looked at now and then.
        let noisy = Ask { path: PATH, token: forged, statuses: &[401, 429] };
        // Rounds and their warm-up stay within what one address may get wrong.
        let few = requests.min(BAD_TOKENS_MAX / (REFUSAL_ROUNDS + 1) - self.clients);
        let bad_rounds = self.edge_alone(&bad, few).await?;
        self.connect(Side::Edge, &noisy).await?.send(BAD_TOKENS_MAX).await?;
        Ok(vec![
            ("edge, no token: 401", self.edge_alone(&no_token, requests).await?),
            ("edge, bad signature: 401", bad_rounds),
            ("edge, bad signatures without end: 429", self.edge_alone(&noisy, requests).await?),
        ])
    }

    async fn edge_alone(&self, ask: &Ask, requests: usize) -> anyhow::Result<Vec<f64>> {
        let mut clients = self.connect(Side::Edge, ask).await?;
        let mut costs = Vec::new();
        for round in 0..=REFUSAL_ROUNDS {
            let before = self.edge.cpu()?;
            let sent = clients.send(requests).await.with_context(|| self.edge.said())?;
            if round > 0 {
                costs.push(micros_each(self.edge.cpu()?.saturating_sub(before), sent)?);
            }
        }
        Ok(costs)
    }

    /// Clients of a side that may still be starting.
    async fn first_clients(&self, side: Side, ask: &Ask) -> anyhow::Result<Clients> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match self.connect(side, ask).await {
                Err(error) if Instant::now() > deadline => {
                    let said = match side {
                        Side::Edge => self.edge.said(),
                        Side::Bare => self.bare.said(),
                    };
                    return Err(error.context(format!("{side:?} does not answer: {said}")));
                }
                Err(_) => sleep(Duration::from_millis(50)).await,
                Ok(clients) => return Ok(clients),
            }
        }
    }

    async fn connect(&self, side: Side, ask: &Ask) -> anyhow::Result<Clients> {
        let addr = match side {
            Side::Edge => self.stage.edge_addr,
            Side::Bare => self.stage.bare_addr,
        };
        let tls = self.stage.client(self.protocol.alpn())?;
        Clients::connect(addr, (self.protocol, &tls), self.clients, ask).await
    }
}

fn micros_each(spent: Duration, requests: usize) -> anyhow::Result<f64> {
    Ok(spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(requests)?))
}

fn costs(flags: &Flags, pairs: &[Pair], refusals: &Refusals) -> Table {
    let protocol = if flags.h2 { "HTTP/2" } else { "HTTP/1.1" };
    let runtime = if flags.work_stealing { "work-stealing" } else { "current-thread" };
    let title = format!(
        "CPU per request, µs; {protocol} over TLS 1.3, {} in flight, {} rounds of {} requests; \
         the bare proxy's runtime is {runtime}",
        flags.clients, flags.rounds, flags.requests
    );
    let mut table = Table::new(title, &["", "median", "min", "max"]);
    table.spread("bare Pingora: 200", Spread::of(pairs.iter().map(|pair| pair.bare).collect()));
    table.spread("edge, good token: 200", Spread::of(pairs.iter().map(|pair| pair.edge).collect()));
    for (name, costs) in refusals {
        table.spread(*name, Spread::of(costs.clone()));
    }
    table
}

fn ratios(pairs: &[Pair]) -> Table {
    let of = |value: fn(&Pair) -> f64| Spread::of(pairs.iter().map(value).collect());
    let mut table = Table::new("edge beside bare, round by round", &["", "median", "min", "max"]);
    table.spread("ratio", of(|pair| pair.edge / pair.bare));
    table.spread("difference, µs", of(|pair| pair.edge - pair.bare));
    table
}
