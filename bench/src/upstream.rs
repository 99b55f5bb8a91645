//! The upstream behind both proxies: the least that is still HTTP/1.1 with keep-alive.
//!
//! Every request is answered 200 with the same 300 bytes. It needs requests without a body.

use std::path::PathBuf;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// Longest request head accepted, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A page of orders, as a shop would answer.
const BODY: &str = r#"{"items":[{"id":"0198f3a2-7c51-7d60-9a11-5b1c7e20d4aa","state":"paid","lines":[{"sku":"TEA-100","quantity":2,"unit_price_minor":1290}],"total_minor":2580,"currency":"EUR"},{"id":"0198f3a2-9e02-7b0e-8c55-1f0d2c9a7b31","state":"shipped","lines":[],"total_minor":999,"currency":"EUR"}],"next":null}"#;

/// Serves the upstream of `edge`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The Unix socket to listen on.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
}

pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = UnixListener::bind(&flags.socket)?;
        let answer = answer();
        loop {
            let (stream, _) = listener.accept().await?;
            let answer = answer.clone();
            // A proxy that goes away ends its connection and nothing else.
            tokio::spawn(async move { drop(serve(stream, &answer).await) });
        }
    })
}

fn answer() -> Vec<u8> {
    let length = BODY.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json";
    format!("{head}\r\ncontent-length: {length}\r\n\r\n{BODY}").into_bytes()
}

async fn serve(mut stream: UnixStream, answer: &[u8]) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(4096);
    while stream.read_buf(&mut head).await? > 0 {
        // Proxies send one request at a time, so a head's end is the end of what has arrived.
        if head.ends_with(b"\r\n\r\n") {
            stream.write_all(answer).await?;
            head.clear();
        } else if head.len() > HEAD_BYTES_MAX {
            break;
        }
    }
    Ok(())
}
