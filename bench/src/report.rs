//! What a run prints: the command line that made it, then plain tables.

use std::fmt;

/// A finished run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    tables: Vec<Table>,
}

/// Rows of text under a title; the first column is aligned left, the others right.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

/// Some samples of one quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Report {
    pub(crate) fn with(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        let heads = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.into(), rows: vec![heads] }
    }

    pub(crate) fn row(&mut self, first: impl Into<String>, others: Vec<String>) {
        let mut row = vec![first.into()];
        row.extend(others);
        self.rows.push(row);
    }

    /// A row of median, least and greatest.
    pub(crate) fn spread(&mut self, name: impl Into<String>, spread: Spread) {
        let cells = [spread.median, spread.min, spread.max].map(|value| format!("{value:.2}"));
        self.row(name, cells.to_vec());
    }
}

impl Spread {
    /// Of no samples, a spread of zeros.
    pub(crate) fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |index: usize| samples.get(index).copied().unwrap_or_default();
        let last = samples.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(last.div_ceil(2)));
        Self { median, min: at(0), max: at(last) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        writeln!(f, "$ stockade-bench {}", arguments.join(" "))?;
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let build = if cfg!(debug_assertions) { "DEBUG: not comparable" } else { "release" };
        writeln!(f, "build: {build}; processors: {processors}")?;
        self.tables.iter().try_for_each(|table| write!(f, "\n{table}"))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let widths: Vec<_> = (0..columns)
            .map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or_default())
            .collect();
        for row in &self.rows {
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(f, "  {cell:<width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]), Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of(vec![4.0, 1.0]), Spread { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(Spread::of(Vec::new()), Spread { median: 0.0, min: 0.0, max: 0.0 });
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new("t", &["name", "ns"]);
        table.row("long name", vec!["1".to_owned()]);
        table.row("x", vec!["100".to_owned()]);
        assert_eq!(table.to_string(), "t\n  name        ns\n  long name    1\n  x          100\n");
    }
}
