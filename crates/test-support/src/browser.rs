//! A real browser: Chromium, without a window.

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{KeyPair, PublicKeyData as _};
use sha2::{Digest as _, Sha256};

use crate::deadline::soon;
use crate::stockade::Stockade;

/// A page as a browser shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The document after everything in it was run and loaded.
    pub document: String,
    /// What the browser's console says: errors, and what a content policy kept away.
    pub console: Vec<String>,
}

impl Stockade {
    /// Opens a page in a browser that trusts the certificate of this system alone.
    ///
    /// # Panics
    /// When no browser is installed, or it does not come to an end.
    pub async fn browse(&self, path: &str) -> Shown {
        let profile = tempfile::tempdir().unwrap();
        let mut chromium = Command::new("chromium");
        chromium
            .args(["--headless=new", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
            // The user of a container has no sandbox; the page is ours.
            .arg("--no-sandbox")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--ignore-certificate-errors-spki-list={}", self.key_pin()))
            .arg(format!("{}{path}", self.url()));
        let run = tokio::task::spawn_blocking(move || chromium.output());
        let output = soon("the browser", run).await.unwrap().expect("chromium is installed");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stderr);
        let console = said.lines().filter(|line| line.contains(":CONSOLE:"));
        Shown { document: text(&output.stdout), console: console.map(str::to_owned).collect() }
    }

    /// The hash of the public key of the system's certificate (RFC 7469, 2.4).
    fn key_pin(&self) -> String {
        let pem = std::fs::read_to_string(self.data().join("localhost-key.pem")).unwrap();
        let key = KeyPair::from_pem(&pem).unwrap();
        BASE64_STANDARD.encode(Sha256::digest(key.subject_public_key_info()))
    }
}
