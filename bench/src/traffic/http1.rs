//! An HTTP/1.1 client that does as little as it can: it writes the same bytes and finds the end
//! of each answer.

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Ask;

/// Longest answer accepted, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// One connection.
pub(crate) struct Client {
    stream: Box<TlsStream<TcpStream>>,
    request: Vec<u8>,
    statuses: &'static [u16],
    answer: Vec<u8>,
}

impl Client {
    pub(super) fn new(stream: Box<TlsStream<TcpStream>>, ask: &Ask) -> Self {
        let mut request = format!(
            "GET {} HTTP/1.1\r\nhost: localhost\r\nuser-agent: stockade-bench\r\n\
             accept: application/json\r\n",
            ask.path
        );
        if let Some(token) = &ask.token {
            request.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        request.push_str("\r\n");
        let (request, answer) = (request.into_bytes(), Vec::with_capacity(16 * 1024));
        Self { stream, request, statuses: ask.statuses, answer }
    }

    pub(super) async fn send(mut self, count: usize) -> anyhow::Result<Self> {
        for _ in 0..count {
            self.ask().await?;
        }
        Ok(self)
    }

    async fn ask(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.request).await?;
        self.stream.flush().await?;
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await?;
            ensure!(read > 0, "the connection ended: {}", self.answer.escape_ascii());
            match answer_bytes(&self.answer)? {
                Some(length) if length <= self.answer.len() => break,
                _ => ensure!(self.answer.len() < ANSWER_BYTES_MAX, "the answer does not end"),
            }
        }
        let status = status(&self.answer)?;
        ensure!(self.statuses.contains(&status), "unexpected: {}", self.answer.escape_ascii());
        Ok(())
    }
}

fn status(answer: &[u8]) -> anyhow::Result<u16> {
    let code = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    Ok(std::str::from_utf8(code.context("the answer is not HTTP/1.1")?)?.parse()?)
}

/// The length of the answer at the front of `bytes`, once its head is whole.
fn answer_bytes(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    const HEAD_END: &[u8] = b"\r\n\r\n";
    const NAME: &[u8] = b"content-length:";
    let Some(end) = bytes.windows(HEAD_END.len()).position(|four| four == HEAD_END) else {
        return Ok(None);
    };
    let head = bytes.get(..end).unwrap_or_default();
    let value = head
        .split(|&byte| byte == b'\n')
        .filter_map(|line| line.split_at_checked(NAME.len()))
        .find(|(name, _)| name.eq_ignore_ascii_case(NAME))
        .map(|(_, value)| value.trim_ascii())
        .context("the answer has no Content-Length")?;
    let body: usize = std::str::from_utf8(value)?.parse()?;
    Ok(Some(end + HEAD_END.len() + body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_with_its_body() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(answer_bytes(answer).unwrap(), Some(answer.len()));
        assert_eq!(status(answer).unwrap(), 200);
        assert_eq!(answer_bytes(b"HTTP/1.1 200 OK\r\ncontent-").unwrap(), None);
        assert!(answer_bytes(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
