//! A diff as text: for people, and for a comment on a pull request.

use std::io::Write as _;

use stockade_policy::diff::{Cell, Diff, Direction, Edit, Group};

use crate::render::{Screen, Tone, counted, wrap};

/// How far lines below a label are indented.
const INDENT: usize = 10;

/// For people.
pub(super) fn human(diff: &Diff, accepted: bool, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    for group in &diff.groups {
        print_group(group, screen)?;
    }
    for edit in &diff.without_effect {
        print_edit("NO EFFECT", Tone::Faint, edit, screen)?;
    }
    let look = screen.look();
    writeln!(screen, "{}", look.paint(Tone::Strong, &summary(diff)))?;
    if diff.widens() && !accepted {
        let hint = "somebody gets more: if that is meant, say so with --accept";
        writeln!(screen, "{}", look.paint(Tone::Hint, hint))?;
    }
    Ok(())
}

/// More is what reviewers look for, so it has the tone of a no.
fn tone(direction: Direction) -> Tone {
    match direction {
        Direction::Widened => Tone::Bad,
        Direction::Changed => Tone::Hint,
        Direction::Narrowed => Tone::Good,
    }
}

/// `WIDENED   policy.csv:31  + p, staff, orders, refund, any, allow`, wrapped behind its label.
fn print_edit(label: &str, tone: Tone, edit: &Edit, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let look = screen.look();
    let place = place(edit);
    let room = look.columns().map(|columns| columns.saturating_sub(INDENT));
    let text = edit_text(edit);
    let lines = wrap(&text, room);
    for (number, line) in lines.iter().enumerate() {
        let label = format!("{:<9}", if number == 0 { label } else { "" });
        match line.strip_prefix(&place).filter(|_| number == 0) {
            Some(rest) => {
                let (label, place) = (look.paint(tone, &label), look.paint(Tone::Place, &place));
                writeln!(screen, "{label} {place}{rest}")?;
            }
            None => writeln!(screen, "{label} {line}")?,
        }
    }
    Ok(())
}

fn print_group(group: &Group, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let mut label = group.direction.as_str().to_uppercase();
    for edit in &group.edits {
        print_edit(&label, tone(group.direction), edit, screen)?;
        label = "  with".to_owned();
    }
    print_cells(group, screen)?;
    let room = screen.look().columns().map(|columns| columns.saturating_sub(2));
    for term in &group.terms {
        for line in wrap(term, room) {
            writeln!(screen, "  {line}")?;
        }
    }
    Ok(())
}

/// A cell a line, in columns; where a terminal is too narrow for that, the callers stand above.
fn print_cells(group: &Group, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let look = screen.look();
    let rows: Vec<[String; 4]> = group.cells.iter().map(columns).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0)
    };
    let [callers, permission, step] = [width(0), width(1), width(2)];
    let whole = 2 + callers + 2 + permission + 2 + step + 2 + width(3);
    let is_narrow = look.columns().is_some_and(|columns| columns < whole);
    let room = look.columns().map(|columns| columns.saturating_sub(2));
    for [who, needs, change, request] in &rows {
        let change = format!("{change:<step$}");
        let change = look.paint(tone(group.direction), &change);
        if !is_narrow {
            writeln!(screen, "  {who:<callers$}  {needs:<permission$}  {change}  {request}")?;
            continue;
        }
        for line in wrap(who, room) {
            writeln!(screen, "  {line}")?;
        }
        writeln!(screen, "    {needs:<permission$}  {change}  {request}")?;
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
    format!("{}  {} {}", place(edit), edit.sign.as_char(), edit.text)
}

fn place(edit: &Edit) -> String {
    let Edit { file, line, .. } = edit;
    if *line == 0 { (*file).to_owned() } else { format!("{file}:{line}") }
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
pub(super) fn markdown(diff: &Diff, out: &mut Screen<'_>) -> anyhow::Result<()> {
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
