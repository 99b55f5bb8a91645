//! Promises of `stockade policy replay`: what it finds, what it says, and how it ends.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap::Parser as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::policy::tests::line_of;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    replay: ReplayArgs,
}

/// A copy of the shipped policy, and logs beside it.
#[derive(Debug)]
struct Desk {
    folder: TempDir,
}

impl Desk {
    /// The shipped policy with `from` replaced by `to` in one file.
    fn with(file: &str, from: &str, to: &str) -> Self {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
        let folder = tempfile::tempdir().unwrap();
        for name in stockade_policy::RUNTIME_FILES {
            let mut text = fs::read_to_string(shipped.join(name)).unwrap();
            if name == file {
                assert!(text.contains(from), "{file} lacks {from}");
                text = text.replacen(from, to, 1);
            }
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn shipped() -> Self {
        Self::with("model.conf", "", "")
    }

    /// Writes a log and says where it is.
    fn log(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// Runs the verb, and says how it ended and what it printed.
    fn run(&self, words: &[&str]) -> anyhow::Result<(Exit, String)> {
        let policies = self.folder.path().display().to_string();
        let all = ["replay", "--policies", &policies].into_iter().chain(words.iter().copied());
        let line = Line::try_parse_from(all).unwrap();
        let mut out = Vec::new();
        let exit = run(&line.replay, &mut Screen::plain(&mut out))?;
        Ok((exit, String::from_utf8(out).unwrap()))
    }

    fn report(&self, words: &[&str]) -> (Exit, Value) {
        let (exit, out) = self.run(&[&["--format", "json"], words].concat()).unwrap();
        (exit, serde_json::from_str(&out).unwrap())
    }
}

/// A record of the edge with some fields changed; `null` takes one away.
fn record(changes: &Value) -> String {
    let mut record = json!({
        "time_ms": 1_790_000_000_000_u64, "decision_id": "d-1", "method": "GET",
        "path": "/api/orders/42", "route": "order", "status": 200, "bytes": 12,
        "duration_us": 900, "edge_us": 40, "client": "198.51.100.7", "account": "a-1",
        "held": "customer", "roles": "customer", "scope": "own", "bundle": "00",
    });
    for (name, value) in changes.as_object().unwrap() {
        record[name] = value.clone();
    }
    record.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    format!("{record}\n")
}

/// A customer's refused order.
fn refused() -> String {
    record(&json!({
        "decision_id": "d-2", "method": "POST", "path": "/api/products",
        "route": "create-product", "status": 403, "code": "permission_denied",
        "step": "authorize", "scope": null, "time_ms": 1_790_000_001_000_u64,
    }))
}

/// The rule by which customers read their orders.
const READ_OWN: &str = "p,   customer,    orders,      read,     own,    allow\n";

#[test]
fn the_policy_that_decided_flips_nothing() {
    let desk = Desk::shipped();
    let log = desk.log("access.log", record(&json!({})) + refused().as_str());
    let (exit, out) = desk.run(&[&log]).unwrap();
    assert_eq!(exit, Exit::Done);
    assert!(out.starts_with("replayed: 2 decisions against bundle "), "{out}");
    assert!(out.contains("\nfrom 2026-09-21T14:13:20Z to 2026-09-21T14:13:21Z\n"), "{out}");
    assert!(out.ends_with("ok: nothing flips\n"), "{out}");
}

#[test]
fn a_rule_that_is_gone_shows_whom_it_locks_out() {
    let desk = Desk::with("policy.csv", READ_OWN, "");
    let log = desk.log("access.log", record(&json!({})).repeat(3) + refused().as_str());
    let (exit, report) = desk.report(&[&log]);
    assert_eq!(exit, Exit::No, "{report}");
    let expected = json!([{
        "change": "narrowed", "count": 3, "route_before": "order", "route": "order",
        "roles": "customer", "before": {"allow": "own"}, "after": {"deny": "role"},
        "causes": [], "first_ms": 1_790_000_000_000_u64, "last_ms": 1_790_000_000_000_u64,
        "example": "d-1",
    }]);
    assert_eq!(report["flips"], expected);
    assert_eq!((&report["judged"], &report["flipped"]), (&json!(4), &json!(3)));
}

#[test]
fn a_rule_that_is_new_shows_whom_it_lets_in() {
    let new = format!("{READ_OWN}p, customer, products, create, any, allow\n");
    let desk = Desk::with("policy.csv", READ_OWN, &new);
    let log = desk.log("access.log", record(&json!({})) + refused().as_str());
    let (exit, out) = desk.run(&[&log]).unwrap();
    assert_eq!(exit, Exit::Widened);
    let line = line_of("policy.csv", "p,customer,orders,read") + 1;
    let row = format!(
        "1      widened  create-product  customer  {{deny: role}} -> any  policy.csv:{line}  \
         2026-09-21T14:13:21Z  2026-09-21T14:13:21Z  d-2"
    );
    assert!(out.contains(&row), "{out}");
    assert!(out.ends_with("\n1 flip: 1 widened\n"), "{out}");
    assert_eq!(desk.run(&["--accept", &log]).unwrap().0, Exit::Done);

    let narrower = record(&json!({"path": "/api/orders", "route": "orders", "scope": "any"}));
    let both = desk.log("both.log", refused() + narrower.as_str());
    assert_eq!(desk.run(&[&both]).unwrap().0, Exit::Widened);
    assert_eq!(desk.run(&["--accept", &both]).unwrap().0, Exit::No);
}

/// Lines of every kind there is, some of which flip.
fn mixed() -> String {
    let paths = ["/api/orders/1", "/api/products", "/api/none", "/api/inventory"];
    let (roles, clients) = (["customer", "staff", "clerk"], ["127.0.0.1", "unknown"]);
    let line = |number: usize| {
        record(&json!({
            "decision_id": format!("d-{number}"),
            "time_ms": 1_790_000_000_000_u64 + (number as u64 * 7919) % 1000,
            "path": paths[number % paths.len()],
            "held": roles[number % 3],
            "client": clients[number % 2],
            "user_agent": if number.is_multiple_of(5) { "a \"b\" \\ é" } else { "curl/8" },
            "code": if number.is_multiple_of(11) { Value::from("rate_limited") } else { Value::Null },
            "scope": if number.is_multiple_of(11) { Value::Null } else { Value::from("own") },
        }))
    };
    (0..3000).map(line).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn archives_several_files_and_threads_change_no_answer() {
    let desk = Desk::shipped();
    let text = mixed();
    let (one, other) = text.split_at(text[..text.len() / 2].rfind('\n').unwrap() + 1);
    let plain = desk.log("plain", &text);
    let expected = desk.run(&["--threads", "1", &plain]).unwrap();
    assert_eq!(expected.0, Exit::Widened);
    assert!(expected.1.contains("refused by a limit (first: decision d-"), "{}", expected.1);
    let archive = desk.log("archive", gzip(&text));
    let members = desk.log("members", [gzip(one), gzip(other)].concat());
    let (one, other) = (desk.log("one", one), desk.log("other", gzip(other)));
    for logs in [vec![&plain], vec![&archive], vec![&members], vec![&one, &other]] {
        for threads in ["1", "4"] {
            let logs = logs.iter().map(|log| log.as_str());
            let words: Vec<_> = ["--threads", threads].into_iter().chain(logs).collect();
            assert_eq!(desk.run(&words).unwrap(), expected, "{words:?}");
        }
    }
}

#[test]
fn what_is_no_record_is_counted_and_placed() {
    let desk = Desk::shipped();
    let good = record(&json!({}));
    let torn = &good[..good.len() / 2];
    let long = format!("\"{}\"\n", "x".repeat(600_000));
    let text = format!("{good}\nnot json\n{{\"time_ms\": 1}}\n{long}{good}{torn}");
    let log = desk.log("access.log", &text);
    let (exit, report) = desk.report(&[&log]);
    assert_eq!((exit, &report["judged"]), (Exit::Done, &json!(2)));
    let at = |piece: &str| format!("{log}, byte {}", text.rfind(piece).unwrap());
    let expected = json!([
        {"reason": "not_json", "count": 1, "first": at("not json")},
        {"reason": "other_schema", "count": 1, "first": at("{\"time_ms\": 1}")},
        {"reason": "cut_line", "count": 1, "first": at(torn)},
        {"reason": "long_line", "count": 1, "first": at(&long)},
    ]);
    assert_eq!(report["left_out"], expected);
}

#[test]
fn a_last_line_that_only_lacks_its_end_is_read() {
    let desk = Desk::shipped();
    let log = desk.log("access.log", record(&json!({})).trim_end());
    let (exit, report) = desk.report(&[&log]);
    assert_eq!((exit, &report["judged"], &report["left_out"]), (Exit::Done, &json!(1), &json!([])));
}

#[test]
fn older_records_are_judged_by_what_they_tell_and_that_is_said() {
    let desk = Desk::shipped();
    let old = record(&json!({"held": null}));
    let nobody = refused()
        .replace("\"held\":\"customer\",", "")
        .replace("\"roles\":\"customer\"", "\"roles\":\"\"");
    let nobody = nobody.replace("\"account\":\"a-1\",", "");
    let log = desk.log("access.log", old + nobody.as_str());
    let (exit, out) = desk.run(&[&log]).unwrap();
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("\n1 decision by the active roles"), "{out}");
    assert!(
        out.contains("\nleft out: 1, the record does not say who asked (first: decision d-2)\n"),
        "{out}"
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let desk = Desk::shipped();
    let folder = desk.folder.path().display().to_string();
    let missing = format!("{folder}/none");
    let zstd = desk.log("packed", [0x28, 0xb5, 0x2f, 0xfd, 0]);
    let cut = gzip(&mixed());
    let cut = desk.log("cut", &cut[..cut.len() / 2]);
    for (log, expected) in [
        (&missing, format!("`{missing}` could not be read")),
        (&folder, format!("`{folder}` is a folder; name the files in it")),
        (&zstd, format!("`{zstd}` is packed with zstd")),
        (&cut, format!("`{cut}` could not be read")),
    ] {
        let error = desk.run(&[log]).unwrap_err().to_string();
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_policy_that_is_refused_judges_nobody() {
    let desk = Desk::with("policy.csv", "own,    allow", "own,    Deny");
    let log = desk.log("access.log", record(&json!({})));
    let (exit, out) = desk.run(&[&log]).unwrap();
    assert_eq!(exit, Exit::Failed);
    assert!(out.ends_with("1 finding: the policy is refused\n"), "{out}");
}
