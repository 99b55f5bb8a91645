//! Output into pipes and files: plain, whole, and for programs in one shape.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use super::*;

#[track_caller]
fn json(arguments: &[&str], folder: &Path, code: i32) -> Value {
    let folder = folder.display().to_string();
    let arguments = arguments.iter().copied().chain(["--format", "json", folder.as_str()]);
    let (exit, out, err) = told(stockade(arguments));
    assert_eq!((exit, err.as_str()), (Some(code), ""));
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_pipe_gets_no_colour_and_no_excerpt() {
    let folder = copy_of_shipped();
    edit(folder.path(), "policy.csv", "orders,      create", "order,       create");
    let path = folder.path().display().to_string();
    let (code, out, _) = told(stockade(["policy", "check", &path]));
    assert_eq!(code, Some(2));
    assert!(!out.contains('\u{1b}'), "{out}");
    assert_eq!(out.lines().count(), 2, "{out}");

    let (_, painted, _) = told(stockade(["policy", "check", "--color", "always", &path]));
    assert!(painted.contains("\u{1b}["), "{painted}");
    let (_, bare, _) = told(stockade(["--color", "never", "policy", "check", &path]));
    assert_eq!(bare, out);
}

#[test]
fn text_of_others_cannot_command_the_terminal() {
    let folder = copy_of_shipped();
    edit(folder.path(), "policy.csv", "p,   staff,  ", "p\u{1b}[2J,   staff,  ");
    let (code, out, _) = told(stockade(["policy", "check", &folder.path().display().to_string()]));
    assert_eq!(code, Some(2));
    assert!(out.contains("`p\\u{1b}[2J` is no row type here"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out}");
}

#[test]
fn whoever_stops_reading_gets_the_same_answer() {
    let folder = copy_of_shipped();
    let file = folder.path().join("policy.csv");
    std::fs::write(&file, "p, nobody\n".repeat(900)).unwrap();
    let mut command = stockade(["policy", "check", &folder.path().display().to_string()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert_eq!(err, "");
}

#[test]
fn a_full_disk_is_told() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = stockade(["policy", "matrix", &shipped().display().to_string()]);
    let told = command.stdout(full).output().unwrap();
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8(told.stderr).unwrap().starts_with("stockade: No space left"));
}

#[test]
fn check_answers_programs() {
    let report = json(&["policy", "check"], &shipped(), 0);
    assert_eq!(report["version"], 1);
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    assert_eq!(report["hash"].as_str().map(str::len), Some(64));
    assert!(report["proven_cells"].as_u64() > Some(0));
}

#[test]
fn test_answers_programs() {
    let folder = copy_of_shipped();
    let report = json(&["policy", "test"], folder.path(), 0);
    assert_eq!(report["failed"], Value::Array(Vec::new()));
    assert!(report["cases"].as_u64() > Some(0));

    edit(folder.path(), "policy.csv", "create,   own,    allow", "create,   any,    allow");
    let report = json(&["policy", "test"], folder.path(), 2);
    let failed = &report["failed"][0];
    assert_eq!(failed["file"], "cases/orders.yaml");
    assert_eq!((&failed["expected"], &failed["got"]), (&"own".into(), &"any".into()));

    edit(folder.path(), "roles.csv", "g,   admin", "x,   admin");
    let report = json(&["policy", "test"], folder.path(), 1);
    assert_eq!(report["findings"][0]["code"], "P022");
}

#[test]
fn matrix_answers_programs() {
    let folder = copy_of_shipped();
    let report = json(&["policy", "matrix"], folder.path(), 0);
    assert_eq!(report["roles"][0], "anonymous");
    let routes = report["routes"].as_array().unwrap();
    let route = |method: &str, path: &str| {
        let found = routes.iter().find(|row| row["method"] == method && row["path"] == path);
        found.unwrap()
    };
    let place = route("POST", "/api/orders");
    assert_eq!(place["needs"], "orders.create");
    assert_eq!(place["scopes"]["anonymous"], Value::Null);
    assert_eq!(place["scopes"]["super-admin"], "own");
    assert_eq!(route("DELETE", "/api/products/{id}")["scopes"]["super-admin"], "any");

    let report = json(&["policy", "matrix", "--check"], folder.path(), 0);
    assert_eq!(report["same"], true);
    edit(folder.path(), "policy.csv", "create,   own,    allow", "create,   any,    allow");
    let report = json(&["policy", "matrix", "--check"], folder.path(), 2);
    assert_eq!((&report["gone"].as_array().unwrap().len(), &report["same"]), (&1, &false.into()));
}

#[test]
fn a_command_line_that_is_not_understood_is_told() {
    let (code, out, err) = told(stockade(["policy", "chekc"]));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("a similar subcommand exists: 'check'"), "{err}");
}

#[test]
fn shells_get_their_completions() {
    for (shell, sign) in
        [("bash", "complete -F"), ("zsh", "#compdef stockade"), ("fish", "complete -c stockade")]
    {
        let (code, out, err) = told(stockade(["completions", shell]));
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(out.contains(sign) && out.contains("matrix"), "{shell}");
    }
    assert_eq!(told(stockade(["completions", "cmd"])).0, Some(1));
}

#[test]
fn the_manual_has_a_page_for_every_verb() {
    let (code, page, _) = told(stockade(["man"]));
    assert_eq!(code, Some(0));
    assert!(page.contains(".TH stockade 1"), "{page}");

    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert_eq!(told(stockade(["man", &pages.display().to_string()])).0, Some(0));
    let check = std::fs::read_to_string(pages.join("stockade-policy-check.1")).unwrap();
    assert!(check.contains("Exit codes:") && check.contains("stockade policy check"), "{check}");
    assert!(pages.join("stockade.1").is_file() && pages.join("stockade-init.1").is_file());
}

#[test]
fn help_goes_to_standard_output_and_says_how_a_verb_ends() {
    let (code, out, err) = told(stockade(["policy", "fmt", "--help"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("Exit codes:") && out.contains("Examples:"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out}");
}
