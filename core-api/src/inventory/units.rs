//! Numbers of units.

use serde::{Deserialize, Serialize};

/// Most units in one movement.
pub(crate) const QUANTITY_MAX: u32 = 1_000_000;

/// Most units that are counted, or waited for, of one SKU.
pub(crate) const UNITS_MAX: u32 = 1_000_000_000;

/// A number of units: 1 to [`QUANTITY_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Quantity(u32);

/// Not a number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is 1 to {QUANTITY_MAX}")]
pub(crate) struct NotAQuantity;

impl TryFrom<u32> for Quantity {
    type Error = NotAQuantity;

    fn try_from(units: u32) -> Result<Self, NotAQuantity> {
        if (1..=QUANTITY_MAX).contains(&units) { Ok(Self(units)) } else { Err(NotAQuantity) }
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl Quantity {
    pub(crate) fn units(self) -> i64 {
        i64::from(self.0)
    }
}

/// A number of units that may be none: 0 to [`UNITS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u32")]
pub(crate) struct Units(u32);

/// Not a number of units, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("units are 0 to {UNITS_MAX}")]
pub(crate) struct NotUnits;

impl TryFrom<i64> for Units {
    type Error = NotUnits;

    fn try_from(units: i64) -> Result<Self, NotUnits> {
        let units = u32::try_from(units).map_err(|_| NotUnits)?;
        if units <= UNITS_MAX { Ok(Self(units)) } else { Err(NotUnits) }
    }
}

impl From<Units> for u32 {
    fn from(units: Units) -> Self {
        units.0
    }
}

impl From<Units> for i64 {
    fn from(units: Units) -> Self {
        Self::from(units.0)
    }
}

/// A number of units more, or fewer: not zero, and at most [`QUANTITY_MAX`] either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub(crate) struct Delta {
    quantity: Quantity,
    fewer: bool,
}

/// Not a change of a number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delta is -{QUANTITY_MAX} to {QUANTITY_MAX}, and not 0")]
pub(crate) struct NotADelta;

impl TryFrom<i64> for Delta {
    type Error = NotADelta;

    fn try_from(units: i64) -> Result<Self, NotADelta> {
        let quantity = u32::try_from(units.unsigned_abs()).map_err(|_| NotADelta)?;
        let quantity = Quantity::try_from(quantity).map_err(|_| NotADelta)?;
        Ok(Self { quantity, fewer: units < 0 })
    }
}

impl From<Delta> for i64 {
    fn from(delta: Delta) -> Self {
        delta.units()
    }
}

impl Delta {
    /// With its sign.
    pub(crate) fn units(self) -> i64 {
        if self.fewer { -self.quantity.units() } else { self.quantity.units() }
    }

    /// Without its sign.
    pub(crate) fn quantity(self) -> Quantity {
        self.quantity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_may_be_none_and_are_bounded() {
        for units in [0, 1, 1_000_000_000] {
            assert_eq!(Units::try_from(units).map(i64::from), Ok(units));
        }
        for units in [-1, 1_000_000_001, i64::MIN, i64::MAX] {
            assert_eq!(Units::try_from(units), Err(NotUnits), "{units}");
        }
    }

    #[test]
    fn a_delta_is_bounded_and_not_zero() {
        for units in [1, -1, 1_000_000, -1_000_000] {
            assert_eq!(Delta::try_from(units).unwrap().units(), units);
        }
        for units in [0, 1_000_001, -1_000_001, i64::MIN, i64::MAX] {
            assert_eq!(Delta::try_from(units), Err(NotADelta), "{units}");
        }
    }
}
