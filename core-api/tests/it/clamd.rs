//! A small scanner that speaks clamd's protocol: it knows one virus, and may be told to be odd.

use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// What it takes for a virus. (The real test file would alarm scanners of this machine.)
pub(crate) const VIRUS: &[u8] = b"stockade-test-virus";

/// How it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// As clamd does.
    Plain,
    /// Not at all.
    Silent,
    /// As clamd does that was given more than it takes.
    Overwhelmed,
}

/// Listens on this socket until the test ends.
pub(crate) fn listen(socket: &Path, manner: Manner) {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream, manner));
        }
    });
}

async fn answer(mut stream: UnixStream, manner: Manner) {
    let mut command = [0; 10];
    stream.read_exact(&mut command).await.unwrap();
    assert_eq!(&command, b"zINSTREAM\0");
    let mut file = Vec::new();
    loop {
        let length = stream.read_u32().await.unwrap();
        if length == 0 {
            break;
        }
        let start = file.len();
        file.resize(start + usize::try_from(length).unwrap(), 0);
        stream.read_exact(&mut file[start..]).await.unwrap();
    }
    let infected = file.windows(VIRUS.len()).any(|window| window == VIRUS);
    let said: &[u8] = match manner {
        Manner::Plain if infected => b"stream: Stockade.Test.Virus FOUND\0",
        Manner::Plain => b"stream: OK\0",
        Manner::Overwhelmed => b"INSTREAM size limit exceeded. ERROR\0",
        // Until the core has heard enough of nothing, and hangs up.
        Manner::Silent => {
            drop(stream.read(&mut [0]).await);
            return;
        }
    };
    stream.write_all(said).await.unwrap();
}
