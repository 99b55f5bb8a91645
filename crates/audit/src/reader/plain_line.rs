//! Reads the lines that need no care: one flat object of plain texts and whole numbers.
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
    let mut rest = Rest(str::from_utf8(line).ok()?.strip_prefix('{')?);
    let mut found = Found::default();
    loop {
        let key = rest.text()?;
        rest.pass(':')?;
        found.take(key, &mut rest)?;
        if rest.pass(',').is_none() {
            break;
        }
    }
    (rest.0 == "}").then(|| found.complete()).flatten()
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
    fn pass(&mut self, mark: char) -> Option<()> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(())
    }

    fn text(&mut self) -> Option<&'a str> {
        let inside = self.0.strip_prefix('"')?;
        let end = memchr::memchr(b'"', inside.as_bytes())?;
        self.0 = inside.get(end + 1..)?;
        inside.get(..end)
    }

    /// The digits of a number as JSON wants them: no sign, no needless zero, no fraction.
    fn digits(&mut self) -> Option<&'a str> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.0.get(..count)?;
        self.0 = self.0.get(count..)?;
        let plain = digits == "0" || !digits.starts_with('0');
        (plain && (1..=DIGITS_MAX).contains(&count)).then_some(digits)
    }

    fn number(&mut self) -> Option<u64> {
        let value = |sum: u64, digit: u8| sum * 10 + u64::from(digit - b'0');
        Some(self.digits()?.bytes().fold(0, value))
    }

    /// Passes a value that is of no interest.
    fn skip(&mut self) -> Option<()> {
        if self.0.starts_with('"') { self.text() } else { self.digits() }.map(drop)
    }
}

/// The fields found so far.
#[derive(Debug, Default)]
struct Found<'a> {
    time_ms: Option<u64>,
    decision_id: Option<&'a str>,
    method: Option<&'a str>,
    path: Option<&'a str>,
    route: Option<&'a str>,
    code: Option<&'a str>,
    client: Option<&'a str>,
    account: Option<&'a str>,
    held: Option<&'a str>,
    roles: Option<&'a str>,
    mfa_s: Option<u64>,
    scope: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn take(&mut self, key: &str, rest: &mut Rest<'a>) -> Option<()> {
        match key {
            "time_ms" => once(&mut self.time_ms, rest.number()?),
            "decision_id" => once(&mut self.decision_id, rest.text()?),
            "method" => once(&mut self.method, rest.text()?),
            "path" => once(&mut self.path, rest.text()?),
            "route" => once(&mut self.route, rest.text()?),
            "code" => once(&mut self.code, rest.text()?),
            "client" => once(&mut self.client, rest.text()?),
            "account" => once(&mut self.account, rest.text()?),
            "held" => once(&mut self.held, rest.text()?),
            "roles" => once(&mut self.roles, rest.text()?),
            "mfa_s" => once(&mut self.mfa_s, rest.number()?),
            "scope" => once(&mut self.scope, rest.text()?),
            _ => rest.skip(),
        }
    }

    fn complete(self) -> Option<Recorded<'a>> {
        Some(Recorded {
            time_ms: self.time_ms?,
            decision_id: Cow::Borrowed(self.decision_id?),
            method: Cow::Borrowed(self.method?),
            path: Cow::Borrowed(self.path?),
            route: Cow::Borrowed(self.route?),
            code: self.code.map(Cow::Borrowed),
            client: Cow::Borrowed(self.client?),
            account: self.account.map(Cow::Borrowed),
            held: self.held.map(Cow::Borrowed),
            roles: Cow::Borrowed(self.roles?),
            mfa_s: self.mfa_s,
            scope: self.scope.map(Cow::Borrowed),
        })
    }
}

/// Fills a field that was empty.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}
