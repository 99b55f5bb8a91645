//! Promises of the role hierarchy.

use super::*;

fn read(text: &str) -> Result<Roles, Vec<(Code, u32)>> {
    let mut findings = Findings::default();
    let source = Source::read("roles.csv", text.as_bytes(), &mut findings).unwrap();
    let roles = Roles::read(&source, &[], &mut findings);
    let found = findings.into_sorted();
    roles.ok_or_else(|| found.iter().map(|finding| (finding.code, finding.line)).collect())
}

/// A chain of `count` roles above one another, the lowest being `anonymous`.
fn chain(count: usize) -> String {
    let name = |n: usize| if n == 0 { ANONYMOUS.to_owned() } else { format!("r{n}") };
    (1..count).map(|n| format!("g, {}, {}\n", name(n), name(n - 1))).collect()
}

#[test]
fn juniors_come_first_and_seniors_reach_down() {
    let roles = read("g, admin, staff\ng, staff, anonymous\ng, auditor, anonymous\n").unwrap();
    let names: Vec<_> = roles.ids().map(|role| roles.name(role)).collect();
    assert_eq!(names, ["anonymous", "staff", "auditor", "admin"]);
    let admin = roles.reach(roles.find("admin").unwrap());
    let reached: Vec<_> = admin.iter().map(|role| roles.name(role)).collect();
    assert_eq!(reached, ["anonymous", "staff", "admin"]);
}

#[test]
fn a_circle_is_noted_once_at_its_first_row() {
    let text = "g, top, a\ng, a, b\ng, b, anonymous\ng, b, a\ng, x, x\n";
    assert_eq!(read(text).unwrap_err(), [(Code::Cycle, 2), (Code::Cycle, 5)]);
}

#[test]
fn a_chain_may_hold_ten_roles() {
    assert!(read(&chain(CHAIN_ROLES_MAX)).is_ok());
    let rows = u32::try_from(CHAIN_ROLES_MAX).unwrap();
    assert_eq!(read(&chain(CHAIN_ROLES_MAX + 1)).unwrap_err(), [(Code::TooDeep, rows)]);
}

#[test]
fn rows_of_seniors_may_precede_those_of_their_juniors() {
    let reversed: Vec<_> = chain(9).lines().rev().map(|line| format!("{line}\n")).collect();
    assert_eq!(read(&reversed.concat()).unwrap().count(), 9);
}

#[test]
fn a_bundle_holds_sixty_four_roles() {
    let rows =
        |count: usize| -> String { (1..count).map(|n| format!("g, r{n}, anonymous\n")).collect() };
    assert_eq!(read(&rows(64)).unwrap().count(), 64);
    assert_eq!(read(&rows(65)).unwrap_err(), [(Code::TooMany, 64)]);
}

#[test]
fn repeated_rows_bad_names_and_no_anonymous_are_refused() {
    assert_eq!(
        read("g, a, b\ng, a, b\ng, A, b\n").unwrap_err(),
        [(Code::NoAnonymous, 1), (Code::Duplicate, 2), (Code::BadName, 3)]
    );
}
