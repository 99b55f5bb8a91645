//! A desk without a core: for what is done to a database from the command line, beside a core
//! that runs or while none does.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use stockade_settings::CoreSettings;
use stockade_settings::store::StoreUrl;

use crate::clock::Clock;
use crate::ids::IdSource;
use crate::metrics::CoreMetrics;
use crate::start::{self, read_vault};
use crate::store::{OpenError, Store, open};
use crate::vault::Vault;
use crate::writer::Desk;

/// Why the database cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AloneError {
    #[error("core.store.url is not set")]
    NotSet,
    #[error("`{0}`: there is no database")]
    Missing(Box<StoreUrl>),
    #[error("`{url}`: {why}")]
    Database { url: Box<StoreUrl>, why: OpenError },
    #[error(transparent)]
    Keys(#[from] start::Cause),
    #[error("the database takes no writes")]
    NoWriter,
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// What becomes of a SQLite database that is not there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Missing {
    Made,
    Refused,
}

impl Missing {
    fn check(self, url: &StoreUrl) -> Result<(), AloneError> {
        match (self, url) {
            (Self::Refused, StoreUrl::Sqlite(file)) if !holds_anything(file) => {
                Err(AloneError::Missing(Box::new(url.clone())))
            }
            (Self::Made | Self::Refused, StoreUrl::Sqlite(_) | StoreUrl::Postgres(_)) => Ok(()),
        }
    }
}

/// SQLite takes an empty file for a database without tables.
fn holds_anything(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.len() > 0)
}

impl Desk {
    /// Opens the database of these settings, with a connection that writes and others that read.
    pub(crate) async fn alone(
        settings: &CoreSettings,
        missing: Missing,
    ) -> Result<(Self, Box<dyn Store>, Arc<Vault>), AloneError> {
        let url = settings.store.url.as_ref().ok_or(AloneError::NotSet)?;
        missing.check(url)?;
        let vault = Arc::new(read_vault(settings)?);
        let opened = open(url, &settings.store, &vault).await;
        let mut opened =
            opened.map_err(|why| AloneError::Database { url: Box::new(url.clone()), why })?;
        let store = opened.writers.pop().ok_or(AloneError::NoWriter)?;
        let metrics = Arc::new(CoreMetrics::register(&prometheus::Registry::new())?);
        let (clock, ids) = (Clock::system(), IdSource::default());
        Ok((Self { store, clock, ids, metrics, low_at: None }, opened.store, vault))
    }
}
