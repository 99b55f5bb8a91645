//! Low stock: no more is available of a SKU than its threshold.
//!
//! A SKU has a threshold of its own, or that of the settings, or none. A movement that leaves a
//! SKU low that was not is told to the edge and counted; more of the same is not.

use super::{StockLevel, Stocked, Units};
use crate::app::App;
use crate::audit::{Action, Object};
use crate::sku::Sku;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// An answer, and whether what was done left a SKU low that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lowering<T> {
    pub(crate) answer: T,
    pub(crate) lowers: bool,
}

impl<T> Lowering<T> {
    /// Decides on the sheet, and sees whether that lowers anything.
    pub(crate) fn seen<E>(
        sheet: &mut Worksheet,
        decide: impl FnOnce(&mut Worksheet) -> Result<T, E>,
    ) -> Result<Self, E> {
        let before = sheet.shelf.lowered();
        let answer = decide(sheet)?;
        Ok(Self { answer, lowers: sheet.shelf.lowered() > before })
    }
}

/// Why a threshold was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThresholdError {
    #[error("sku `{0}` was never sold here")]
    UnknownSku(Sku),
    #[error("could not change the threshold")]
    Write(#[from] WriteError),
}

/// Another threshold of a SKU's own; without one, that of the settings counts.
#[derive(Debug, Clone)]
pub(crate) struct SetLowAt {
    pub(crate) sku: Sku,
    pub(crate) low_at: Option<Units>,
}

/// Changes when a SKU is low.
pub(crate) async fn set_low_at(app: &App, wanted: SetLowAt) -> Result<Stocked, ThresholdError> {
    app.writer.submit(wanted).await?
}

impl Write for SetLowAt {
    type Answer = Result<Stocked, ThresholdError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.skus.insert(self.sku.clone());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let unknown = || ThresholdError::UnknownSku(self.sku.clone());
        let level: StockLevel = sheet.shelf.level(&self.sku).ok_or_else(unknown)?;
        sheet.shelf.set_low_at(&self.sku, self.low_at);
        sheet.audit(Action::StockThresholdSet, Object::NONE);
        let low_at = sheet.shelf.low_at(&self.sku);
        Ok(Stocked { sku: self.sku.clone(), level, low_at })
    }
}
