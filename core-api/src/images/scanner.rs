//! A scanner that speaks clamd's protocol, and may refuse what was sent.
//!
//! The file is streamed to it (`INSTREAM`), over a Unix socket or TCP. It fails closed: whatever
//! is not plainly said to be clean is not taken.

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

use stockade_settings::ScannerSettings;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Bytes sent in one piece.
const PIECE_BYTES: usize = 64 * 1024;

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024;

/// Longest name of what was found that is told, in characters.
const NAME_CHARS_MAX: usize = 128;

/// The text names no scanner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("core.scanner.address `{0}` is neither `unix:/PATH` nor `HOST:PORT`")]
pub(crate) struct BadAddress(String);

/// Why a scanner said nothing about a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("the scanner cannot be reached or broke off")]
    Io(#[from] io::Error),
    #[error("the scanner took longer than {0:?}")]
    TimedOut(Duration),
    #[error("the scanner answered `{0}`")]
    Unclear(String),
}

/// What a scanner says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Clean,
    /// What it found, as it calls it.
    Infected(String),
}

#[derive(Debug)]
enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => f.write_str(address),
        }
    }
}

/// Where a scanner is, and how long it may take.
#[derive(Debug)]
pub(crate) struct Scanner {
    address: Address,
    time_max: Duration,
}

impl Scanner {
    /// The scanner that the settings name, if they name one.
    pub(crate) fn new(settings: &ScannerSettings) -> Result<Option<Self>, BadAddress> {
        let Some(text) = &settings.address else { return Ok(None) };
        let address = match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Address::Unix(path.into()),
            Some(_) => return Err(BadAddress(text.clone())),
            None => {
                let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
                let port = port.and_then(|(_, port)| port.parse::<u16>().ok());
                port.ok_or_else(|| BadAddress(text.clone()))?;
                Address::Tcp(text.clone())
            }
        };
        let time_max = Duration::from_millis(u64::from(settings.timeout_ms.get()));
        Ok(Some(Self { address, time_max }))
    }

    /// What the scanner says of a file.
    pub(crate) async fn scan(&self, file: &[u8]) -> Result<Verdict, ScanError> {
        let asked = timeout(self.time_max, self.ask(file)).await;
        let answer = asked.map_err(|_| ScanError::TimedOut(self.time_max))??;
        judge(&answer)
    }

    async fn ask(&self, file: &[u8]) -> Result<Vec<u8>, ScanError> {
        tracing::debug!(scanner = %self.address, bytes = file.len(), "asking the scanner");
        match &self.address {
            Address::Unix(path) => exchange(UnixStream::connect(path).await?, file).await,
            Address::Tcp(address) => exchange(TcpStream::connect(address).await?, file).await,
        }
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    file: &[u8],
) -> Result<Vec<u8>, ScanError> {
    // A scanner that has heard enough answers and closes: its answer counts, not that.
    let sent = send(&mut stream, file).await;
    let mut answer = Vec::new();
    let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
    if answer.is_empty() {
        sent?;
        read?;
    }
    Ok(answer)
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), file: &[u8]) -> io::Result<()> {
    stream.write_all(b"zINSTREAM\0").await?;
    for piece in file.chunks(PIECE_BYTES) {
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(piece).await?;
    }
    stream.write_all(&[0; 4]).await?;
    stream.flush().await
}

fn judge(answer: &[u8]) -> Result<Verdict, ScanError> {
    let text = String::from_utf8_lossy(answer);
    let text = text.trim_end_matches(['\0', '\n']);
    let said = text.strip_prefix("stream: ");
    match said.map(|said| (said, said.strip_suffix(" FOUND"))) {
        Some(("OK", _)) => Ok(Verdict::Clean),
        Some((_, Some(name))) => Ok(Verdict::Infected(printable(name))),
        _ => Err(ScanError::Unclear(printable(text))),
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_ok_is_clean() {
        assert_eq!(judge(b"stream: OK\0").unwrap(), Verdict::Clean);
        let found = Verdict::Infected("Win.Test.EICAR_HDB-1".to_owned());
        assert_eq!(judge(b"stream: Win.Test.EICAR_HDB-1 FOUND\0").unwrap(), found);
        for answer in
            ["", "OK", "stream: ok", "stream: OK\0x", "INSTREAM size limit exceeded. ERROR\0"]
        {
            assert!(judge(answer.as_bytes()).is_err(), "{answer}");
        }
    }

    #[test]
    fn an_address_is_a_socket_or_a_port() {
        let scanner = |text: &str| {
            let address = Some(text.to_owned());
            Scanner::new(&ScannerSettings { address, ..ScannerSettings::default() })
        };
        for good in ["unix:/run/clamd.ctl", "127.0.0.1:3310", "clamd.example:3310", "[::1]:3310"] {
            assert!(scanner(good).unwrap().is_some(), "{good}");
        }
        for bad in ["", "unix:clamd.ctl", "/run/clamd.ctl", "127.0.0.1", ":3310", "a:port"] {
            assert_eq!(scanner(bad).unwrap_err().to_string().matches(bad).count().min(1), 1);
        }
        assert!(Scanner::new(&ScannerSettings::default()).unwrap().is_none());
    }
}
