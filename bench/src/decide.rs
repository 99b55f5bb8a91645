//! Time per decision: a bundle's table, and Casbin's own `enforce` over the same rules.
//!
//! Casbin's answers are compared with the table's on the way.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::ensure;
use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use stockade_policy::{Bundle, Circumstances, PermissionId, RoleId, RoleSet, Scope};

use crate::policies::Policy;
use crate::report::{Report, Spread, Table};

/// Decisions in a sample.
const DECISIONS: usize = 2_000_000;

/// Samples of which the median is shown.
const SAMPLES: usize = 7;

/// Sizes of the generated policies, in rules.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Most time, and most questions, for Casbin at one size.
const CASBIN_TIME_MAX: Duration = Duration::from_secs(2);
const CASBIN_QUESTIONS_MAX: usize = 1_000;

/// Measures the time per decision, beside Casbin's own.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The policy folder.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
}

pub(crate) fn run(flags: &Flags) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let shop = Policy::read(&flags.policies)?;
    let mut policies = vec![shop.clone()];
    for rules in SIZES {
        policies.push(Policy::generated(rules, &shop)?);
    }
    let columns =
        ["bundle", "rules", "decide", "activate+decide", "casbin enforce", "casbin/decide"];
    let title = format!("time per decision, ns: median of {SAMPLES} samples of {DECISIONS}");
    let mut table = Table::new(title, &columns);
    for policy in policies {
        let bundle = policy.load()?;
        let questions = questions(&bundle);
        let decide = spread(|| decide(&bundle, &questions));
        let both = spread(|| activate_and_decide(&bundle, &questions));
        let casbin = runtime.block_on(enforce(&policy, &bundle, &questions))?;
        table.row(
            &policy.name,
            vec![
                policy.rules().len().to_string(),
                format!("{:.1}", decide.median),
                format!("{:.1}", both.median),
                format!("{:.0}", casbin.median),
                format!("{:.0}", casbin.median / decide.median),
            ],
        );
    }
    Ok(Report::default().with(table))
}

/// Every role with every permission.
fn questions(bundle: &Bundle) -> Vec<(RoleId, PermissionId)> {
    let permissions: Vec<_> = bundle.permissions().collect();
    bundle.roles().flat_map(|role| permissions.iter().map(move |id| (role, *id))).collect()
}

fn spread(mut sample: impl FnMut() -> f64) -> Spread {
    Spread::of((0..SAMPLES).map(|_| sample()).collect())
}

fn decide(bundle: &Bundle, questions: &[(RoleId, PermissionId)]) -> f64 {
    let sets: Vec<_> = questions.iter().map(|(role, id)| (RoleSet::of(*role), *id)).collect();
    timed(DECISIONS, sets.iter().cycle(), |(roles, permission)| {
        black_box(bundle.decide(*roles, *permission));
    })
}

/// As the edge asks: role names from a token, and the caller's address.
fn activate_and_decide(bundle: &Bundle, questions: &[(RoleId, PermissionId)]) -> f64 {
    let from = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let at = Circumstances { from, mfa_age_secs: None };
    let named: Vec<_> = questions.iter().map(|(role, id)| (bundle.role_name(*role), *id)).collect();
    timed(DECISIONS, named.iter().cycle(), |(name, permission)| {
        let activation = bundle.activate([*name], &at);
        black_box(bundle.decide(activation.roles, *permission));
    })
}

/// Nanoseconds for each of `count` items.
#[expect(clippy::cast_precision_loss, reason = "a few million are exact in an f64")]
fn timed<T>(count: usize, items: impl Iterator<Item = T>, mut act: impl FnMut(T)) -> f64 {
    let start = Instant::now();
    for item in items.take(count) {
        act(black_box(item));
    }
    start.elapsed().as_secs_f64() * 1e9 / count as f64
}

/// Casbin's nanoseconds for each of a few questions, spread over all of them.
async fn enforce(
    policy: &Policy,
    bundle: &Bundle,
    questions: &[(RoleId, PermissionId)],
) -> anyhow::Result<Spread> {
    let enforcer = enforcer(policy).await?;
    let stride = (questions.len() / CASBIN_QUESTIONS_MAX).max(1);
    let begun = Instant::now();
    let mut samples = Vec::new();
    for (role, permission) in questions.iter().cycle().step_by(stride).take(CASBIN_QUESTIONS_MAX) {
        let (name, full) = (bundle.role_name(*role), bundle.permission_name(*permission));
        let (resource, action) = full.split_once('.').unwrap_or_default();
        let start = Instant::now();
        let allowed = enforcer.enforce((name, resource, action, "own"))?;
        samples.push(start.elapsed().as_secs_f64() * 1e9);
        let granted = bundle.decide(RoleSet::of(*role), *permission);
        ensure!(
            allowed == granted.is_some_and(|scope| scope.covers(Scope::Own)),
            "casbin and the bundle differ on {name}, {full}"
        );
        if begun.elapsed() > CASBIN_TIME_MAX && samples.len() >= 5 {
            break;
        }
    }
    Ok(Spread::of(samples))
}

async fn enforcer(policy: &Policy) -> anyhow::Result<Enforcer> {
    let model = DefaultModel::from_str(policy.model()).await?;
    let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
    enforcer.enable_auto_save(false);
    enforcer.add_named_grouping_policies("g", policy.links()).await?;
    enforcer.add_named_policies("p", policy.rules()).await?;
    Ok(enforcer)
}
