//! The tour: lines to try, that work exactly as printed. The README shows the same ones.

use std::env;
use std::io::Write;
use std::path::PathBuf;

use super::ready::Ready;

const TOUR: &str = include_str!("tour.sh");

/// The paragraph that only the mock of a payment provider answers to.
const PAYING: &str = "# Pay for it.";

/// Says that everything answers, and what to try.
pub(super) fn print(ready: &Ready, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "\nStockade is up at {}. Ctrl-C stops it. Try, in another terminal:\n",
        ready.url()
    )?;
    let payments = ready.payments().map(|addr| addr.to_string());
    writeln!(
        out,
        "{}",
        Lines {
            url: ready.url(),
            ca: ready.authority(),
            demo: ready.demo(),
            ops: &ready.ops().to_string(),
            stockade: &myself(),
            payments: payments.as_deref(),
        }
        .fill_in()
    )?;
    if let Some(payments) = payments {
        writeln!(
            out,
            "PAYMENTS GO TO A MOCK THAT MOVES NO MONEY, on http://{payments}. Set \
             core.payments.secret_key_file for a real provider.\n"
        )?;
    }
    out.flush()?;
    Ok(())
}

/// This program, as it can be called from this folder.
fn myself() -> String {
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("stockade"));
    let folder = env::current_dir().unwrap_or_default();
    program.strip_prefix(folder).unwrap_or(&program).display().to_string()
}

/// What differs from one start to another.
struct Lines<'a> {
    url: &'a str,
    ca: &'a str,
    demo: &'a str,
    ops: &'a str,
    /// The program that is running.
    stockade: &'a str,
    /// The mock of a payment provider, if there is one.
    payments: Option<&'a str>,
}

impl Lines<'_> {
    fn fill_in(&self) -> String {
        let paragraphs = TOUR.trim_end().split("\n\n");
        let shown = paragraphs.filter(|one| self.payments.is_some() || !one.starts_with(PAYING));
        shown
            .collect::<Vec<_>>()
            .join("\n\n")
            .replace("{url}", self.url)
            .replace("{ca}", self.ca)
            .replace("{demo}", self.demo)
            .replace("{ops}", self.ops)
            .replace("{stockade}", self.stockade)
            .replace("{payments}", self.payments.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_the_same_tour() {
        let readme = include_str!("../../../README.md");
        let mut lines = Lines {
            url: "https://localhost:8443",
            ca: ".stockade/ca.pem",
            demo: ".stockade/demo.json",
            ops: "127.0.0.1:9901",
            stockade: "target/release/stockade",
            payments: Some("127.0.0.1:9903"),
        };
        let tour = lines.fill_in();
        assert!(readme.contains(&tour), "README.md lacks the tour:\n{tour}");
        assert!(tour.contains(PAYING));
        lines.payments = None;
        assert!(!lines.fill_in().contains("v1/payment_intents"));
    }
}
