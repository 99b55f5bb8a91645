//! Reads lines that are as the log writes them: every field in its place, plain texts and whole
//! numbers, no blanks, no escapes.
//!
//! INVARIANT: a line that is taken here is read the same by serde_json. So anything that JSON
//! could mean in a second way (blanks, escapes, other values, a field that comes twice) is not
//! taken, and a text is only ever the bytes between two quotes.

use std::borrow::Cow;

use super::Recorded;

/// A number of so many digits is never too large for 64 bits.
const DIGITS_MAX: usize = 19;

/// The record, or nothing where the line is not as plain as this needs.
pub(super) fn read(line: &[u8]) -> Option<Recorded<'_>> {
    if has_escape_or_control(line) {
        return None;
    }
    let mut rest = Rest(str::from_utf8(line).ok()?);
    // The order is that of `DecisionRecord`.
    let time_ms = rest.after("{\"time_ms\":")?.number()?;
    let decision_id = rest.after(",\"decision_id\":")?.text()?;
    let method = rest.after(",\"method\":")?.text()?;
    let path = rest.after(",\"path\":")?.text()?;
    let route = rest.after(",\"route\":")?.text()?;
    rest.after(",\"status\":")?.number()?;
    let code = rest.maybe(",\"code\":", Rest::text)?;
    rest.maybe(",\"step\":", Rest::text)?;
    rest.after(",\"bytes\":")?.number()?;
    rest.after(",\"duration_us\":")?.number()?;
    rest.after(",\"edge_us\":")?.number()?;
    let client = rest.after(",\"client\":")?.text()?;
    let account = rest.maybe(",\"account\":", Rest::text)?;
    let held = rest.maybe(",\"held\":", Rest::text)?;
    let roles = rest.after(",\"roles\":")?.text()?;
    let mfa_s = rest.maybe(",\"mfa_s\":", Rest::number)?;
    rest.maybe(",\"conditions\":", Rest::text)?;
    let scope = rest.maybe(",\"scope\":", Rest::text)?;
    rest.maybe(",\"user_agent\":", Rest::text)?;
    rest.after(",\"bundle\":")?.text()?;
    rest.maybe(",\"shadow_bundle\":", Rest::text)?;
    rest.maybe(",\"shadow\":", Rest::text)?;
    (rest.0 == "}").then_some(Recorded {
        time_ms,
        decision_id,
        method,
        path,
        route,
        code,
        client,
        account,
        held,
        roles,
        mfa_s,
        scope,
    })
}

/// Whether some byte needs care in JSON text. Looks at every byte, which compiles to a few
/// instructions for many bytes at once.
fn has_escape_or_control(line: &[u8]) -> bool {
    line.iter().fold(false, |found, byte| found | (*byte < b' ') | (*byte == b'\\'))
}

/// What is left of a line.
#[derive(Debug)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Passes what must come next.
    fn after(&mut self, key: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(key)?;
        Some(self)
    }

    /// Reads a value where its key comes next, and nothing where it does not.
    fn maybe<T>(&mut self, key: &str, read: fn(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.0.strip_prefix(key) {
            Some(rest) => {
                self.0 = rest;
                read(self).map(Some)
            }
            None => Some(None),
        }
    }

    fn text(&mut self) -> Option<Cow<'a, str>> {
        let inside = self.0.strip_prefix('"')?;
        let end = memchr::memchr(b'"', inside.as_bytes())?;
        self.0 = inside.get(end + 1..)?;
        inside.get(..end).map(Cow::Borrowed)
    }

    /// A number as JSON wants it: no sign, no needless zero, no fraction.
    fn number(&mut self) -> Option<u64> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        let plain = digits == "0" || !digits.starts_with('0');
        let value = |sum: u64, digit: u8| sum * 10 + u64::from(digit - b'0');
        (plain && (1..=DIGITS_MAX).contains(&count)).then(|| digits.bytes().fold(0, value))
    }
}
