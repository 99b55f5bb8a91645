//! "Did you mean": the known name that is closest to a misspelled one.

/// Names compared per question; suggestions are a courtesy and must stay cheap.
const CANDIDATES_MAX: usize = 1000;
/// Names longer than this are not compared.
const NAME_CHARS_MAX: usize = 64;

/// The advice for an unknown `name`: the nearest of `known`, or `otherwise`.
pub(crate) fn nearest<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    let name = name.to_lowercase();
    let limit = match name.chars().count() {
        0..=3 => 1,
        4..=8 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .take(CANDIDATES_MAX)
        .map(|candidate| (distance(&name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map_or_else(|| otherwise.to_owned(), |(_, best)| format!("did you mean `{best}`?"))
}

/// The number of characters to insert, remove or replace to turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    if from.chars().count().max(to.chars().count()) > NAME_CHARS_MAX {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (b, above) in to.chars().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(a != b);
            left = replaced.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (from, to, edits) in
            [("", "", 0), ("", "ab", 2), ("order", "orders", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(from, to), edits, "{from} {to}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["orders", "products"];
        assert_eq!(nearest("Ordrs", known, "declare it"), "did you mean `orders`?");
        assert_eq!(nearest("refunds", known, "declare it"), "declare it");
    }
}
