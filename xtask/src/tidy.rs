//! `cargo xtask tidy`: checks of ours that no general tool knows.
//!
//! A check is a small function in one of the tables below. It looks and reports, and changes
//! nothing. A file that a check is about and cannot find is a finding, not a reason to be silent.
//!
//! | table | its checks look at |
//! |---|---|
//! | [`source_rules`] | each file of code by itself |
//! | [`proxy_rules`] | the edge's guards, its judgement, and who knows Pingora |
//! | [`member_rules`] | the members of the workspace: their edges, lints and place in the map |
//! | [`tracked_files`] | what git keeps |

mod findings;
mod member_rules;
mod proxy_rules;
mod rust_text;
mod source_rules;
mod sources;
mod tracked_files;

use anyhow::bail;

use self::findings::Findings;
use self::sources::Sources;
use crate::workspace::Workspace;

/// What the checks look at.
#[derive(Debug)]
struct Scene<'a> {
    workspace: &'a Workspace,
    sources: Sources,
}

/// A check of the whole.
type Check = fn(&Scene<'_>, &mut Findings);

const TABLES: &[&[Check]] = &[
    source_rules::CHECKS, //
    proxy_rules::CHECKS,
    member_rules::CHECKS,
    tracked_files::CHECKS,
];

/// Prints each finding as `file:line: message`, and fails if there is one.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let scene = Scene { workspace, sources: Sources::read(&workspace.root)? };
    let mut findings = Findings::default();
    for check in TABLES.iter().copied().flatten() {
        check(&scene, &mut findings);
    }
    for finding in findings.sorted() {
        println!("{finding}");
    }
    match findings.count() {
        0 => Ok(()),
        1 => bail!("tidy found one thing"),
        count => bail!("tidy found {count} things"),
    }
}
