//! `cargo xtask fuzz`: throws invented input at the parsers, for as long as it is told to.
//!
//! The targets are in `fuzz/`. They are built here with the coverage that libFuzzer steers by, so
//! that neither a nightly compiler nor another tool is needed. Findings stay in `fuzz/artifacts`
//! and what was learnt in `fuzz/corpus`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::cargo;
use crate::test::finish;
use crate::workspace::Workspace;

/// What is fuzzed, where its first inputs are, and how they are read: files as they are, or one
/// of a bundle's with its number in front.
const TARGETS: &[(&str, Seeds)] = &[
    ("policy", Seeds::Bundle),
    ("cases", Seeds::Folder("policies/cases")),
    ("log", Seeds::Text(RECORD)),
    ("request", Seeds::None),
];

#[derive(Debug, Clone, Copy)]
enum Seeds {
    None,
    Text(&'static str),
    /// Every file of a folder.
    Folder(&'static str),
    /// The files of the shipped bundle, each behind its number.
    Bundle,
}

/// A decision record.
const RECORD: &str = r#"{"time_ms":1790000000123,"decision_id":"0199-d","method":"GET","path":"/api/orders/42","route":"order","status":200,"bytes":512,"duration_us":950,"edge_us":50,"client":"192.0.2.1","account":"a-1","held":"customer","roles":"customer","mfa_s":90,"conditions":"mfa","scope":"own","user_agent":"curl/8","bundle":"00ff"}"#;

/// The files of a bundle, in the order in which the target numbers them.
const BUNDLE: [&str; 4] = ["model.conf", "roles.csv", "policy.csv", "routes.toml"];

/// Coverage that libFuzzer steers by.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Longest input, in bytes.
const INPUT_BYTES_MAX: u32 = 16 * 1024;

/// How long each target is fuzzed, in seconds, where nothing else is said.
const SECS: u32 = 60;

/// Fuzzes every target, or the one that is named, each for a minute or for so many seconds.
pub(crate) fn run(arguments: &[OsString]) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let (mut only, mut secs) = (None, SECS);
    for argument in arguments {
        let argument = argument.to_str().context("the arguments are not UTF-8")?;
        match argument.parse() {
            Ok(number) => secs = number,
            Err(_) => only = Some(argument),
        }
    }
    let targets: Vec<_> =
        TARGETS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)).collect();
    if targets.is_empty() {
        let known: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        bail!("there is no fuzz target `{}`; known: {}", only.unwrap_or(""), known.join(", "));
    }
    let folder = workspace.root.join("fuzz");
    finish(
        cargo::command(&folder)
            .args(["build", "--release", "--bins", "--target", &host()?])
            .env("RUSTFLAGS", FLAGS),
    )?;
    for (name, seeds) in targets {
        let corpus = folder.join("corpus").join(name);
        plant(&workspace.root, *seeds, &corpus)?;
        fuzz(&folder, name, &corpus, secs).with_context(|| format!("fuzzing `{name}`"))?;
    }
    Ok(())
}

fn fuzz(folder: &Path, name: &str, corpus: &Path, secs: u32) -> anyhow::Result<()> {
    let artifacts = folder.join("artifacts").join(name);
    fs::create_dir_all(&artifacts)?;
    let program = folder.join("target").join(host()?).join("release").join(name);
    finish(
        Command::new(program)
            .arg(corpus)
            .arg(format!("-max_total_time={secs}"))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"]),
    )
}

/// Puts the first inputs where libFuzzer looks for them.
fn plant(root: &Path, seeds: Seeds, corpus: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(corpus)?;
    match seeds {
        Seeds::None => {}
        Seeds::Text(text) => fs::write(corpus.join("seed"), text)?,
        Seeds::Folder(folder) => {
            for entry in fs::read_dir(root.join(folder))? {
                let entry = entry?;
                fs::copy(entry.path(), corpus.join(entry.file_name()))?;
            }
        }
        Seeds::Bundle => {
            for (name, number) in BUNDLE.iter().zip(0_u8..) {
                let mut seed = vec![number];
                seed.extend(fs::read(root.join("policies").join(name))?);
                fs::write(corpus.join(name), seed)?;
            }
        }
    }
    Ok(())
}

/// The machine's own target. Naming it keeps the flags away from build scripts.
fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("--print=host-tuple").output()?;
    let host = String::from_utf8(output.stdout).context("rustc names its host in UTF-8")?;
    Ok(host.trim().to_owned())
}
