//! A real browser: Chromium, without a window.

use std::fs::{self, File};
use std::process::{Child, Command};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{KeyPair, PublicKeyData as _};
use sha2::{Digest as _, Sha256};

use crate::deadline::eventually;
use crate::stockade::Stockade;

/// A page as a browser shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The document after everything in it was run and loaded.
    pub document: String,
    /// What the browser's console says: errors, and what a content policy kept away.
    pub console: Vec<String>,
}

/// A browser that ends with its test, whether it hangs or not.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // An error says that it has ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
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
        let (shown, said) = (profile.path().join("shown"), profile.path().join("said"));
        chromium.stdout(File::create(&shown).unwrap()).stderr(File::create(&said).unwrap());
        let mut running = Running(chromium.spawn().expect("chromium is installed"));
        eventually("the browser", || running.0.try_wait().unwrap()).await;
        let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let said = text(&said);
        let console = said.lines().filter(|line| line.contains(":CONSOLE:"));
        Shown { document: text(&shown), console: console.map(str::to_owned).collect() }
    }

    /// The hash of the public key of the system's certificate (RFC 7469, 2.4).
    fn key_pin(&self) -> String {
        let pem = fs::read_to_string(self.data().join("localhost-key.pem")).unwrap();
        let key = KeyPair::from_pem(&pem).unwrap();
        BASE64_STANDARD.encode(Sha256::digest(key.subject_public_key_info()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_hangs_ends_with_its_test() {
        let hangs = Running(Command::new("sleep").arg("600").spawn().unwrap());
        let process = format!("/proc/{}", hangs.0.id());
        assert!(fs::exists(&process).unwrap());
        drop(hangs);
        assert!(!fs::exists(&process).unwrap());
    }
}
