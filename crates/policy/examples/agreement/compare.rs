//! Asks all three and counts, or says where they differ.

use std::collections::BTreeSet;

use stockade_policy::{Bundle, PermissionId, RoleSet, Scope};

use crate::casbin_reading::CasbinReading;
use crate::naive_reading;
use crate::random::Random;
use crate::world::{Asker, PARTS, PERMISSIONS, ROLES, World};

/// Callers asked about in each policy.
const ASKERS: usize = 96;

/// What was compared.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Questions on which all three agree: caller, permission and part of a scope.
    pub(crate) cells: u64,
    /// Of these, the allowed ones.
    pub(crate) allowed: u64,
    /// Of these, ones in which a condition kept a role from counting.
    pub(crate) inactive: u64,
    /// Of these, ones with at least two roles that count.
    pub(crate) sets: u64,
    /// Policies, each loaded and proven.
    pub(crate) policies: u64,
}

/// Compares at least this many cells, or says what the first difference is.
pub(crate) fn compare(cells: u64, seed: u64) -> Result<Tally, String> {
    let mut random = Random::of(seed);
    let mut tally = Tally::default();
    while tally.cells < cells {
        let world = World::random(&mut random);
        let askers: Vec<_> = (0..ASKERS).map(|_| Asker::random(&mut random)).collect();
        compare_world(&world, &askers, &mut tally)
            .map_err(|difference| format!("{difference}\n{}", world.text()))?;
    }
    Ok(tally)
}

fn compare_world(world: &World, askers: &[Asker], tally: &mut Tally) -> Result<(), String> {
    let bundle = world.load()?;
    let active: Vec<_> = askers.iter().map(|asker| naive_reading::active(world, asker)).collect();
    let sets = active.iter().cloned().collect();
    let mut casbin = CasbinReading::of(world, &sets).map_err(|error| error.to_string())?;
    for (asker, active) in askers.iter().zip(&active) {
        let held = asker.held.iter().map(|role| ROLES[*role]);
        let roles = bundle.activate(held, &asker.circumstances()).roles;
        if roles != role_set(&bundle, active) {
            return Err(format!("{asker:?}: {active:?} count, and the bundle says {roles:?}"));
        }
        for (permission, (resource, action, _)) in PERMISSIONS.iter().enumerate() {
            let id = bundle.permission(&format!("{resource}.{action}"));
            let id = id.ok_or("a permission is not known")?;
            for part in PARTS {
                let naive = naive_reading::allows(world, active, permission, part);
                let casbin = casbin.allows(active, permission, part);
                let casbin = casbin.map_err(|error| error.to_string())?;
                let table = is_granted(&bundle, roles, id, part);
                if table != naive || table != casbin {
                    let said = format!("table {table}, casbin {casbin}, naive {naive}");
                    return Err(format!("{asker:?}, {resource}.{action}, {part}: {said}"));
                }
                tally.cells += 1;
                tally.allowed += u64::from(table);
                tally.inactive += u64::from(active.len() < asker.held.len());
                tally.sets += u64::from(active.len() > 1);
            }
        }
    }
    tally.policies += 1;
    Ok(())
}

fn role_set(bundle: &Bundle, roles: &BTreeSet<usize>) -> RoleSet {
    bundle.role_set(roles.iter().map(|role| ROLES[*role]))
}

fn is_granted(bundle: &Bundle, roles: RoleSet, permission: PermissionId, part: &str) -> bool {
    let granted = bundle.decide(roles, permission);
    granted.is_some_and(|granted| match part {
        "own" => granted.covers(Scope::Own),
        _ => granted.covers(Scope::Others),
    })
}
