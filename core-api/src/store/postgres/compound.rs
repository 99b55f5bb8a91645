//! Several statements sent as one, so that a batch waits for the server once and not for each table.
//!
//! The parts see nothing of one another's rows, and the server may run them in any order: each
//! changes rows that no other part changes. Foreign keys are looked at after all of them.

use sqlx::encode::Encode;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::types::Type;
use sqlx::{Arguments as _, AssertSqlSafe, Postgres};

use crate::store::StoreError;

/// What the server is sent.
#[derive(Default)]
pub(super) struct Compound {
    text: String,
    arguments: PgArguments,
    /// How many rows each part must change.
    rows: Vec<i64>,
}

/// One of its statements.
pub(super) struct Part<'a>(&'a mut PgArguments);

impl Compound {
    /// Adds a statement that changes exactly so many rows; its `$1` is what is bound first.
    pub(super) fn part(&mut self, statement: &'static str, rows: usize) -> Part<'_> {
        self.rows.push(i64::try_from(rows).unwrap_or(i64::MAX));
        let opening = if self.text.is_empty() { "WITH" } else { "," };
        let statement = renumbered(statement, self.arguments.len());
        let number = self.rows.len();
        self.text.push_str(&format!("{opening} part_{number} AS ({statement} RETURNING 1)"));
        Part(&mut self.arguments)
    }

    /// Runs all of it. That a part changed other rows than it must is a [`StoreError::Conflict`].
    pub(super) async fn execute(mut self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let count = |part| format!("(SELECT count(*) FROM part_{part})");
        let counts: Vec<_> = (1..=self.rows.len()).map(count).collect();
        self.text.push_str(&format!(" SELECT ARRAY[{}]", counts.join(", ")));
        // SECURITY: made of this program's own statements alone; values are bound.
        let text = AssertSqlSafe(self.text);
        let changed: Vec<i64> =
            sqlx::query_scalar_with(text, self.arguments).fetch_one(connection).await?;
        if changed == self.rows { Ok(()) } else { Err(StoreError::Conflict) }
    }
}

impl Part<'_> {
    pub(super) fn bind<'t, T>(self, value: T) -> Result<Self, StoreError>
    where
        T: Encode<'t, Postgres> + Type<Postgres>,
    {
        self.0.add(value).map_err(sqlx::Error::Encode)?;
        Ok(self)
    }
}

/// The statement with every `$n` raised: arguments of a compound are numbered throughout.
fn renumbered(statement: &str, by: usize) -> String {
    let mut pieces = statement.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (number, rest) = piece.split_at(end);
        // Statements of this program hold no other dollar.
        let number = number.parse::<usize>().map_or(0, |number| number.saturating_add(by));
        text.push_str(&format!("${number}{rest}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::renumbered;

    #[test]
    fn every_argument_of_a_part_is_renumbered() {
        let text = "SELECT $1::text[], $2, $12 FROM t WHERE a = $2";
        assert_eq!(renumbered(text, 0), text);
        assert_eq!(renumbered(text, 9), "SELECT $10::text[], $11, $21 FROM t WHERE a = $11");
    }
}
