//! What holds for the members of the workspace: who may use whom, who holds which heavy library,
//! and that the map names them all.

use std::fs;
use std::path::Path;

use super::findings::Findings;
use super::{Check, Scene};
use crate::workspace::{Dependency, Member, Purpose};

const MEMBERS_MAX: usize = 13;
const MAP: &str = "ARCHITECTURE.md";

/// Our packages are this and the name of their folder.
const PACKAGE_PREFIX: &str = "stockade-";

/// Which members a member may use.
#[derive(Debug, Clone, Copy)]
enum Uses {
    Only(&'static [&'static str]),
    /// All but those that exist for tests.
    Product,
    Anything,
}

#[rustfmt::skip]
const EDGES: &[(&str, Uses)] = &[
    ("contract",     Uses::Only(&[])),
    ("settings",     Uses::Only(&[])),
    ("telemetry",    Uses::Only(&[])),
    ("images",       Uses::Only(&[])),
    ("policy",       Uses::Only(&[])),
    ("audit",        Uses::Only(&[])),
    ("proxy",        Uses::Only(&["contract", "policy", "audit", "settings", "telemetry"])),
    ("core-api",     Uses::Only(&["contract", "audit", "images", "settings", "telemetry"])),
    ("cli",          Uses::Product),
    ("test-support", Uses::Anything),
    ("e2e",          Uses::Anything),
    ("xtask",        Uses::Only(&[])),
    ("bench",        Uses::Anything),
];

/// Members that others may use in their tests, and nowhere else.
const TESTS_ONLY: &[&str] = &["test-support", "e2e", "xtask", "bench"];

/// A library that few may use, by the first letters of its packages.
#[derive(Debug)]
struct Confined {
    library: &'static str,
    /// Who may use it in the program and in tests.
    holders: &'static [&'static str],
    /// Who may use it in tests.
    testers: &'static [&'static str],
}

#[rustfmt::skip]
const CONFINED: &[Confined] = &[
    Confined { library: "pingora", holders: &["proxy", "bench"], testers: &["test-support", "e2e"] },
    Confined { library: "axum", holders: &["core-api"], testers: &[] },
    Confined { library: "sqlx", holders: &["core-api"], testers: &[] },
    Confined { library: "casbin", holders: &["policy", "bench"], testers: &[] },
    Confined { library: "image", holders: &["images"], testers: &["core-api"] },
    Confined { library: "jsonwebtoken", holders: &["proxy", "core-api", "test-support", "e2e", "bench"], testers: &[] },
];

pub(super) const CHECKS: &[Check] = &[
    |scene, findings| members_are_few(&scene.workspace.members, findings),
    |scene, findings| the_map_names_every_member(scene, findings),
    |scene, findings| each_member(&scene.workspace.members, findings),
];

/// A check of one member.
type MemberCheck = fn(&Member, &mut Findings);

const MEMBER_CHECKS: &[MemberCheck] = &[
    is_named_after_its_folder,
    inherits_the_lints,
    uses_only_what_it_may,
    leaves_heavy_libraries_to_their_holders,
];

fn each_member(members: &[Member], findings: &mut Findings) {
    for member in members {
        for check in MEMBER_CHECKS {
            check(member, findings);
        }
    }
}

fn members_are_few(members: &[Member], findings: &mut Findings) {
    let count = members.len();
    if count > MEMBERS_MAX {
        let message = format!("{count} members, {MEMBERS_MAX} at most; a module may be enough");
        findings.add("Cargo.toml", 1, message);
    }
}

fn the_map_names_every_member(scene: &Scene<'_>, findings: &mut Findings) {
    let map = read(&scene.workspace.root, MAP);
    compare_with_map(map.as_deref(), &scene.workspace.members, findings);
}

fn read(root: &Path, path: &str) -> Option<String> {
    fs::read_to_string(root.join(path)).ok()
}

fn compare_with_map(map: Option<&str>, members: &[Member], findings: &mut Findings) {
    let Some(map) = map else {
        return findings.add(MAP, 1, "the map is missing");
    };
    let is_path = |letter: char| letter.is_alphanumeric() || "-_/.".contains(letter);
    let paths: Vec<_> =
        map.split(|letter| !is_path(letter)).map(|path| path.trim_matches(['/', '.'])).collect();
    for member in members.iter().filter(|member| !paths.contains(&member.folder.as_str())) {
        findings.add(MAP, 1, format!("does not name the member `{}`", member.folder));
    }
}

fn is_named_after_its_folder(member: &Member, findings: &mut Findings) {
    let expected = format!("{PACKAGE_PREFIX}{}", member.name());
    if member.package != expected {
        let message = format!("package `{}` should be named `{expected}`", member.package);
        add(member, "name", message, findings);
    }
}

fn inherits_the_lints(member: &Member, findings: &mut Findings) {
    let mut lines = member.manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]");
    let inherits = lines.by_ref().skip(1).take_while(|line| !line.starts_with('['));
    if !inherits.into_iter().any(|line| line.replace(' ', "") == "workspace=true") {
        add(member, "[lints]", "does not inherit the workspace's lints".to_owned(), findings);
    }
}

fn uses_only_what_it_may(member: &Member, findings: &mut Findings) {
    let Some((_name, uses)) = EDGES.iter().find(|(name, _uses)| *name == member.name()) else {
        let message = format!("`{}` is not in the table of allowed edges", member.name());
        return add(member, "name", message, findings);
    };
    for dependency in &member.dependencies {
        let Some(used) = dependency.package.strip_prefix(PACKAGE_PREFIX) else { continue };
        if !uses.allows(used, dependency.purpose) {
            let message = format!("`{}` may not use `{used}` here", member.name());
            add(member, &dependency.package, message, findings);
        }
    }
}

impl Uses {
    fn allows(self, used: &str, purpose: Purpose) -> bool {
        if TESTS_ONLY.contains(&used) {
            return purpose == Purpose::Tests || matches!(self, Self::Anything);
        }
        match self {
            Self::Only(allowed) => allowed.contains(&used),
            Self::Product | Self::Anything => true,
        }
    }
}

fn leaves_heavy_libraries_to_their_holders(member: &Member, findings: &mut Findings) {
    for dependency in &member.dependencies {
        for confined in CONFINED.iter().filter(|confined| confined.forbids(member, dependency)) {
            let holders = confined.holders.join(", ");
            let message = format!("`{}` is for {holders} alone", confined.library);
            add(member, &dependency.package, message, findings);
        }
    }
}

impl Confined {
    fn forbids(&self, member: &Member, dependency: &Dependency) -> bool {
        let is_it = dependency.package.starts_with(self.library);
        let may_hold = self.holders.contains(&member.name());
        let may_test =
            dependency.purpose == Purpose::Tests && self.testers.contains(&member.name());
        is_it && !may_hold && !may_test
    }
}

/// Reports a member at the first line of its manifest that begins with `key`.
fn add(member: &Member, key: &str, message: String, findings: &mut Findings) {
    let line =
        member.manifest.lines().position(|line| line.starts_with(key)).map_or(1, |at| at + 1);
    findings.add(&format!("{}/Cargo.toml", member.folder), line, message);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(folder: &str, uses: &[(&str, Purpose)]) -> Member {
        let mut member = Member { folder: folder.to_owned(), ..Member::default() };
        member.package = format!("{PACKAGE_PREFIX}{}", member.name());
        member.manifest =
            format!("[package]\nname = \"{}\"\n\n[lints]\nworkspace = true\n", member.package);
        for (package, purpose) in uses {
            member.manifest.push_str(&format!("{package}.workspace = true\n"));
            let package = (*package).to_owned();
            member.dependencies.push(Dependency { package, purpose: *purpose });
        }
        member
    }

    #[track_caller]
    fn check(check: MemberCheck, member: &Member, expected: &[&str]) {
        let mut findings = Findings::default();
        check(member, &mut findings);
        assert_eq!(findings.lines(), expected);
    }

    #[test]
    fn an_allowed_edge_is_fine() {
        let cases = [
            member("proxy", &[("stockade-policy", Purpose::Program)]),
            member("proxy", &[("stockade-test-support", Purpose::Tests)]),
            member("cli", &[("stockade-core-api", Purpose::Program), ("clap", Purpose::Program)]),
            member("e2e", &[("stockade-test-support", Purpose::Program)]),
        ];
        for case in cases {
            check(uses_only_what_it_may, &case, &[]);
        }
    }

    #[test]
    fn other_edges_are_findings_where_they_stand() {
        let cases = [
            ("crates/policy", "stockade-settings", Purpose::Program),
            ("crates/audit", "stockade-policy", Purpose::Program),
            ("xtask", "stockade-contract", Purpose::Program),
            ("core-api", "stockade-policy", Purpose::Program),
            ("proxy", "stockade-core-api", Purpose::Tests),
            ("cli", "stockade-test-support", Purpose::Program),
        ];
        for (folder, package, purpose) in cases {
            let member = member(folder, &[(package, purpose)]);
            let name = member.name();
            let used = package.trim_start_matches(PACKAGE_PREFIX);
            let expected = format!("{folder}/Cargo.toml:6: `{name}` may not use `{used}` here");
            check(uses_only_what_it_may, &member, &[&expected]);
        }
    }

    #[test]
    fn a_newcomer_needs_a_row_in_the_table() {
        let expected = "crates/new/Cargo.toml:2: `new` is not in the table of allowed edges";
        check(uses_only_what_it_may, &member("crates/new", &[]), &[expected]);
    }

    #[test]
    fn heavy_libraries_stay_with_their_holders() {
        let heavy = leaves_heavy_libraries_to_their_holders;
        check(heavy, &member("proxy", &[("pingora", Purpose::Program)]), &[]);
        check(heavy, &member("e2e", &[("pingora-core", Purpose::Tests)]), &[]);
        check(
            heavy,
            &member("e2e", &[("pingora-core", Purpose::Program)]),
            &["e2e/Cargo.toml:6: `pingora` is for proxy, bench alone"],
        );
        check(
            heavy,
            &member("cli", &[("sqlx", Purpose::Tests)]),
            &["cli/Cargo.toml:6: `sqlx` is for core-api alone"],
        );
    }

    #[test]
    fn lints_are_inherited() {
        let mut member = member("cli", &[]);
        check(inherits_the_lints, &member, &[]);
        member.manifest = "[lints]\n[dependencies]\nworkspace = true\n".to_owned();
        let expected = "cli/Cargo.toml:1: does not inherit the workspace's lints";
        check(inherits_the_lints, &member, &[expected]);
    }

    #[test]
    fn a_package_is_named_after_its_folder() {
        let mut member = member("crates/audit", &[]);
        check(is_named_after_its_folder, &member, &[]);
        member.package = "audit".to_owned();
        let expected =
            "crates/audit/Cargo.toml:2: package `audit` should be named `stockade-audit`";
        check(is_named_after_its_folder, &member, &[expected]);
    }

    #[test]
    fn the_map_names_members_by_their_folder() {
        let members = [member("proxy", &[]), member("crates/policy", &[])];
        let mut findings = Findings::default();
        compare_with_map(Some("`proxy/` asks `crates/policy`."), &members, &mut findings);
        assert_eq!(findings.count(), 0);

        compare_with_map(
            Some("stockade-proxy asks `crates/policy-engine`."),
            &members,
            &mut findings,
        );
        assert_eq!(
            findings.lines(),
            [
                "ARCHITECTURE.md:1: does not name the member `crates/policy`",
                "ARCHITECTURE.md:1: does not name the member `proxy`",
            ]
        );
    }

    #[test]
    fn a_missing_map_is_a_finding() {
        let mut findings = Findings::default();
        compare_with_map(None, &[], &mut findings);
        assert_eq!(findings.lines(), ["ARCHITECTURE.md:1: the map is missing"]);
    }

    #[test]
    fn members_are_counted() {
        let mut findings = Findings::default();
        members_are_few(&vec![member("cli", &[]); MEMBERS_MAX], &mut findings);
        assert_eq!(findings.count(), 0);
        members_are_few(&vec![member("cli", &[]); MEMBERS_MAX + 1], &mut findings);
        assert_eq!(findings.count(), 1);
    }
}
