//! A diff as text: for people, and for a comment on a pull request.

use std::io::Write;

use stockade_policy::diff::{Cell, Diff, Direction, Edit, Group};

use crate::policy::counted;

/// For people.
pub(super) fn human(diff: &Diff, accepted: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    for group in &diff.groups {
        print_group(group, out)?;
    }
    for edit in &diff.without_effect {
        writeln!(out, "{:<9} {}", "NO EFFECT", edit_text(edit))?;
    }
    writeln!(out, "{}", summary(diff))?;
    if diff.widens() && !accepted {
        writeln!(out, "somebody gets more: if that is meant, say so with --accept")?;
    }
    Ok(())
}

fn print_group(group: &Group, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut label = group.direction.as_str().to_uppercase();
    for edit in &group.edits {
        writeln!(out, "{label:<9} {}", edit_text(edit))?;
        label = "  with".to_owned();
    }
    let rows: Vec<[String; 4]> = group.cells.iter().map(columns).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0)
    };
    let [callers, permission, step] = [width(0), width(1), width(2)];
    for [who, needs, change, request] in &rows {
        let line = format!("  {who:<callers$}  {needs:<permission$}  {change:<step$}  {request}");
        writeln!(out, "{}", line.trim_end())?;
    }
    for term in &group.terms {
        writeln!(out, "  {term}")?;
    }
    Ok(())
}

/// Who, what, from what to what, and on which request.
fn columns(cell: &Cell) -> [String; 4] {
    let only = if cell.only.is_empty() { String::new() } else { format!("  ({})", cell.only) };
    [
        cell.callers.join(", "),
        cell.permission.clone(),
        step(cell),
        format!("{}{only}", cell.request),
    ]
}

fn step(cell: &Cell) -> String {
    let word = |scope: Option<stockade_policy::Scope>| scope.map_or("-", |scope| scope.as_str());
    format!("{} -> {}", word(cell.before), word(cell.after))
}

/// `policy.csv:31  + p, staff, orders, refund, any, allow`.
fn edit_text(edit: &Edit) -> String {
    let Edit { sign, file, line, text } = edit;
    let place = if *line == 0 { (*file).to_owned() } else { format!("{file}:{line}") };
    format!("{place}  {} {text}", sign.as_char())
}

/// `2 cells widened, 1 narrowed, 0 routes added`.
fn summary(diff: &Diff) -> String {
    if diff.same_bytes {
        return "no change: the files are the same, byte for byte".to_owned();
    }
    if diff.is_empty() {
        return "no change in effect: the text differs, and nobody gets anything else".to_owned();
    }
    let cells = |direction| diff.cells(direction);
    let terms = diff.groups.iter().filter(|group| !group.terms.is_empty()).count();
    let mut parts = vec![
        format!("{} widened", counted(cells(Direction::Widened), "cell")),
        format!("{} narrowed", cells(Direction::Narrowed)),
    ];
    if cells(Direction::Changed) > 0 {
        parts.push(format!("{} moved", cells(Direction::Changed)));
    }
    if terms > 0 {
        parts.push(format!("{} changed", counted(terms, "term")));
    }
    parts.push(format!("{} added", counted(diff.routes_added, "route")));
    if diff.routes_removed > 0 {
        parts.push(format!("{} removed", diff.routes_removed));
    }
    parts.join(", ")
}

/// For a comment on a pull request.
pub(super) fn markdown(diff: &Diff, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "**Policy:** {}", summary(diff))?;
    for group in &diff.groups {
        let edits: Vec<_> =
            group.edits.iter().map(|edit| format!("`{}`", edit_text(edit))).collect();
        let label = group.direction.as_str().to_uppercase();
        writeln!(out, "\n**{label}** by {}\n", edits.join(" with "))?;
        for term in &group.terms {
            writeln!(out, "- {term}")?;
        }
        if group.cells.is_empty() {
            continue;
        }
        writeln!(out, "| who | permission | before -> after | request |\n|---|---|---|---|")?;
        for cell in &group.cells {
            let [who, needs, step, request] = columns(cell);
            writeln!(out, "| {who} | {needs} | {step} | `{request}` |")?;
        }
    }
    if !diff.without_effect.is_empty() {
        writeln!(out, "\nWithout effect:\n")?;
    }
    for edit in &diff.without_effect {
        writeln!(out, "- `{}`", edit_text(edit))?;
    }
    Ok(())
}
