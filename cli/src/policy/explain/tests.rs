//! Promises of `stockade policy explain`: what it prints and how it ends.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap::Parser as _;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::policy::sample;

/// As much of the command line as these tests need.
#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    explain: ExplainArgs,
}

/// Runs `explain` over the sample policy; its hash stands as `HASH`.
fn run_line(words: &[&str]) -> anyhow::Result<(Exit, String)> {
    let folder = tempfile::tempdir()?;
    sample::write(folder.path(), &[]);
    let hash = crate::policy::load(crate::policy::read(folder.path())?).unwrap().hash().to_string();
    let dir = folder.path().display().to_string();
    let words = ["explain"].into_iter().chain(words.iter().copied()).chain(["--policies", &dir]);
    let line = Line::try_parse_from(words)?;
    let mut out = Vec::new();
    let exit = run(&line.explain, &mut Screen::plain(&mut out))?;
    Ok((exit, String::from_utf8(out)?.replace(&hash, "HASH")))
}

/// What a request is told.
#[track_caller]
fn check(words: &[&str], expected: &str) {
    let (exit, out) = run_line(words).unwrap();
    assert_eq!(out, expected);
    assert_eq!(exit == Exit::Done, out.starts_with("ALLOWED"));
    assert!(out.lines().count() <= 12, "{out}");
}

#[test]
fn what_is_allowed_names_its_rule_and_the_way_to_it() {
    let inside = ["--from", "127.0.0.1", "--mfa", "5m"];
    let words = ["POST /api/orders/7/cancel", "--as", "super-admin"];
    check(&[&words[..], &inside].concat(), "\
ALLOWED   any: everything, whoever it belongs to
request   POST /api/orders/7/cancel
route     cancel-order: POST /api/orders/{id}/cancel (routes.toml:25)
needs     orders.cancel, a token
caller    super-admin; from 127.0.0.1; second factor 5m old
active    super-admin
rule      p, staff, orders, cancel, any, allow (policy.csv:7), by super-admin > admin (roles.csv:1) > staff (roles.csv:2)
bundle    HASH
");
    check(
        &["GET /api/orders", "--as", "customer", "--as", "staff"],
        "\
ALLOWED   any: everything, whoever it belongs to
request   GET /api/orders
route     orders: GET /api/orders (routes.toml:24)
needs     orders.read, a token
caller    customer, staff; from 203.0.113.7; no second factor
active    customer, staff
rule      p, staff, orders, read, any, allow (policy.csv:6)
bundle    HASH
",
    );
    check(
        &["GET /api/me", "--as", "admin,customer", "--mfa", "5m"],
        "\
ALLOWED   own: only what belongs to the caller
request   GET /api/me
route     me: GET /api/me (routes.toml:20)
needs     accounts.read, a token
caller    admin, customer; from 203.0.113.7; second factor 5m old
active    customer
inactive  admin needs network admins (routes.toml:8)
rule      p, customer, accounts, read, own, allow (policy.csv:5)
bundle    HASH
",
    );
    check(
        &["POST /api/token", "--as", "admin"],
        "\
ALLOWED   any: it is allowed
request   POST /api/token
route     token: POST /api/token (routes.toml:19)
needs     auth.token, and tokens are not read
caller    admin; from 203.0.113.7; no second factor
active    anonymous
rule      p, anonymous, auth, token, any, allow (policy.csv:2)
bundle    HASH
",
    );
}

#[test]
fn what_is_denied_names_what_is_missing() {
    check(&["DELETE /api/products/7", "--as", "staff", "--mfa", "1m"], "\
DENIED    role: the caller's roles do not allow it
request   DELETE /api/products/7
route     delete-product: DELETE /api/products/{id} (routes.toml:23)
needs     products.delete, a token, a second factor at most 5m old
caller    staff; from 203.0.113.7; second factor 1m old
active    staff
missing   the role super-admin, which needs network admins and a second factor at most 12h old (routes.toml:9)
nearest   p, super-admin, products, delete, any, allow (policy.csv:10)
bundle    HASH
");
    let inside = ["--from", "::1"];
    check(
        &[&["DELETE /api/products/7", "--as", "super-admin"], &inside[..]].concat(),
        "\
DENIED    mfa: not without a fresh second factor
request   DELETE /api/products/7
route     delete-product: DELETE /api/products/{id} (routes.toml:23)
needs     products.delete, a token, a second factor at most 5m old
caller    super-admin; from ::1; no second factor
missing   a second factor at most 5m old (routes.toml:23)
nearest   p, super-admin, products, delete, any, allow (policy.csv:10)
bundle    HASH
",
    );
    check(
        &["GET /api/me", "--as", "super-admin", "--from", "::1"],
        "\
DENIED    mfa: not without a fresh second factor
request   GET /api/me
route     me: GET /api/me (routes.toml:20)
needs     accounts.read, a token
caller    super-admin; from ::1; no second factor
active    none
inactive  super-admin needs a second factor at most 12h old (routes.toml:9)
missing   a second factor at most 12h old, for super-admin to count (routes.toml:9)
nearest   p, admin, accounts, read, any, allow (policy.csv:9), by super-admin > admin (roles.csv:1)
bundle    HASH
",
    );
    check(
        &["POST /api/products", "--as", "admin,staff", "--from", "unknown"],
        "\
DENIED    network: not from this address
request   POST /api/products
route     create-product: POST /api/products (routes.toml:22)
needs     products.create, a token
caller    admin, staff; from an unknown address; no second factor
active    staff
inactive  admin needs network admins (routes.toml:8)
missing   network admins, for admin to count (routes.toml:8)
nearest   p, admin, products, create, any, allow (policy.csv:8)
bundle    HASH
",
    );
}

#[test]
fn what_nobody_may_and_what_is_nowhere_is_told() {
    check(
        &["POST /api/orders/7/cancel", "--as", "staff,suspended"],
        "\
DENIED    role: a rule denies it to the caller's roles
request   POST /api/orders/7/cancel
route     cancel-order: POST /api/orders/{id}/cancel (routes.toml:25)
needs     orders.cancel, a token
caller    staff, suspended; from 203.0.113.7; no second factor
active    suspended, staff
missing   that this rule goes: p, suspended, orders, cancel, any, deny (policy.csv:11)
bundle    HASH
",
    );
    check(
        &["POST /api/orders/7/refund", "--as", "staff"],
        "\
DENIED    role: the caller's roles do not allow it
request   POST /api/orders/7/refund
route     refund-order: POST /api/orders/{id}/refund (routes.toml:26)
needs     orders.refund, a token
caller    staff; from 203.0.113.7; no second factor
active    staff
missing   a rule: none allows it to anybody
bundle    HASH
",
    );
    check(
        &["GET /api/orders", "--anonymous"],
        "\
DENIED    token: a token is needed, and none was shown
request   GET /api/orders
route     orders: GET /api/orders (routes.toml:24)
needs     orders.read, a token
caller    no token; from 203.0.113.7; no second factor
missing   a token
missing   the role customer
nearest   p, customer, orders, read, own, allow (policy.csv:3)
bundle    HASH
",
    );
    check(
        &["PUT /api/orders", "--as", "staff"],
        "\
DENIED    method: this path does not answer this method
request   PUT /api/orders
caller    staff; from 203.0.113.7; no second factor
missing   another method: GET, HEAD
bundle    HASH
",
    );
    check(
        &["GET /api/order", "--as", "staff"],
        "\
DENIED    route: there is nothing at this path
request   GET /api/order
caller    staff; from 203.0.113.7; no second factor
missing   a route with this path; did you mean `/api/orders`?
bundle    HASH
",
    );
}

/// A record as the edge writes it.
fn record(id: &str, rest: &str) -> String {
    format!(
        "{{\"time_ms\":1795340701999,\"decision_id\":\"{id}\",\"bytes\":0,\"duration_us\":5,\"edge_us\":5,{rest}}}\n"
    )
}

const ADMITTED: &str = r#""method":"GET","path":"/api/me","route":"me","status":200,"client":"203.0.113.9","account":"a1","held":"admin customer","roles":"customer","mfa_s":300,"scope":"own","user_agent":"x","bundle":"other""#;
const DENIED: &str = r#""method":"DELETE","path":"/api/products/7","route":"delete-product","status":403,"code":"permission_denied","step":"authorize","client":"203.0.113.9","account":"a1","held":"staff","roles":"staff","mfa_s":60,"bundle":"other""#;
const DENIED_BEFORE: &str = r#""method":"DELETE","path":"/api/products/7","route":"delete-product","status":403,"code":"permission_denied","step":"authorize","client":"203.0.113.9","roles":"","bundle":"other""#;
const LIMITED: &str = r#""method":"POST","path":"/api/orders/7/cancel","route":"cancel-order","status":429,"code":"rate_limited","step":"principal_limit","client":"203.0.113.9","account":"a1","held":"staff","roles":"","bundle":"other""#;
const MALFORMED: &str = r#""method":"-","path":"-","route":"-","status":400,"code":"malformed_head","step":"hygiene","client":"unknown","roles":"","bundle":"-""#;
const DIFFERENT: &str = r#""method":"GET","path":"/api/orders","route":"orders","status":200,"client":"203.0.113.9","account":"a1","roles":"customer","scope":"any","bundle":"other""#;

const IDS: [&str; 6] = [
    "aaaa0000000000000000000000000001",
    "aaab0000000000000000000000000002",
    "aaac0000000000000000000000000003",
    "aaad0000000000000000000000000004",
    "aaae0000000000000000000000000005",
    "aaaf0000000000000000000000000006",
];

fn log() -> String {
    let records = [ADMITTED, DENIED, DENIED_BEFORE, LIMITED, MALFORMED, DIFFERENT];
    let mut log = format!("no record\n{}\n", "x".repeat(200_000));
    log.extend(IDS.iter().zip(records).map(|(id, rest)| record(id, rest)));
    log
}

/// Explains a decision out of a log.
fn run_log(id: &str, bytes: &[u8]) -> anyhow::Result<(Exit, String)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("access.log");
    fs::write(&path, bytes)?;
    run_line(&[id, "--log", &path.display().to_string()])
}

#[track_caller]
fn check_record(id: &str, exit: Exit, expected: &str) {
    let told = run_log(id, log().as_bytes()).unwrap();
    assert_eq!((told.0, told.1.as_str()), (exit, expected));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(log().as_bytes()).unwrap();
    assert_eq!(run_log(id, &gzip.finish().unwrap()).unwrap(), told);
}

#[test]
fn decisions_are_told_from_the_log() {
    check_record(
        "aaaa",
        Exit::Done,
        "\
decision  aaaa0000000000000000000000000001 at 2026-11-22T09:45:01Z
answered  200
account   a1; holds admin customer; active customer
WARNING   the folder holds another policy than the one that decided:
          other
          the outcome is the same under both

ALLOWED   own: only what belongs to the caller
request   GET /api/me
route     me: GET /api/me (routes.toml:20)
needs     accounts.read, a token
caller    admin, customer; from 203.0.113.9; second factor 5m old
active    customer
inactive  admin needs network admins (routes.toml:8)
rule      p, customer, accounts, read, own, allow (policy.csv:5)
bundle    HASH
",
    );
    check_record("aaab", Exit::No, "\
decision  aaab0000000000000000000000000002 at 2026-11-22T09:45:01Z
answered  403 permission_denied
refused   by the guard authorize: roles, their conditions and rules
meaning   the roles do not allow it; see below
account   a1; holds staff; active staff
WARNING   the folder holds another policy than the one that decided:
          other
          it is refused under both

DENIED    role: the caller's roles do not allow it
request   DELETE /api/products/7
route     delete-product: DELETE /api/products/{id} (routes.toml:23)
needs     products.delete, a token, a second factor at most 5m old
caller    staff; from 203.0.113.9; second factor 1m old
active    staff
missing   the role super-admin, which needs network admins and a second factor at most 12h old (routes.toml:9)
nearest   p, super-admin, products, delete, any, allow (policy.csv:10)
bundle    HASH
");
}

#[test]
fn decisions_of_other_guards_and_of_other_policies_are_told_as_such() {
    check_record(
        IDS[2],
        Exit::No,
        "\
decision  aaac0000000000000000000000000003 at 2026-11-22T09:45:01Z
answered  403 permission_denied
refused   by the guard authorize: roles, their conditions and rules
meaning   the roles do not allow it; see below
NOTE      the record does not tell the token's roles; ask with --as instead
request   DELETE /api/products/7
client    203.0.113.9
bundle    other
WARNING   the folder holds another policy than this one:
          HASH
",
    );
    check_record(
        "aaad",
        Exit::No,
        "\
decision  aaad0000000000000000000000000004 at 2026-11-22T09:45:01Z
answered  429 rate_limited
refused   by the guard principal_limit: limits by principal
meaning   a limit of the route is used up; wait, or raise the limit in [limits]
limits    writes: 30 per 1h (routes.toml:16)
account   a1; holds staff; active none
request   POST /api/orders/7/cancel
client    203.0.113.9
bundle    other
WARNING   the folder holds another policy than this one:
          HASH
",
    );
    check_record(
        "aaae",
        Exit::No,
        "\
decision  aaae0000000000000000000000000005 at 2026-11-22T09:45:01Z
answered  400 malformed_head
refused   by the guard hygiene: how the request is written
meaning   the head can be read in two ways; mend the client
request   - -
client    unknown
bundle    -
",
    );
    check_record(
        "aaaf",
        Exit::Done,
        "\
decision  aaaf0000000000000000000000000006 at 2026-11-22T09:45:01Z
answered  200
account   a1; holds customer; active customer
WARNING   the folder holds another policy than the one that decided:
          other
WARNING   the outcome DIFFERS: it was any; here it is own

ALLOWED   own: only what belongs to the caller
request   GET /api/orders
route     orders: GET /api/orders (routes.toml:24)
needs     orders.read, a token
caller    customer; from 203.0.113.9; no second factor
active    customer
rule      p, customer, orders, read, own, allow (policy.csv:3)
bundle    HASH
",
    );
}

#[test]
fn a_decision_that_is_not_one_is_said_to() {
    let error = |id: &str| format!("{:#}", run_log(id, log().as_bytes()).unwrap_err());
    assert!(error("bbbb").contains("no decision begins with `bbbb`"));
    let twice = [record(IDS[0], ADMITTED), record("aaaa1", DENIED)].concat();
    let several = format!("{:#}", run_log("aaaa", twice.as_bytes()).unwrap_err());
    assert!(several.ends_with(&format!("begin with `aaaa`: {}, aaaa1", IDS[0])), "{several}");
    assert!(error("xyz").contains("neither a request"));
    let missing = run_line(&["aaaa", "--log", "/nonexistent/log"]).unwrap_err();
    assert!(format!("{missing:#}").starts_with("`/nonexistent/log` could not be read"));
}

#[test]
fn a_question_that_says_too_little_is_refused() {
    for (words, expected) in [
        (vec!["GET /api/me"], "say who asks"),
        (vec!["GET /api/me", "--as", "staff", "--anonymous"], "cannot be used with"),
        (vec!["GET /api/me", "--as", "stuff"], "the role `stuff` is not known; there are"),
        (vec!["GET api/me", "--anonymous"], "is no request"),
        (vec!["GET /api/me?x=1", "--anonymous"], "is no request"),
        (
            vec!["GET /api/me", "--as", "staff", "--from", "here"],
            "invalid value 'here' for '--from",
        ),
        (vec!["GET /api/me", "--as", "staff", "--mfa", "soon"], "`soon` is not a time such as 90s"),
        (vec!["aaaa", "--as", "staff"], "a decision says by itself who asked"),
    ] {
        let error = format!("{:#}", run_line(&words).unwrap_err());
        assert!(error.contains(expected), "{words:?}: {error}");
    }
}

#[test]
fn programs_are_told_the_same() {
    let (exit, out) = run_line(&["GET /api/orders", "--as", "staff", "--format", "json"]).unwrap();
    assert_eq!(exit, Exit::Done);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["explanation"]["outcome"], "any");
    assert_eq!(report["explanation"]["rules"][0]["at"]["line"], 6);
    assert!(report["record"].is_null());
}

/// The lists are the edge's; this program may be built without the edge.
#[test]
fn every_code_and_guard_of_the_edge_is_told() {
    let edge = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxy/src/rejection.rs");
    let text = fs::read_to_string(edge).unwrap();
    let (_, list) = text.split_once("\nreasons! {\n").unwrap();
    let (list, _) = list.split_once("\n}\n").unwrap();
    // `Banned "banned" 403 "This address is banned"`
    let codes = list.lines().filter(|line| !line.trim_start().starts_with('"'));
    let codes: Vec<_> = codes.map(|line| line.split('"').nth(1).unwrap()).collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        assert!(codes::meaning(code).is_some(), "{code}");
    }
    let steps =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxy/src/journey.rs"));
    let steps = steps.unwrap();
    let steps = steps.lines().filter_map(|line| line.trim().strip_prefix("Self::"));
    let steps: Vec<_> = steps.filter_map(|line| line.split_once(" => \"")).collect();
    assert!(steps.len() > 5, "{steps:?}");
    for (_, step) in steps {
        let step = step.trim_end_matches("\",");
        assert!(!codes::guard(step).is_empty(), "{step}");
    }
}
