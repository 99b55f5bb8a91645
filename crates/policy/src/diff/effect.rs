//! Both tables, compared whole.

use std::collections::{BTreeMap, BTreeSet};

use super::blame::{Question, Who, Written};
use super::circumstances::{Atom, Space};
use super::edits::Change;
use super::requests::{Class, classes};
use super::sides::{Access, PerPart, Roles, Sides, View, numbers, only};
use super::{Cell, Direction, Edit, Group};

/// A place in the table: the number of a class of requests, and who asks.
type Spot = (usize, Who);

/// What one caller got and gets.
type Step = (Access, Access);

/// The comparison while it is made.
#[derive(Debug)]
struct Comparison<'b> {
    sides: &'b Sides<'b>,
    space: &'b Space,
    /// The circumstances, with the roles that are active in them: before and after.
    atoms: Vec<(Atom, Roles, Roles)>,
    classes: Vec<Class<'b>>,
}

/// What changed outcomes are gathered by: direction, and the changes that are to blame.
type Key = (Direction, Vec<usize>);

/// Every changed outcome, charged to the changes that did it. These are noted in `charged`.
pub(super) fn groups<'b>(
    sides: &'b Sides<'b>,
    changes: &'b [Change<'b>],
    charged: &mut BTreeSet<usize>,
) -> Vec<Group> {
    let space = Space::of(sides);
    let written = Written::new(sides, changes);
    let atoms = space.atoms().map(|atom| {
        let at = space.example(atom);
        (atom, sides.old.active(&at), sides.new.active(&at))
    });
    let comparison = Comparison {
        sides,
        space: &space,
        atoms: atoms.collect(),
        classes: classes(sides, &|path| written.touching(path)),
    };
    let mut gathered: BTreeMap<Key, Vec<Cell>> = BTreeMap::new();
    for ((spot, step), atoms) in comparison.steps() {
        for (blamed, atoms) in comparison.blame(&written, spot, step, &atoms) {
            charged.extend(&blamed);
            let cell = comparison.cell(spot, step, &atoms);
            gathered.entry((direction(step), blamed)).or_default().push(cell);
        }
    }
    let edits = |blamed: &[usize]| -> Vec<Edit> {
        blamed.iter().filter_map(|number| changes.get(*number)).map(|c| c.edit.clone()).collect()
    };
    let groups = gathered.into_iter().map(|((direction, blamed), cells)| Group {
        direction,
        edits: edits(&blamed),
        cells: merged(cells),
        terms: Vec::new(),
    });
    groups.collect()
}

fn direction((before, after): Step) -> Direction {
    match (after.exceeds(before), before.exceeds(after)) {
        (true, true) => Direction::Changed,
        (true, false) => Direction::Widened,
        (false, _) => Direction::Narrowed,
    }
}

/// Callers that get the same for the same stand together.
fn merged(cells: Vec<Cell>) -> Vec<Cell> {
    let mut merged: Vec<Cell> = Vec::new();
    for cell in cells {
        let same = |known: &&mut Cell| {
            let what = |cell: &Cell| (cell.before, cell.after);
            what(known) == what(&cell)
                && known.request == cell.request
                && known.permission == cell.permission
                && known.only == cell.only
        };
        let alike = merged.iter_mut().rev().find(same);
        match alike {
            Some(known) => known.callers.extend(cell.callers),
            None => merged.push(cell),
        }
    }
    merged
}

impl Comparison<'_> {
    /// What changes, and in which circumstances.
    fn steps(&self) -> BTreeMap<(Spot, Step), Vec<Atom>> {
        let mut steps: BTreeMap<(Spot, Step), Vec<Atom>> = BTreeMap::new();
        for (number, class) in self.classes.iter().enumerate() {
            for (atom, was, is) in &self.atoms {
                let views = self.views(class, *atom, *was, *is);
                for (who, step) in self.changed(views) {
                    steps.entry(((number, who), step)).or_default().push(*atom);
                }
            }
        }
        steps
    }

    fn views(&self, class: &Class<'_>, atom: Atom, was: Roles, is: Roles) -> (View, View) {
        let at = self.space.example(atom);
        let anonymous = self.sides.anonymous;
        let old = class.old.filter(|route| self.sides.old.is_open(Some(route), &at));
        let new = class.new.filter(|route| self.sides.new.is_open(Some(route), &at));
        (
            old.map(|route| self.sides.old.view(route, was, anonymous)).unwrap_or_default(),
            new.map(|route| self.sides.new.view(route, is, anonymous)).unwrap_or_default(),
        )
    }

    /// Who gets something else: callers without a token, holders of one role, and holders of two
    /// where neither tells it alone.
    fn changed(&self, (old, new): (View, View)) -> BTreeMap<Who, Step> {
        let mut changed = BTreeMap::new();
        let visitor = (old.visitor, new.visitor);
        let anonymous = only(self.sides.anonymous);
        let (was, is) = (old.cell.granted(), new.cell.granted());
        changed.insert(Who::Visitor, visitor);
        // A token that names no role, or nobody but `anonymous`, is told where it differs.
        for (who, step) in [
            (Who::Holding(0), (old.roleless, new.roleless)),
            (Who::Holding(anonymous), (was.of(anonymous), is.of(anonymous))),
        ] {
            if step != visitor {
                changed.insert(who, step);
            }
        }
        for role in numbers((was ^ is).any() & !anonymous).map(only) {
            changed.insert(Who::Holding(role), (was.of(role), is.of(role)));
        }
        let lifted = old.cell.deny & !new.cell.deny & !(is & !was);
        let laid = new.cell.deny & !old.cell.deny & !(was & !is);
        for denied in [lifted, laid] {
            changed.extend(pairs((old, new), denied, was & is));
        }
        changed.retain(|_, (before, after)| before != after);
        changed
    }

    /// The changes to blame, each with the circumstances in which they are.
    fn blame(
        &self,
        written: &Written<'_>,
        (number, who): Spot,
        (before, _): Step,
        atoms: &[Atom],
    ) -> BTreeMap<Vec<usize>, Vec<Atom>> {
        let mut blamed: BTreeMap<Vec<usize>, Vec<Atom>> = BTreeMap::new();
        let Some(class) = self.classes.get(number) else { return blamed };
        let method = class.methods.first().copied().unwrap_or_default();
        let path = &written.owners(&class.path);
        let mut known: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for atom in atoms {
            let at = self.space.example(*atom);
            let question = Question { method, path, who, at };
            let alike = self.state(class, who, *atom);
            let found = known.entry(alike).or_insert_with(|| written.blame(&question, before));
            blamed.entry(found.clone()).or_default().push(*atom);
        }
        blamed
    }

    /// What of the circumstances can matter: which of the roles are active, and whether the
    /// routes answer, before and after.
    fn state(&self, class: &Class<'_>, who: Who, atom: Atom) -> (Roles, Roles, bool, bool) {
        let roles = match who {
            Who::Visitor => only(self.sides.anonymous),
            Who::Holding(roles) => roles | only(self.sides.anonymous),
        };
        let at = self.space.example(atom);
        (
            self.sides.old.active(&at) & roles,
            self.sides.new.active(&at) & roles,
            self.sides.old.is_open(class.old, &at),
            self.sides.new.is_open(class.new, &at),
        )
    }

    fn cell(&self, (number, who): Spot, step: Step, atoms: &[Atom]) -> Cell {
        let class = self.classes.get(number);
        let needs = class.and_then(|class| {
            let old = class.old.map(|r| self.sides.old.bundle.permission_name(r.needs));
            class.new.map(|r| self.sides.new.bundle.permission_name(r.needs)).or(old)
        });
        Cell {
            callers: vec![self.caller(who)],
            permission: needs.unwrap_or_default().to_owned(),
            before: step.0.scope(),
            after: step.1.scope(),
            request: class.map(Class::text).unwrap_or_default(),
            only: self.only(class, who, step, atoms),
        }
    }

    fn caller(&self, who: Who) -> String {
        let anonymous = self.sides.role_name(self.sides.anonymous);
        match who {
            Who::Visitor => anonymous.to_owned(),
            Who::Holding(roles) if roles == only(self.sides.anonymous) => {
                format!("{anonymous} by token")
            }
            Who::Holding(0) => "a token without roles".to_owned(),
            Who::Holding(roles) => {
                let names: Vec<_> = numbers(roles).map(|role| self.sides.role_name(role)).collect();
                names.join(" + ")
            }
        }
    }

    /// In which circumstances alone, in words; nothing where it is so wherever the caller gets
    /// anything at all, before or after.
    fn only(&self, class: Option<&Class<'_>>, who: Who, step: Step, atoms: &[Atom]) -> String {
        let elsewhere = self.atoms.iter().any(|(atom, was, is)| {
            let Some(class) = class.filter(|_| !atoms.contains(atom)) else { return false };
            let (old, new) = self.views(class, *atom, *was, *is);
            let other = match who {
                Who::Visitor => (old.visitor, new.visitor),
                Who::Holding(0) => (old.roleless, new.roleless),
                Who::Holding(roles) => (old.cell.of_all(roles), new.cell.of_all(roles)),
            };
            other != step && !(other.0.is_nothing() && other.1.is_nothing())
        });
        if elsewhere { self.space.words(atoms) } else { String::new() }
    }
}

/// Two roles held at once, of which one denies no more, or denies now, what the other allows.
fn pairs((old, new): (View, View), denied: PerPart, allowing: PerPart) -> Vec<(Who, Step)> {
    let mut pairs = Vec::new();
    for one in numbers(denied.any()).map(only) {
        let parts = denied.of(one);
        let own = if parts.own { allowing.own } else { 0 };
        let others = if parts.others { allowing.others } else { 0 };
        pairs.extend(numbers(own | others).map(only).map(|other| {
            let both = one | other;
            (Who::Holding(both), (old.cell.of_all(both), new.cell.of_all(both)))
        }));
    }
    pairs
}
