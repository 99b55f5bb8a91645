//! Tables: aligned columns, and on a narrow terminal several tables below each other.

use std::io::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::{Screen, Tone};

/// Between two columns.
const GAP: usize = 2;

/// Rows of cells below a heading.
#[derive(Debug, Default)]
pub(crate) struct Table {
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The first columns, which are repeated where the others do not fit beside each other.
    key_columns: usize,
}

impl Table {
    /// An empty table. Its first `key_columns` say what a row is about.
    pub(crate) fn new<H: Into<String>>(
        heading: impl IntoIterator<Item = H>,
        key_columns: usize,
    ) -> Self {
        let heading = heading.into_iter().map(Into::into).collect();
        Self { heading, rows: Vec::new(), key_columns }
    }

    /// Adds a row; it has as many cells as the heading.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Prints the heading and the rows. Where they are wider than the terminal, the columns
    /// behind the key columns are dealt out to several tables.
    pub(crate) fn print(&self, screen: &mut Screen<'_>) -> anyhow::Result<()> {
        let widths: Vec<usize> = (0..self.heading.len()).map(|column| self.width(column)).collect();
        for (number, columns) in self.split(&widths, screen.look().columns()).iter().enumerate() {
            if number > 0 {
                writeln!(screen)?;
            }
            let heading = line(&self.heading, columns, &widths);
            writeln!(screen, "{}", screen.look().paint(Tone::Strong, &heading))?;
            for row in &self.rows {
                writeln!(screen, "{}", line(row, columns, &widths))?;
            }
        }
        Ok(())
    }

    /// Which columns each printed table has.
    fn split(&self, widths: &[usize], available: Option<usize>) -> Vec<Vec<usize>> {
        let keys: Vec<usize> = (0..self.key_columns.min(widths.len())).collect();
        let wide = |columns: &[usize]| -> usize {
            columns.iter().filter_map(|column| widths.get(*column)).map(|width| width + GAP).sum()
        };
        let available = available.unwrap_or(usize::MAX).saturating_add(GAP);
        let mut tables = vec![keys.clone()];
        for column in keys.len()..widths.len() {
            let full = tables.last().is_some_and(|table| {
                table.len() > keys.len() && wide(table) + wide(&[column]) > available
            });
            if full {
                tables.push(keys.clone());
            }
            if let Some(table) = tables.last_mut() {
                table.push(column);
            }
        }
        tables
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().chain([&self.heading]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    }
}

fn line(row: &[String], columns: &[usize], widths: &[usize]) -> String {
    let mut line = String::new();
    for column in columns {
        let (cell, width) = (row.get(*column).map_or("", String::as_str), widths.get(*column));
        line.push_str(cell);
        let blanks = width.copied().unwrap_or(0).saturating_sub(cell.width()) + GAP;
        line.push_str(&" ".repeat(blanks));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["route", "anonymous", "staff", "admin"], 1);
        table.push(["GET /a", "any", "own", "-"].map(str::to_owned).to_vec());
        table.push(["GET /long", "-", "-", "any"].map(str::to_owned).to_vec());
        table
    }

    fn printed(mut screen: Screen<'_>) {
        table().print(&mut screen).unwrap();
    }

    #[test]
    fn columns_are_aligned_and_lines_end_with_a_word() {
        let mut out = Vec::new();
        printed(Screen::plain(&mut out));
        let expected = "\
route      anonymous  staff  admin
GET /a     any        own    -
GET /long  -          -      any
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_narrow_terminal_gets_several_tables() {
        let mut out = Vec::new();
        printed(Screen::terminal(&mut out, 28));
        let expected = "\
route      anonymous  staff
GET /a     any        own
GET /long  -          -

route      admin
GET /a     -
GET /long  any
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        printed(Screen::terminal(&mut out, 3));
        assert_eq!(String::from_utf8(out).unwrap().matches("route").count(), 3);
    }
}
