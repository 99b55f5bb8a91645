//! The matrix: what every role gets on every route, as text to be reviewed as a diff.
//!
//! It shows the effect, not the rules: with all conditions met, and after `auth` had its say. On
//! a route that reads no token every role gets what `anonymous` gets, and `anonymous` gets
//! nothing where a token is required.

use crate::bundle::Bundle;
use crate::judge::{Caller, heard};
use crate::names::RoleId;
use crate::role_set::RoleSet;
use crate::route::Route;
use crate::table::Scope;

/// Between two columns.
const GAP: &str = "  ";

/// Columns that say what a row is about: the route and what it needs.
const KEY_COLUMNS: usize = 2;

/// The matrix of a bundle: routes in the order of the file, roles from junior to senior.
pub fn render(bundle: &Bundle) -> String {
    let roles: Vec<RoleId> = bundle.roles().collect();
    let mut rows = vec![heading(bundle, &roles)];
    rows.extend(bundle.routes().iter().map(|route| row(bundle, route, &roles)));
    let columns = roles.len() + KEY_COLUMNS;
    let widths: Vec<usize> = (0..columns).map(|column| width(&rows, column)).collect();
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn heading(bundle: &Bundle, roles: &[RoleId]) -> Vec<String> {
    let names = roles.iter().map(|role| bundle.role_name(*role));
    ["route", "needs"].into_iter().chain(names).map(str::to_owned).collect()
}

fn row(bundle: &Bundle, route: &Route, roles: &[RoleId]) -> Vec<String> {
    let scope = |role: &RoleId| {
        let heard = heard(bundle, route, Caller::holding(bundle, RoleSet::of(*role)));
        let scope = heard.and_then(|roles| bundle.decide(roles, route.needs));
        scope.map_or("-", |scope| scope.as_str())
    };
    let head = format!("{:<6} {}", route.method, route.pattern);
    let needs = bundle.permission_name(route.needs).to_owned();
    let scopes = roles.iter().map(scope).map(str::to_owned);
    [head, needs].into_iter().chain(scopes).collect()
}

/// A column of a role has room for any scope, so that a cell that changes moves no other.
fn width(rows: &[Vec<String>], column: usize) -> usize {
    let least = if column < KEY_COLUMNS { 0 } else { Scope::Others.as_str().len() };
    rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0).max(least)
}

fn line(row: &[String], widths: &[usize]) -> String {
    let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    let line = padded.collect::<Vec<_>>().join(GAP);
    format!("{}\n", line.trim_end())
}
