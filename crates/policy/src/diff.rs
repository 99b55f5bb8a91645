//! What changes between two bundles, for whom, and by which line.
//!
//! A policy's outcomes are a finite table: kinds of requests (`requests`), callers, and kinds of
//! circumstances (`circumstances`). Both tables are compared whole (`effect`), so nothing that
//! widens is missed and nothing is called wider that is not. Everything is compared by name:
//! moving lines changes nothing.
//!
//! *Any set of roles.* A set is granted what one of its roles allows and none denies. Where a set
//! gains something, one role of it gains that alone, or one stops denying what another goes on
//! allowing. So single roles and pairs tell everything about all sets.
//!
//! *Blame.* Each changed outcome is charged to the changes whose taking back brings the old one
//! back (`blame`). Changes that are charged with nothing have no effect, and are listed as such.
//!
//! Limits, bodies and CORS are terms, not outcomes; `terms` says in which direction they go.
//! Only what is in force is compared, not what is tried in shadow.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use crate::bundle::Bundle;
use crate::table::Scope;

mod blame;
mod circumstances;
mod edits;
mod effect;
mod ranges;
mod requests;
mod sides;
mod terms;

/// What changes between two bundles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Whether every byte of the runtime files is the same.
    pub same_bytes: bool,
    /// What changes, by direction and by what did it; what widens comes first.
    pub groups: Vec<Group>,
    /// Changes that change nothing for anybody.
    pub without_effect: Vec<Edit>,
    /// Routes that are new.
    pub routes_added: usize,
    /// Routes that are gone.
    pub routes_removed: usize,
}

/// Everything that some changes did together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Which way it goes.
    pub direction: Direction,
    /// What did it. Of several, each is needed, or they do it only together.
    pub edits: Vec<Edit>,
    /// Who gets something else.
    pub cells: Vec<Cell>,
    /// What else is different, in words.
    pub terms: Vec<String>,
}

/// Which way something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Somebody gets more.
    Widened,
    /// Somebody gets something else: more here and less there.
    Changed,
    /// Somebody gets less.
    Narrowed,
}

/// A line that only one of the bundles has, or that both have with other words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edit {
    /// Whether it was added, removed or changed.
    pub sign: Sign,
    /// The file.
    pub file: &'static str,
    /// The line: of the old file where it was removed, else of the new one.
    pub line: u32,
    /// What it says.
    pub text: String,
}

/// How a line changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// Only the new bundle has it.
    Added,
    /// Only the old bundle has it.
    Removed,
    /// Both have it, with other words.
    Changed,
}

/// What some callers get for some requests, before and after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cell {
    /// Who: roles held alone, or several of them at once (`staff + suspended`).
    pub callers: Vec<String>,
    /// The permission that is needed; the new one where it changed.
    pub permission: String,
    /// What they got.
    #[serde(serialize_with = "scope_word")]
    pub before: Option<Scope>,
    /// What they get.
    #[serde(serialize_with = "scope_word")]
    pub after: Option<Scope>,
    /// The requests: method and path.
    pub request: String,
    /// In which circumstances alone; empty where it is so in all that matter.
    pub only: String,
}

/// The word in the policy's files, or `-`.
fn scope_word<S: Serializer>(scope: &Option<Scope>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(scope.map_or("-", Scope::as_str))
}

impl Edit {
    fn new(sign: Sign, file: &'static str, line: u32, text: &str) -> Self {
        Self { sign, file, line, text: text.to_owned() }
    }
}

impl Sign {
    /// One character, as in a diff.
    pub fn as_char(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
        }
    }
}

impl Direction {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Changed => "changed",
            Self::Narrowed => "narrowed",
        }
    }
}

impl Diff {
    /// Whether nobody gets anything else.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether somebody gets more.
    pub fn widens(&self) -> bool {
        self.groups.iter().any(|group| group.direction != Direction::Narrowed)
    }

    /// How many single outcomes, one caller and one kind of request each, go this way.
    pub fn cells(&self, direction: Direction) -> usize {
        let groups = self.groups.iter().filter(|group| group.direction == direction);
        groups.flat_map(|group| &group.cells).map(|cell| cell.callers.len()).sum()
    }
}

/// What changes from `old` to `new`.
pub fn compare(old: &Bundle, new: &Bundle) -> Diff {
    let sides = sides::Sides::new(old, new);
    let changes = edits::all(&sides);
    let mut charged = BTreeSet::new();
    let mut groups = effect::groups(&sides, &changes, &mut charged);
    let (terms, mut without_effect) = terms::groups(old, new);
    groups.extend(terms);
    groups.sort_by(|a, b| (a.direction, &a.edits).cmp(&(b.direction, &b.edits)));
    let unused = changes.iter().enumerate().filter(|(number, _)| !charged.contains(number));
    without_effect.extend(unused.map(|(_, change)| change.edit.clone()));
    let lacking = |one: &Bundle, other: &Bundle| {
        let ids = one.routes().iter().map(|route| route.id.as_str());
        ids.filter(|id| other.routes().by_id(id).is_none()).count()
    };
    Diff {
        same_bytes: old.hash() == new.hash(),
        groups,
        without_effect,
        routes_added: lacking(new, old),
        routes_removed: lacking(old, new),
    }
}

#[cfg(test)]
mod tests;
