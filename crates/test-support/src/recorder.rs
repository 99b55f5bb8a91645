//! An upstream like anybody's: a small, strict HTTP/1.1 server that remembers every byte.
//!
//! What reaches it is read to the letter of RFC 9112. Whatever is not a request is kept too, and
//! ends its connection, so that a test can tell what a less strict server could have been told.

mod request;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub use self::request::Recorded;
use self::request::{Parsed, parse};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nok\n";
const HEAD_ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\n";
const REFUSAL: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A running recorder. It ends when dropped.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Heard {
    requests: Vec<Recorded>,
    malformed: Vec<String>,
}

impl Recorder {
    /// Listens on loopback, and answers every request with 200 and `ok`.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::default());
        let serving = tokio::spawn(accept(listener, Arc::clone(&heard)));
        Self { address, heard, serving }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every complete request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.heard().requests.clone()
    }

    /// Takes what was recorded, and forgets it.
    pub fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.heard().requests)
    }

    /// Why bytes that arrived are no request, each with the bytes.
    pub fn malformed(&self) -> Vec<String> {
        self.heard().malformed.clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, heard: Arc<Mutex<Heard>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&heard)));
    }
}

async fn serve(mut stream: TcpStream, heard: Arc<Mutex<Heard>>) {
    let mut unread = Vec::new();
    loop {
        let answer = match parse(&unread) {
            Parsed::Request(request) => {
                unread.drain(..request.raw.len());
                let answer = if request.method == "HEAD" { HEAD_ANSWER } else { ANSWER };
                heard.lock().unwrap().requests.push(request);
                answer
            }
            Parsed::Malformed(why) => {
                let text = format!("{why}: {:?}", String::from_utf8_lossy(&unread));
                heard.lock().unwrap().malformed.push(text);
                // The connection ends here whether or not the answer is heard.
                drop(stream.write_all(REFUSAL).await);
                return;
            }
            Parsed::Incomplete => match stream.read_buf(&mut unread).await {
                Ok(1..) => continue,
                Ok(_) | Err(_) => return,
            },
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}
