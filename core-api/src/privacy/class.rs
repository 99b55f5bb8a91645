//! Classes: how private a stored value is, which decides how it is kept, logged and exported.
//!
//! What is confidential of a person has a type of its own, which says under which field it is
//! sealed ([`Confidential`]) and prints nothing but its kind.

use zeroize::Zeroizing;

/// A field that is sealed under its subject's key. Its name is bound into what is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SealedField {
    Username,
    EmailAddress,
    PhoneNumber,
    FullName,
    TotpSecret,
    Letter,
}

impl SealedField {
    #[cfg(test)]
    pub(super) const ALL: [Self; 6] = [
        Self::Username,
        Self::EmailAddress,
        Self::PhoneNumber,
        Self::FullName,
        Self::TotpSecret,
        Self::Letter,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::EmailAddress => "email",
            Self::PhoneNumber => "phone",
            Self::FullName => "full_name",
            Self::TotpSecret => "totp_secret",
            Self::Letter => "letter",
        }
    }
}

/// A value that is sealed before it is kept. It must print nothing but its kind.
pub(crate) trait Confidential: Sized + std::fmt::Debug {
    const FIELD: SealedField;

    /// What is sealed.
    fn to_plain(&self) -> Zeroizing<Vec<u8>>;

    /// Reads it back; nothing where it is no such value.
    fn from_plain(plain: &[u8]) -> Option<Self>;
}

/// For types that are a text of their own.
macro_rules! confidential_text {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl $crate::privacy::Confidential for $name {
            const FIELD: $crate::privacy::SealedField = $crate::privacy::SealedField::$name;

            fn to_plain(&self) -> zeroize::Zeroizing<Vec<u8>> {
                zeroize::Zeroizing::new(self.as_str().as_bytes().to_vec())
            }

            fn from_plain(plain: &[u8]) -> Option<Self> {
                std::str::from_utf8(plain).ok().and_then(|text| Self::parse(text).ok())
            }
        }
    };
}

pub(crate) use confidential_text;
