//! Promises of the proof: asking by permission is as good as asking with all rules at once.

use super::*;
use crate::model::MODEL;
use crate::routes_file::RoutesFile;
use crate::rules::{self, Known};
use crate::source::Source;

const ROLES: &str = "g, admin, customer\ng, customer, anonymous\n";

const POLICY: &str = "\
p, anonymous, carts,  read,  any,    allow
p, customer,  orders, read,  own,    allow
p, customer,  carts,  write, own,    allow
p, customer,  carts,  write, others, deny
p, admin,     orders, read,  any,    allow
p, admin,     orders, write, any,    allow
p, admin,     carts,  read,  own,    deny
";

const ROUTES: &str = r#"
[resources]
orders = { owned = true, actions = ["read", "write", "cancel"] }
carts = { owned = true, actions = ["read", "write"] }
[routes]
"#;

#[test]
fn the_model_keeps_rules_of_other_permissions_out() {
    assert!(MODEL.contains("\nm = r.obj == p.obj && r.act == p.act && "));
}

#[test]
fn one_enforcer_with_all_rules_gives_the_same_answers() {
    let mut findings = Findings::default();
    let mut read =
        |file, text: &'static str| Source::read(file, text.as_bytes(), &mut findings).unwrap();
    let sources =
        (read("roles.csv", ROLES), read("policy.csv", POLICY), read("routes.toml", ROUTES));
    let roles = Roles::read(&sources.0, &[], &mut findings).unwrap();
    let resources = RoutesFile::read(&sources.2, &mut findings).unwrap().resources;
    let known = Known { roles: Some(&roles), resources: Some(&resources) };
    let rules = rules::read(&sources.1, known, &mut findings);
    let table = DecisionTable::compile(&roles, resources.count(), &rules);
    let claim = Claim { roles: &roles, resources: &resources, rules: &rules, table: &table };

    let all = rules.iter().map(|rule| claim.row(rule)).collect();
    let enforcer = block_on(claim.enforcer(MODEL, all)).unwrap();
    let asked = resources.ids().map(|id| claim.ask_permission(&enforcer, id, &mut findings));
    let cells: usize = asked.map(Result::unwrap).sum();

    assert_eq!(claim.prove(MODEL, &mut || (), &mut findings), Some(Proof { cells }));
    assert_eq!((cells, findings.into_sorted()), (3 * 5 * 2, vec![]));
}
