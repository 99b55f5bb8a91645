//! Any bytes to an HTTP/1.1 connection, and every response to them.

use std::time::Duration;

use stockade_test_support::{Door, RawTls};
use tokio::time::timeout;

/// How long an edge that gives up after a second may take to say so.
const SILENCE: Duration = Duration::from_secs(10);

/// Whether the client goes on listening without being able to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It says goodbye when the first response is there.
    FirstResponse,
    /// It says goodbye at once.
    Bytes,
}

/// Sends bytes on a connection of their own, and gives the final statuses of all responses.
///
/// Nothing is waited for by the clock: a client that says goodbye after the first response is
/// answered whatever else it has asked, and then the edge closes.
pub(crate) async fn exchange(door: &Door, bytes: &[u8], goodbye: After) -> Vec<u16> {
    let mut raw = RawTls::http1(door).await;
    // An edge that closes in the middle has heard enough.
    drop(raw.try_send(bytes).await);
    if goodbye == After::Bytes {
        raw.half_close().await;
    }
    let mut heard = Vec::new();
    loop {
        match timeout(SILENCE, raw.read_some()).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(_) | Err(_)) => break,
            Err(_) => panic!("silence after {:?}", String::from_utf8_lossy(bytes)),
        }
        let before = statuses(&heard).len();
        while let Some(byte) = raw.take_unread(1) {
            heard.extend(byte);
        }
        if before == 0 && !statuses(&heard).is_empty() {
            raw.half_close().await;
        }
    }
    statuses(&heard)
}

/// The final status of each whole response.
fn statuses(mut bytes: &[u8]) -> Vec<u16> {
    let mut statuses = Vec::new();
    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no response: {head:?}"));
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse::<usize>().unwrap());
        let Some(rest) = bytes.get(end + 4 + length..) else { break };
        bytes = rest;
        if status >= 200 {
            statuses.push(status);
        }
    }
    statuses
}
