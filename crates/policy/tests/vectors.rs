//! Addresses in and outside of networks, and Casbin's own tables, against the policy engine.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests and their helpers")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use serde_json::Value;
use stockade_policy::{Bundle, BundleFiles, Circumstances, Code, Finding, RUNTIME_FILES};
use stockade_test_support::vectors::{VectorSet, read};

/// The smallest policy there is, to which each test adds.
const ROLES: &str = "g, somebody, anonymous\n";
const POLICY: &str = "p, somebody, something, do, any, allow\n";
const RESOURCES: &str = "[resources]\nsomething = { actions = [\"do\"] }\n";
const ROUTES: &str =
    "[routes]\nsomething = { match = \"GET /\", needs = \"something.do\", auth = \"none\" }\n";

fn load(model: &str, roles: &str, policy: &str, routes: &str) -> Result<Bundle, Vec<Finding>> {
    let texts = [model, roles, policy, routes].map(|text| text.as_bytes().to_vec());
    let names = RUNTIME_FILES.map(str::to_owned);
    Bundle::load(&BundleFiles::new(names.into_iter().zip(texts).collect()))
}

fn our_model() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    fs::read_to_string(folder.join("model.conf")).unwrap()
}

/// A bundle with these ranges as the networks `n0`, `n1` and so on.
fn with_networks(ranges: &[&str]) -> Result<Bundle, Vec<Finding>> {
    let mut networks = "[networks]\n".to_owned();
    for (number, range) in ranges.iter().enumerate() {
        writeln!(networks, "n{number} = [{}]", Value::from(*range)).unwrap();
    }
    load(&our_model(), ROLES, POLICY, &format!("{RESOURCES}{networks}{ROUTES}"))
}

fn text<'v>(case: &'v Value, name: &str) -> &'v str {
    case[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {case}"))
}

#[test]
fn an_address_is_in_a_network_or_not() {
    let (mut set, vectors) = (VectorSet::new("ip_cidr"), read("ip_cidr.json"));
    let cases = vectors["cases"].as_array().unwrap();
    let ranges: BTreeSet<&str> = cases.iter().map(|case| text(case, "cidr")).collect();
    let ranges: Vec<_> = ranges.into_iter().collect();
    let bundle = with_networks(&ranges).unwrap();
    for case in cases {
        let (ip, range) = (text(case, "ip"), text(case, "cidr"));
        let number = ranges.iter().position(|known| *known == range).unwrap();
        let network = bundle.networks().find(&format!("n{number}")).unwrap();
        let holds = bundle.networks().holds(network, Some(ip.parse().unwrap()));
        let verdict = if holds == case["expect"] { Ok(()) } else { Err(format!("{holds}")) };
        set.note(&format!("{ip} in {range}"), verdict);
    }
    set.finish();
}

#[test]
fn what_is_no_address_and_no_range_is_refused() {
    let (mut set, vectors) = (VectorSet::new("ip_invalid"), read("ip_invalid.json"));
    for case in vectors.as_array().unwrap() {
        assert_eq!(case["expect"], "reject");
        let input = text(case, "input");
        let range = match text(case, "kind") {
            "cidr" => input.to_owned(),
            // No address, and no address of a range.
            _ => format!("{input}/8"),
        };
        let refused = with_networks(&[&range])
            .is_err_and(|findings| findings.iter().any(|finding| finding.code == Code::BadNetwork));
        let refused = refused && input.parse::<IpAddr>().is_err();
        let verdict = if refused { Ok(()) } else { Err("accepted".to_owned()) };
        set.note(&format!("{} {input:?}", text(case, "kind")), verdict);
    }
    set.finish();
}

/// Casbin's models are refused as they are. Where one says what a policy of ours can say, the
/// table is decided by such a policy, too.
#[test]
fn casbin_tables_are_decided_alike_or_refused() {
    let (mut set, vectors) = (VectorSet::new("casbin_tables"), read("casbin_tables.json"));
    let (mut decided, mut refused) = (0, 0);
    for (number, case) in vectors["cases"].as_array().unwrap().iter().enumerate() {
        let file = |kind: &str| case[kind].as_str().map(|path| text(&vectors["files"], path));
        let model = file("model").unwrap();
        let verdict = is_refused(model).and_then(|()| {
            if !is_plain(model) {
                refused += 1;
                return Ok(());
            }
            decided += 1;
            decide(file("policy").unwrap_or_default(), &case["request"], &case["expect"])
        });
        set.note(&format!("{number} {} {}", text(case, "test"), case["request"]), verdict);
    }
    println!("casbin_tables: {decided} translated and decided, {refused} refused, 0 skipped");
    set.finish();
}

fn is_refused(model: &str) -> Result<(), String> {
    match load(model, ROLES, POLICY, &format!("{RESOURCES}{ROUTES}")) {
        Err(findings) if findings.iter().any(|finding| finding.code == Code::ModelDiffers) => {
            Ok(())
        }
        other => Err(format!("the model was not refused: {other:?}")),
    }
}

/// Whether a model compares subject, object and action, maybe with roles and effects, and no more.
fn is_plain(model: &str) -> bool {
    let lines = model.replace("\\\n", "");
    let lines = lines.lines().map(|line| line.split(['#', ';']).next().unwrap_or_default());
    let lines = lines.map(|line| line.replace(' ', ""));
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('['));
    lines.all(|line| {
        matches!(
            line.as_str(),
            "r=sub,obj,act"
                | "p=sub,obj,act"
                | "p=sub,obj,act,eft"
                | "g=_,_"
                | "e=some(where(p.eft==allow))"
                | "e=some(where(p.eft==allow))&&!some(where(p.eft==deny))"
                | "m=r.sub==p.sub&&r.obj==p.obj&&r.act==p.act"
                | "m=g(r.sub,p.sub)&&r.obj==p.obj&&r.act==p.act"
        )
    })
}

fn decide(table: &str, request: &Value, expect: &Value) -> Result<(), String> {
    let request: Vec<_> = request.as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    let [subject, object, action] = request[..] else { panic!("{request:?}") };
    let files = Translation::of(table, [subject, object, action]);
    let bundle = load(&our_model(), &files.roles, &files.policy, &files.routes)
        .map_err(|findings| format!("{findings:?}"))?;
    let permission = bundle.permission(&format!("{object}.{action}")).unwrap();
    let roles = bundle.activate([subject], &Circumstances::default()).roles;
    let allowed = bundle.decide(roles, permission).is_some();
    if allowed == *expect { Ok(()) } else { Err(format!("allowed: {allowed}")) }
}

/// A table as files of ours: whoever is named becomes a role, and whatever is, a resource.
struct Translation {
    roles: String,
    policy: String,
    routes: String,
}

impl Translation {
    fn of(table: &str, [subject, object, action]: [&str; 3]) -> Self {
        let (mut roles, mut policy) = (ROLES.to_owned(), POLICY.to_owned());
        let mut subjects = BTreeSet::from([subject]);
        let mut actions = BTreeMap::from([(object, BTreeSet::from([action]))]);
        for line in table.lines() {
            let fields: Vec<_> = line.split(',').map(str::trim).collect();
            match fields[..] {
                ["p", sub, obj, act, ref effect @ ..] => {
                    let effect = effect.first().unwrap_or(&"allow");
                    writeln!(policy, "p, {sub}, {obj}, {act}, any, {effect}").unwrap();
                    subjects.insert(sub);
                    actions.entry(obj).or_default().insert(act);
                }
                ["g", senior, junior] => {
                    writeln!(roles, "g, {senior}, {junior}").unwrap();
                    subjects.extend([senior, junior]);
                }
                _ => assert_eq!(line.trim(), ""),
            }
        }
        // Every role of ours has a place among the others; anonymous has no rights here.
        subjects.iter().for_each(|sub| writeln!(roles, "g, {sub}, anonymous").unwrap());
        let mut routes = RESOURCES.to_owned();
        for (object, actions) in actions {
            writeln!(routes, "{object} = {{ actions = {} }}", Value::from_iter(actions)).unwrap();
        }
        routes.push_str(ROUTES);
        Self { roles, policy, routes }
    }
}
