//! `stockade health`: asks a running program whether it wants traffic.
//!
//! For health checks where there is no curl, such as a container. One request over plain HTTP
//! to an ops listener; no name is looked up, and the whole of it is over within [`PATIENCE`].

use std::io::{Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::exit::Exit;

/// The longest wait for the whole answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The most bytes of an answer that are read; a probe's has some hundred.
const ANSWER_BYTES_MAX: usize = 4 * 1024;

/// Arguments of `stockade health`.
#[derive(Debug, clap::Args)]
pub(crate) struct HealthArgs {
    /// Whom to ask, for example `http://127.0.0.1:9901/readyz`.
    #[arg(value_name = "URL")]
    probe: Probe,
}

/// A place on an ops listener.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Probe {
    address: SocketAddr,
    path: String,
}

/// Says nothing but yes by its exit code, or fails with what was answered.
pub(crate) fn run(args: &HealthArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let words = args.probe.ask(PATIENCE)?;
    writeln!(out, "{words}")?;
    Ok(Exit::Done)
}

impl std::str::FromStr for Probe {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let form = "not of the form http://ADDRESS:PORT/PATH, with a numeric address";
        let rest = url.strip_prefix("http://").ok_or(form)?;
        let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let address = address.parse().map_err(|_| form)?;
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the path holds more than visible ASCII");
        }
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { address, path: path.to_owned() })
    }
}

impl Probe {
    /// The words of a good answer; any other answer is an error.
    fn ask(&self, patience: Duration) -> anyhow::Result<String> {
        let Self { address, path } = self;
        let answer = self
            .exchange(Instant::now() + patience)
            .with_context(|| format!("no answer from {address}"))?;
        let (head, words) = answer.split_once("\r\n\r\n").context("the answer is not HTTP")?;
        let status = head.lines().next().and_then(|line| line.split(' ').nth(1));
        let words: String = words.trim().chars().filter(|char| !char.is_control()).collect();
        match status {
            Some("200") => Ok(words),
            Some(status) => bail!("{address}{path} answered {status}: {words}"),
            None => bail!("the answer is not HTTP"),
        }
    }

    fn exchange(&self, deadline: Instant) -> anyhow::Result<String> {
        let Self { address, path } = self;
        let mut stream = TcpStream::connect_timeout(address, left(deadline)?)?;
        stream.set_write_timeout(Some(left(deadline)?))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let (mut answer, mut chunk) = (Vec::new(), [0; 1024]);
        while answer.len() < ANSWER_BYTES_MAX {
            stream.set_read_timeout(Some(left(deadline)?))?;
            match stream.read(&mut chunk)? {
                0 => break,
                count => answer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            }
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// The time until a deadline, which the system's timeouts want to be more than none.
fn left(deadline: Instant) -> anyhow::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { bail!("it took longer than {PATIENCE:?}") } else { Ok(left) }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What a probe says to a server that reads a head and sends `answer`.
    fn ask(answer: &'static str) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let probe = format!("http://{}/readyz", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(head).unwrap()
        });
        let said = probe.parse::<Probe>().unwrap().ask(PATIENCE);
        assert!(server.join().unwrap().starts_with("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:"));
        said.map_err(|error| error.to_string())
    }

    #[test]
    fn a_ready_program_is_healthy() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nready";
        assert_eq!(ask(answer), Ok("ready".to_owned()));
    }

    #[test]
    fn any_other_answer_is_not() {
        let error = ask("HTTP/1.1 503 Service Unavailable\r\n\r\nstarting\u{1b}[2J").unwrap_err();
        assert!(error.ends_with("/readyz answered 503: starting[2J"), "{error}");
        assert_eq!(ask("").unwrap_err(), "the answer is not HTTP");
        assert_eq!(ask("ready\r\n\r\n").unwrap_err(), "the answer is not HTTP");
    }

    #[test]
    fn nobody_there_is_told_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let probe = Probe { address: listener.local_addr().unwrap(), path: "/".to_owned() };
        drop(listener);
        let error = probe.ask(PATIENCE).unwrap_err().to_string();
        assert_eq!(error, format!("no answer from {}", probe.address));
    }

    #[test]
    fn silence_has_an_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let probe = Probe { address: listener.local_addr().unwrap(), path: "/".to_owned() };
        let started = Instant::now();
        assert!(probe.ask(Duration::from_millis(100)).is_err());
        assert!(started.elapsed() < PATIENCE);
    }

    #[test]
    fn a_probe_is_a_numeric_address_and_a_path() {
        let probe: Probe = "http://[::1]:9901/readyz".parse().unwrap();
        assert_eq!((probe.address.port(), probe.path.as_str()), (9901, "/readyz"));
        assert_eq!("http://127.0.0.1:1".parse::<Probe>().unwrap().path, "/");
        for url in ["https://127.0.0.1:1/", "http://localhost:1/", "http://127.0.0.1/", "", "/"] {
            assert!(url.parse::<Probe>().is_err(), "{url}");
        }
        assert!("http://127.0.0.1:1/a b".parse::<Probe>().is_err());
        assert!("http://127.0.0.1:1/\r\nx:y".parse::<Probe>().is_err());
    }
}
