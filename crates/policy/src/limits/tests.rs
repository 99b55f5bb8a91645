//! Promises of limits.

use super::*;
use crate::finding::Findings;
use crate::routes_file::RoutesFile;
use crate::source::Source;

/// Two limits on line 5 and 6; the route on line 8 counts towards `LIMITS`.
fn text(limits: &str, auth: &str) -> String {
    format!(
        r#"
[resources]
orders = {{ actions = ["read"] }}
[limits]
general = {{ key = "address", quota = 1000, per = "15m" }}
writes = {{ key = "principal", quota = 0x10, per = "90s", count = "failures" }}
[routes]
orders = {{ match = "GET /orders", needs = "orders.read", auth = "{auth}", limits = {limits} }}
"#
    )
}

fn read(text: &str) -> (Limits, Vec<LimitId>, Vec<(Code, u32)>) {
    let mut findings = Findings::default();
    let source = Source::read("routes.toml", text.as_bytes(), &mut findings).unwrap();
    let file = RoutesFile::read(&source, &mut findings).unwrap();
    let found = findings.into_sorted();
    let found = found.iter().map(|finding| (finding.code, finding.line)).collect();
    let route = file.routes.first().map(|(route, _)| route.limits.to_vec());
    (file.limits, route.unwrap_or_default(), found)
}

#[test]
fn limits_say_what_is_counted_and_how_far() {
    let (limits, route, found) = read(&text("[\"writes\", \"general\"]", "required"));
    assert_eq!(found, []);
    let facts = |limit: &Limit| {
        let name = limit.name.to_string();
        (name, limit.key, limit.quota.get(), limit.window_secs.get(), limit.count)
    };
    assert_eq!(
        limits.iter().map(facts).collect::<Vec<_>>(),
        [
            ("general".to_owned(), LimitKey::Address, 1000, 900, LimitCount::All),
            ("writes".to_owned(), LimitKey::Principal, 16, 90, LimitCount::Failures),
        ]
    );
    let names: Vec<_> = route.iter().map(|id| limits.get(*id).unwrap().name.as_str()).collect();
    assert_eq!(names, ["writes", "general"]);
    assert_eq!(limits.find("writes").map(|limit| limit.index), Some(LimitId(1)));
    assert_eq!((limits.len(), limits.is_empty()), (2, false));
    assert!(limits.find("others").is_none() && limits.get(LimitId(2)).is_none());
}

#[test]
fn a_route_names_up_to_four_limits_each_once() {
    for (limits, found) in [
        ("[]", &[][..]),
        ("\"general\"", &[(Code::WrongKind, 8)]),
        ("[\"generl\"]", &[(Code::UnknownLimit, 8)]),
        ("[\"general\", \"general\"]", &[(Code::Duplicate, 8)]),
    ] {
        assert_eq!(read(&text(limits, "required")).2, found, "{limits}");
    }
    for (count, found) in [(4, &[][..]), (5, &[(Code::TooMany, 3 + 8)])] {
        let more = "a = { key = \"address\", quota = 1, per = \"1s\" }\nb = { key = \"address\", \
                    quota = 1, per = \"1s\" }\nc = { key = \"address\", quota = 1, per = \"1s\" }\n";
        let names = ["general", "writes", "a", "b", "c"];
        let text = text(&format!("{:?}", &names[..count]), "optional");
        let text = text.replace("[routes]", &format!("{more}[routes]"));
        assert_eq!(read(&text).2, found, "{count}");
    }
}

#[test]
fn a_principal_is_only_known_where_a_token_is_read() {
    for (auth, found) in [
        ("none", &[(Code::LimitWithoutPrincipal, 8)][..]),
        ("signature", &[(Code::LimitWithoutPrincipal, 8)]),
        ("optional", &[]),
        ("required", &[]),
        ("nobody", &[(Code::UnknownAuth, 8)]),
    ] {
        assert_eq!(read(&text("[\"writes\"]", auth)).2, found, "{auth}");
    }
    for auth in ["none", "signature"] {
        assert_eq!(read(&text("[\"general\"]", auth)).2, [], "{auth}");
    }
}

#[test]
fn every_value_is_bounded() {
    let edits: &[(&str, &str, &[Code])] = &[
        ("1000", "1", &[]),
        ("1000", "1_000_000", &[]),
        ("1000", "0", &[Code::BadQuota]),
        ("1000", "-1", &[Code::BadQuota]),
        ("1000", "1_000_001", &[Code::BadQuota]),
        ("1000", &"9".repeat(60), &[Code::BadQuota]),
        ("1000", "1e3", &[Code::WrongKind]),
        ("1000", "\"1000\"", &[Code::WrongKind]),
        ("15m", "24h", &[]),
        ("15m", "1s", &[]),
        ("15m", "25h", &[Code::BadDuration]),
        ("15m", "0s", &[Code::BadDuration]),
        ("15m", "99999999999999999d", &[Code::BadDuration]),
        ("\"15m\"", "900", &[Code::WrongKind]),
        ("\"address\"", "\"adress\"", &[Code::UnknownLimitWord]),
        ("\"failures\"", "\"failure\"", &[Code::UnknownLimitWord]),
        ("key = \"address\", ", "", &[Code::MissingKey]),
        (", quota = 1000", "", &[Code::MissingKey]),
        (", per = \"15m\"", "", &[Code::MissingKey]),
        ("per = \"15m\"", "per = \"15m\", mode = \"try\"", &[Code::UnknownMode]),
        ("per = \"15m\"", "per = \"15m\", burst = 1", &[Code::UnknownKey]),
        ("general =", "General =", &[Code::BadName, Code::UnknownLimit]),
    ];
    for (from, to, expected) in edits {
        let text = text("[\"general\", \"writes\"]", "required").replacen(from, to, 1);
        let codes: Vec<_> = read(&text).2.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, *expected, "{from} -> {to}");
    }
}

#[test]
fn a_bundle_holds_256_limits() {
    let line = |n: u32| format!("l{n} = {{ key = \"address\", quota = 1, per = \"1s\" }}\n");
    for (count, found) in [(254, &[][..]), (255, &[(Code::TooMany, 261)])] {
        let more: String = (0..count).map(line).collect();
        let text = text("[]", "none").replace("[routes]", &format!("{more}[routes]"));
        assert_eq!(read(&text).2, found, "{count}");
    }
}
