//! What people and their roles are called. Names are compared folded: case does not count.

use std::fmt;

use crate::privacy::confidential_text;

/// Shortest and longest user name, in characters.
const USERNAME_CHARS: std::ops::RangeInclusive<usize> = 3..=32;

/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;

/// Longest part before the `@`, in bytes (RFC 5321, 4.5.3.1.1).
const EMAIL_LOCAL_BYTES_MAX: usize = 64;

/// Fewest and most digits in a telephone number.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Longest full name, in characters.
const FULL_NAME_CHARS_MAX: usize = 200;

/// Longest role name, in characters.
const ROLE_CHARS_MAX: usize = 32;

/// Why something is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("`username` must be 3 to 32 letters and digits")]
    Username,
    #[error("`email` must be an e-mail address of at most {EMAIL_BYTES_MAX} bytes")]
    Email,
    #[error("`phone` must be `+` and 7 to 15 digits, the country's code first")]
    Phone,
    #[error(
        "`name` must be 1 to {FULL_NAME_CHARS_MAX} characters, none of them a control, the first \
         and the last no space"
    )]
    FullName,
    #[error("`role` must be 1 to {ROLE_CHARS_MAX} lower-case letters and hyphens")]
    Role,
}

/// 3 to 32 ASCII letters and digits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Username(String);

confidential_text!(Username);

impl Username {
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let fits = USERNAME_CHARS.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Username) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// A plausible e-mail address; only a message that arrives proves one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EmailAddress(String);

confidential_text!(EmailAddress);

impl EmailAddress {
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let (local, domain) = text.rsplit_once('@').ok_or(NameError::Email)?;
        let fits = text.len() <= EMAIL_BYTES_MAX
            && (1..=EMAIL_LOCAL_BYTES_MAX).contains(&local.len())
            && local.split('.').all(is_atom)
            && domain.contains('.')
            && domain.split('.').all(is_label);
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Email) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// An atom of RFC 5322, 3.2.3. What needs quotes, and what is not ASCII, is no address here.
fn is_atom(atom: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !atom.is_empty() && atom.bytes().all(fits)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A telephone number as ITU-T E.164 writes it: `+`, a country's code, 7 to 15 digits in all.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PhoneNumber(String);

confidential_text!(PhoneNumber);

impl PhoneNumber {
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let fits = text.strip_prefix('+').is_some_and(|digits| {
            PHONE_DIGITS.contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && !digits.starts_with('0')
        });
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Phone) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody is called by others, in whatever script.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FullName(String);

confidential_text!(FullName);

impl FullName {
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let fits = (1..=FULL_NAME_CHARS_MAX).contains(&text.chars().count())
            && text.trim() == text
            && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::FullName) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A role of the policy. What it may do is the edge's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role(String);

impl Role {
    /// The role that hands out roles.
    pub(crate) const SUPER_ADMIN: &str = "super-admin";

    /// The role of those who register themselves.
    pub(crate) const CUSTOMER: &str = "customer";

    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let fits = text.len() <= ROLE_CHARS_MAX
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Role) }
    }

    /// The role of those who register themselves.
    pub(crate) fn customer() -> Self {
        Self(Self::CUSTOMER.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_letters_and_digits() {
        assert_eq!(Username::parse("Ann42").unwrap().folded(), "ann42");
        for text in ["", "ab", "a b", "ann-1", "änn", &"a".repeat(33)] {
            assert_eq!(Username::parse(text), Err(NameError::Username), "{text}");
        }
    }

    #[test]
    fn an_address_has_a_plausible_shape() {
        assert_eq!(
            EmailAddress::parse("O'Neil+x@Example.org").unwrap().folded(),
            "o'neil+x@example.org"
        );
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "",
            "a",
            "@b.org",
            "a@",
            "a@b",
            "a b@c.org",
            "a@b@c.org",
            "a@-b.org",
            "a@b..org",
            ".a@b.org",
            "a..b@c.org",
            "ä@b.org",
            "\"a b\"@c.org",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(text), Err(NameError::Email), "{text}");
        }
    }

    #[test]
    fn a_role_is_a_word_of_the_policy() {
        assert_eq!(Role::parse("super-admin").unwrap().as_str(), "super-admin");
        for text in ["", "-a", "Admin", "a b", &"a".repeat(33)] {
            assert_eq!(Role::parse(text), Err(NameError::Role), "{text}");
        }
    }
}
