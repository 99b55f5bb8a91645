//! Promises of `stockade policy diff`: what it prints and how it ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::Parser as _;

use super::*;
use crate::policy::sample;

/// As much of the command line as these tests need.
#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    diff: DiffArgs,
}

fn run_line(words: &[&str]) -> anyhow::Result<(Exit, String)> {
    let line = Line::try_parse_from(["diff"].iter().chain(words))?;
    let mut out = Vec::new();
    let exit = run(&line.diff, &mut Screen::plain(&mut out))?;
    Ok((exit, String::from_utf8(out)?))
}

/// The diff from the sample policy to an edited one.
fn diff(edits: &[(&str, &str, &str)], options: &[&str]) -> (Exit, String) {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    sample::write(&old, &[]);
    sample::write(&new, edits);
    let (old, new) = (old.display().to_string(), new.display().to_string());
    let words: Vec<_> = [old.as_str(), &new].into_iter().chain(options.iter().copied()).collect();
    run_line(&words).unwrap()
}

const STAFF_READ_ACCOUNTS: (&str, &str, &str) = (
    "policy.csv",
    "p, staff, orders, read",
    "p, staff, accounts, read, any, allow\np, staff, orders, read",
);
const NO_CANCEL: (&str, &str, &str) =
    ("policy.csv", "p, customer, orders, cancel, own, allow\n", "");
const NO_SUSPENSION: (&str, &str, &str) =
    ("policy.csv", "p, suspended, orders, cancel, any, deny\n", "");

#[test]
fn what_widens_comes_first_and_ends_with_three() {
    let (exit, out) = diff(&[STAFF_READ_ACCOUNTS, NO_CANCEL], &[]);
    assert_eq!(
        out,
        "\
WIDENED   policy.csv:5  + p, staff, accounts, read, any, allow
  staff  accounts.read  own -> any  GET /api/me
NARROWED  policy.csv:4  - p, customer, orders, cancel, own, allow
  customer  orders.cancel  own -> -  POST /api/orders/{id}/cancel
1 cell widened, 1 narrowed, 0 routes added
somebody gets more: if that is meant, say so with --accept
"
    );
    assert_eq!(exit, Exit::Widened);
}

#[test]
fn sets_of_roles_are_told_where_no_role_alone_changes() {
    let (exit, out) = diff(&[NO_SUSPENSION], &[]);
    assert_eq!(
        out,
        "\
WIDENED   policy.csv:11  - p, suspended, orders, cancel, any, deny
  customer + suspended                                           orders.cancel  - -> own  POST /api/orders/{id}/cancel
  suspended + staff, suspended + admin, suspended + super-admin  orders.cancel  - -> any  POST /api/orders/{id}/cancel
4 cells widened, 0 narrowed, 0 routes added
somebody gets more: if that is meant, say so with --accept
"
    );
    assert_eq!(exit, Exit::Widened);
}

#[test]
fn less_ends_with_two_and_what_is_accepted_with_none() {
    assert_eq!(diff(&[NO_CANCEL], &[]).0, Exit::No);
    assert_eq!(diff(&[NO_CANCEL], &["--accept"]).0, Exit::Done);
    let (exit, out) = diff(&[STAFF_READ_ACCOUNTS], &["--accept"]);
    assert_eq!(exit, Exit::Done);
    assert!(out.ends_with("1 cell widened, 0 narrowed, 0 routes added\n"), "{out}");
}

#[test]
fn text_without_effect_ends_with_none() {
    let (exit, out) = diff(&[], &[]);
    assert_eq!(
        (exit, out.as_str()),
        (Exit::Done, "no change: the files are the same, byte for byte\n")
    );
    let moved = ("policy.csv", "p, admin", "# Admins.\np, admin");
    let (exit, out) = diff(&[moved], &[]);
    assert_eq!(exit, Exit::Done);
    assert_eq!(out, "no change in effect: the text differs, and nobody gets anything else\n");
}

#[test]
fn programs_and_pull_requests_are_told_the_same() {
    let (exit, out) = diff(&[STAFF_READ_ACCOUNTS], &["--format", "json"]);
    assert_eq!(exit, Exit::Widened);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["widens"], true);
    assert_eq!(report["groups"][0]["edits"][0]["line"], 6);
    assert_eq!(report["groups"][0]["cells"][0]["after"], "any");

    let (_, out) = diff(&[STAFF_READ_ACCOUNTS], &["--format", "markdown"]);
    assert!(out.starts_with("**Policy:** 1 cell widened"), "{out}");
    assert!(out.contains("| staff | accounts.read | own -> any | `GET /api/me` |"), "{out}");
}

#[test]
fn a_policy_that_is_refused_has_no_effect_to_compare() {
    let (exit, out) = diff(&[("roles.csv", "g, admin", "x, admin")], &[]);
    assert_eq!(exit, Exit::Failed);
    assert!(out.contains("[P022]") && out.contains("new:\n"), "{out}");
    let (exit, out) = diff(&[("roles.csv", "g, admin", "x, admin")], &["--format", "json"]);
    assert_eq!(exit, Exit::Failed);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let [refused] = report["refused"].as_array().unwrap().as_slice() else { panic!("{out}") };
    assert!(refused["policy"].as_str().unwrap().ends_with("/new"), "{out}");
    assert_eq!(refused["findings"][0]["code"], "P022");
}

#[test]
fn what_is_too_wide_for_a_terminal_is_stacked() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    sample::write(&old, &[]);
    sample::write(&new, &[NO_SUSPENSION]);
    let load = |folder| crate::policy::load(crate::policy::read(folder).unwrap()).unwrap();
    let diff = diff::compare(&load(&old), &load(&new));
    let mut out = Vec::new();
    render::human(&diff, true, &mut Screen::terminal(&mut out, 50)).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "\
WIDENED   policy.csv:11  - p, suspended, orders,
          cancel, any, deny
  customer + suspended
    orders.cancel  - -> own  POST /api/orders/{id}/cancel
  suspended + staff, suspended + admin, suspended
  + super-admin
    orders.cancel  - -> any  POST /api/orders/{id}/cancel
4 cells widened, 0 narrowed, 0 routes added
"
    );
}

fn git(folder: &Path, words: &[&str]) {
    let status = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
        .args(words)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "git {words:?}");
}

#[test]
fn revisions_are_compared_with_each_other_and_with_the_folder() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("rules");
    sample::write(&folder, &[]);
    git(root.path(), &["init", "-q", "-b", "main"]);
    git(root.path(), &["add", "."]);
    git(root.path(), &["commit", "-q", "-m", "one"]);
    sample::write(&folder, &[NO_CANCEL]);
    git(root.path(), &["commit", "-q", "-a", "-m", "two"]);
    sample::write(&folder, &[NO_CANCEL, STAFF_READ_ACCOUNTS]);

    let dir = folder.display().to_string();
    let exit = |range: &str| run_line(&[range, "--policies", &dir]).unwrap().0;
    assert_eq!(exit("HEAD~1..main"), Exit::No);
    assert_eq!(exit("main..HEAD~1"), Exit::Widened);
    assert_eq!(exit("main"), Exit::Widened);
    assert_eq!(exit("main..HEAD"), Exit::Done);

    let error = |words: &[&str]| format!("{:#}", run_line(words).unwrap_err());
    let unknown = error(&["nowhere..HEAD", "--policies", &dir]);
    assert!(unknown.contains("git knows no revision `nowhere`; name two revisions"), "{unknown}");
    let elsewhere = root.path().join("empty");
    fs::create_dir(&elsewhere).unwrap();
    let empty = error(&["main", "--policies", &elsewhere.display().to_string()]);
    assert!(empty.contains("it holds no policy in"), "{empty}");
}

#[test]
fn what_names_no_two_versions_is_said_to() {
    for (words, expected) in [
        (vec!["main...HEAD"], "three dots"),
        (vec!["--", "-x..HEAD"], "`-x` is no revision"),
        (vec!["..HEAD"], "`` is no revision"),
        (vec!["./"], "there is no second one"),
        (vec!["main", "--policies", "/nonexistent"], "is no folder"),
        (vec!["a", "b", "--policies", "c"], "cannot be used with"),
    ] {
        let error = format!("{:#}", run_line(&words).unwrap_err());
        assert!(error.contains(expected), "{words:?}: {error}");
    }
}
