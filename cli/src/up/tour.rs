//! The tour: lines to try, that work exactly as printed. The README shows the same ones.

use std::env;
use std::io::Write;
use std::path::PathBuf;

use super::ready::Ready;

const TOUR: &str = include_str!("tour.sh");

/// Says that everything answers, and what to try.
pub(super) fn print(ready: &Ready, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "\nStockade is up at {}. Ctrl-C stops it. Try, in another terminal:\n",
        ready.url()
    )?;
    writeln!(
        out,
        "{}",
        lines(ready.url(), ready.authority(), ready.demo(), &ready.ops().to_string(), &myself())
    )?;
    out.flush()?;
    Ok(())
}

/// This program, as it can be called from this folder.
fn myself() -> String {
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("stockade"));
    let folder = env::current_dir().unwrap_or_default();
    program.strip_prefix(folder).unwrap_or(&program).display().to_string()
}

fn lines(url: &str, ca: &str, demo: &str, ops: &str, stockade: &str) -> String {
    let tour = TOUR.replace("{url}", url).replace("{ca}", ca).replace("{demo}", demo);
    tour.replace("{ops}", ops).replace("{stockade}", stockade)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_the_same_tour() {
        let readme = include_str!("../../../README.md");
        let tour = lines(
            "https://localhost:8443",
            ".stockade/ca.pem",
            ".stockade/demo.json",
            "127.0.0.1:9901",
            "target/release/stockade",
        );
        assert!(readme.contains(&tour), "README.md lacks the tour:\n{tour}");
    }
}
