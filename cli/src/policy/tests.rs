//! Promises of `stockade policy`: what it prints and how it ends.

use std::fs;

use clap::Parser as _;

use super::*;

/// As much of the command line as these tests need.
#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    policy: PolicyArgs,
}

/// Runs `stockade policy VERB` over a copy of the shipped policy with some files edited.
fn run_edited(verb: &[&str], edits: &[(&str, &str, &str)]) -> (Exit, String) {
    let shipped = shipped();
    let folder = tempfile::tempdir().unwrap();
    for part in ["", "cases", "golden"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
        for entry in fs::read_dir(shipped.join(part)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), folder.path().join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    for (file, from, to) in edits {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} lacks {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
    run_in(folder.path(), verb)
}

fn run_in(folder: &Path, verb: &[&str]) -> (Exit, String) {
    let folder = folder.display().to_string();
    let flag = (verb.first() == Some(&"who-can")).then_some("--policies");
    let words = ["policy"].into_iter().chain(verb.iter().copied()).chain(flag);
    let words = words.chain([folder.as_str()]);
    let line = Line::try_parse_from(words).unwrap();
    let mut out = Vec::new();
    let exit = run(&line.policy, &mut Screen::plain(&mut out)).unwrap();
    (exit, String::from_utf8(out).unwrap())
}

/// The policies the repository ships.
fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

/// The line of a shipped file that begins with these words, blanks aside.
pub(super) fn line_of(file: &str, words: &str) -> usize {
    let text = fs::read_to_string(shipped().join(file)).unwrap();
    let begins = |line: &str| line.replace(' ', "").starts_with(words);
    text.lines().position(begins).unwrap() + 1
}

#[test]
fn the_shipped_policy_is_fit_to_serve() {
    let (exit, out) = run_edited(&["check"], &[]);
    assert_eq!(exit, Exit::Done);
    assert!(out.starts_with("ok: 5 roles, ") && out.contains(" routes\nproven: "), "{out}");
    assert!(out.lines().last().is_some_and(|line| line.starts_with("bundle: ")), "{out}");
    assert_eq!(run_edited(&["check", "--strict"], &[]).0, Exit::Done);
    assert_eq!(run_edited(&["test"], &[]).0, Exit::Done);
    assert_eq!(run_edited(&["matrix", "--check"], &[]).0, Exit::Done);
}

#[test]
fn a_mistake_ends_with_two_and_says_where() {
    let typo = ("policy.csv", "orders,      create", "order,       create");
    let (exit, out) = run_edited(&["check"], &[typo]);
    assert_eq!(exit, Exit::No);
    assert!(out.contains("[P041] the resource `order` is not declared; did you mean `orders`?"));
    assert!(out.ends_with("1 finding: the policy is refused\n"), "{out}");
}

#[test]
fn a_warning_refuses_nothing_unless_asked_to() {
    let spare = (
        "policy.csv",
        "p,   staff,",
        "p,   staff,       products,   read,     any,    allow\np,   staff,",
    );
    let (exit, out) = run_edited(&["check"], &[spare]);
    assert_eq!(exit, Exit::Done);
    let wider = line_of("policy.csv", "p,anonymous,products,read");
    let says = format!("[W101] line {wider} says all that this rule says");
    assert!(out.contains(&says), "{out}");
    assert!(out.ends_with("\n1 warning\n"), "{out}");
    assert_eq!(run_edited(&["check", "--strict"], &[spare]), (Exit::No, out));

    let (_, out) = run_edited(&["check", "--format", "json"], &[spare]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["warnings"][0]["code"], "W101");
    assert_eq!(report["warnings"][0]["severity"], "warning");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0));

    let tried = ("routes.toml", "per = \"15m\" }", "per = \"15m\", mode = \"shadow\" }");
    let (exit, out) = run_edited(&["check", "--strict"], &[tried]);
    assert_eq!(exit, Exit::Done);
    assert!(
        out.ends_with("\n1 note\n") && out.contains("the limit `general` is only tried"),
        "{out}"
    );
}

#[test]
fn json_says_the_same_to_programs() {
    let typo = ("policy.csv", "own,    allow", "own,    Deny");
    let (exit, out) = run_edited(&["check", "--format", "json"], &[typo]);
    assert_eq!(exit, Exit::No);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["findings"][0]["code"], "P044");
    assert_eq!(report["findings"][0]["fix"], "write `deny` in lower case");
    assert!(report["hash"].is_null());

    let (_, out) = run_edited(&["check", "--format", "json"], &[]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["hash"].as_str().map(str::len), Some(64));
}

#[test]
fn a_changed_rule_breaks_its_cases_and_shows_in_the_matrix() {
    let widened = ("policy.csv", "create,   own,    allow", "create,   any,    allow");
    let (exit, out) = run_edited(&["test"], &[widened]);
    assert_eq!(exit, Exit::No);
    assert!(out.contains("a customer may order for themselves: expected own, got any"), "{out}");

    let (exit, out) = run_edited(&["matrix", "--check"], &[widened]);
    assert_eq!(exit, Exit::No);
    let changed = out.lines().filter(|line| line.starts_with(['-', '+'])).count();
    assert_eq!(changed, 2, "{out}");
}

#[test]
fn coverage_names_what_no_case_would_notice() {
    assert_eq!(run_edited(&["coverage", "--min", "100"], &[]).0, Exit::Done);
    let fewer = ("cases/accounts.yaml", "staff: own, admin: any", "admin: any");
    let alone = ("cases/accounts.yaml", "{customer: own, staff: own}", "{customer: own}");
    let (exit, out) = run_edited(&["coverage"], &[fewer, alone]);
    assert_eq!(exit, Exit::Done);
    assert!(out.contains(": no case tries the route `me` as `staff`\n"), "{out}");
    assert!(out.contains(": no case tries the permission `accounts.read` as `staff`\n"), "{out}");
    assert!(out.ends_with("\ncoverage: 99 %\n"), "{out}");
    assert_eq!(run_edited(&["coverage", "--min", "100"], &[fewer, alone]).0, Exit::No);

    let (_, out) = run_edited(&["coverage", "--format", "json"], &[fewer, alone]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let count = |kind: &str, of: &str| report[kind][of].as_u64().unwrap();
    assert_eq!(report["percent"], 99);
    assert_eq!(count("routes", "covered") + 1, count("routes", "total"));
    assert_eq!(count("rules", "covered"), count("rules", "total"));
    assert_eq!(report["routes"]["missing"][0]["what"], "`me` as `staff`");
}

#[test]
fn who_can_names_roles_conditions_and_lines() {
    let (exit, out) = run_edited(&["who-can", "GET /api/orders/42"], &[]);
    assert_eq!(exit, Exit::Done);
    let rule = |role: &str| line_of("policy.csv", &format!("p,{role},orders,read"));
    let condition = |role: &str| line_of("routes.toml", &format!("{role}={{"));
    let (own, any) = (rule("customer"), rule("staff"));
    let (staff, admin) = (condition("staff"), condition("admin"));
    for line in [
        format!("customer: own\n  policy.csv:{own} allows own\n"),
        format!(
            "staff: any with mfa = \"12h\" (routes.toml:{staff})\n  policy.csv:{any} allows any\n  \
             policy.csv:{own} allows own, through customer (roles.csv:9)\n"
        ),
        format!(
            "admin: any with network = \"admins\" (routes.toml:{admin}) and mfa = \"12h\" \
             (routes.toml:{admin})\n  policy.csv:{any} allows any, through staff (roles.csv:8)\n"
        ),
    ] {
        assert!(out.contains(&line), "{line}: {out}");
    }
    assert!(!out.contains("together"), "{out}");
    let (_, out) = run_edited(&["who-can", "POST /api/auth/token"], &[]);
    assert!(out.contains("everybody is anonymous\n"), "{out}");
    for nobody in ["GET /api/secrets", "PUT /api/orders"] {
        assert_eq!(run_edited(&["who-can", nobody], &[]).0, Exit::No);
    }

    let barred = "p,   barred,      orders,      create,   any,    deny\np,   staff,       orders,      read,";
    let deny = ("policy.csv", "p,   staff,       orders,      read,", barred);
    let role = ("roles.csv", "g,   super-admin", "g,   barred,      anonymous\ng,   super-admin");
    let (_, out) = run_edited(&["who-can", "orders.create"], &[deny, role]);
    let together = format!("customer and barred together: nothing, by policy.csv:{any}\n");
    assert!(out.contains(&together), "{out}");
    let json = run_edited(&["who-can", "orders.create", "--format", "json"], &[deny, role]).1;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["allowed"][1]["role"], "staff");
    assert_eq!(report["allowed"][1]["allows"][0]["through"][0]["line"], 10);
    assert_eq!(report["together"][0]["roles"][1], "barred");
    assert!(report["together"][0]["scope"].is_null());

    let overridden = (
        "policy.csv",
        "p,   staff,       orders,      read,",
        "p,   anonymous,   orders,      create,   any,    deny\np,   staff,       orders,      read,",
    );
    let (exit, out) = run_edited(&["who-can", "orders.create"], &[overridden]);
    assert_eq!((exit, out.ends_with("nobody\n")), (Exit::No, true), "{out}");
}

#[test]
fn without_a_policy_there_is_no_answer() {
    let missing = Path::new("/nonexistent/policies");
    let line = Line::try_parse_from(["policy", "check", &missing.display().to_string()]).unwrap();
    assert!(run(&line.policy, &mut Screen::plain(&mut Vec::new())).is_err());
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");
    let typo =
        Line::try_parse_from(["policy", "who-can", "orders.reed", "--policies", shipped]).unwrap();
    let error = run(&typo.policy, &mut Screen::plain(&mut Vec::new())).unwrap_err().to_string();
    assert!(error.ends_with("did you mean `orders.read`?"), "{error}");

    let empty = tempfile::tempdir().unwrap();
    let (exit, out) = run_in(empty.path(), &["check"]);
    assert_eq!(exit, Exit::No);
    assert_eq!(out.matches("[P001]").count(), 4, "{out}");
    let broken = ("roles.csv", "g,   admin", "x,   admin");
    assert_eq!(run_edited(&["test"], &[broken]).0, Exit::Failed);
    assert_eq!(run_edited(&["matrix"], &[broken]).0, Exit::Failed);
    assert_eq!(run_edited(&["coverage"], &[broken]).0, Exit::Failed);
}

#[test]
fn the_routes_are_compared_with_what_the_upstream_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openapi.json");
    let document =
        r#"{"paths": {"/api/orders": {"get": {"x-stockade-permission": "orders.create"}}}}"#;
    fs::write(&path, document).unwrap();
    let (exit, out) = run_edited(&["check", "--openapi", path.to_str().unwrap()], &[]);
    assert_eq!(exit, Exit::No);
    let differs = "[P103] `orders` needs `orders.read`, and `GET /api/orders` demands";
    assert!(out.contains(differs) && out.contains("[P102]"), "{out}");
    assert!(out.ends_with("the policy and the upstream do not agree\n"), "{out}");
}
