//! Money: a whole number of minor units (cents) of one ISO 4217 currency.
//!
//! Sums are checked: an amount that does not fit is an error, never a wrong number.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A currency's three letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Currency([u8; 3]);

impl Currency {
    pub(crate) const EUR: Self = Self(*b"EUR");
}

/// The text is not three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters")]
pub(crate) struct NotACurrency;

impl TryFrom<String> for Currency {
    type Error = NotACurrency;

    fn try_from(text: String) -> Result<Self, NotACurrency> {
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| NotACurrency)?;
        if letters.iter().all(u8::is_ascii_uppercase) {
            Ok(Self(letters))
        } else {
            Err(NotACurrency)
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or("???"))
    }
}

/// Highest price of one unit, in minor units.
pub(crate) const PRICE_MINOR_MAX: i64 = 1_000_000_000_000;

/// What one unit costs, in minor units: 1 to [`PRICE_MINOR_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub(crate) struct PriceMinor(i64);

/// The number is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a price is 1 to {PRICE_MINOR_MAX} minor units")]
pub(crate) struct NotAPrice;

impl TryFrom<i64> for PriceMinor {
    type Error = NotAPrice;

    fn try_from(minor: i64) -> Result<Self, NotAPrice> {
        if (1..=PRICE_MINOR_MAX).contains(&minor) { Ok(Self(minor)) } else { Err(NotAPrice) }
    }
}

impl From<PriceMinor> for i64 {
    fn from(price: PriceMinor) -> Self {
        price.0
    }
}

impl PriceMinor {
    /// The price in this currency.
    pub(crate) fn of(self, currency: Currency) -> Money {
        Money { minor: self.0, currency }
    }
}

/// An amount of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Money {
    pub(crate) minor: i64,
    pub(crate) currency: Currency,
}

impl Money {
    /// So many times this amount; `None` when that does not fit.
    pub(crate) fn times(self, count: i64) -> Option<Self> {
        Some(Self { minor: self.minor.checked_mul(count)?, ..self })
    }

    /// Both together; `None` when that does not fit or the currencies differ.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        Some(Self { minor: self.minor.checked_add(other.minor)?, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(minor: i64) -> Money {
        Money { minor, currency: Currency::EUR }
    }

    #[test]
    fn amounts_do_not_wrap() {
        assert_eq!(eur(250).times(4), Some(eur(1000)));
        assert_eq!(eur(i64::MAX).times(2), None);
        assert_eq!(eur(i64::MAX).plus(eur(1)), None);
    }

    #[test]
    fn currencies_do_not_mix() {
        let usd = Currency::try_from("USD".to_owned()).unwrap();
        assert_eq!(eur(1).plus(Money { minor: 1, currency: usd }), None);
        assert_eq!(Currency::try_from("usd".to_owned()), Err(NotACurrency));
    }
}
