//! The core's database and its keys, for verbs that work on it without a core.

use std::path::PathBuf;

use stockade_settings::CoreSettings;
use stockade_settings::store::{StoreSettings, StoreUrl, Writers};

/// Where the database is.
#[derive(Debug, clap::Args)]
pub(crate) struct PlaceArgs {
    /// The core's database, `sqlite:FILE` or `postgres://...`; it may be in use.
    #[arg(
        long,
        value_name = "DATABASE",
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite:.stockade/stockade.db"
    )]
    database: StoreUrl,
    /// PostgreSQL's password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PlaceArgs {
    /// The database's settings.
    pub(crate) fn store(&self) -> StoreSettings {
        StoreSettings {
            url: Some(self.database.clone()),
            password_file: self.password_file.clone(),
            writers: Writers::ONE,
            ..StoreSettings::default()
        }
    }
}

/// Where the database is, and the keys to what is confidential in it.
#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The key of `core.data_key_file`.
    #[arg(long, value_name = "FILE", default_value = ".stockade/data-key")]
    data_key_file: PathBuf,
    /// The key before it, of `core.previous_data_key_file`.
    #[arg(long, value_name = "FILE")]
    previous_data_key_file: Option<PathBuf>,
    /// The key of `core.index_key_file`.
    #[arg(long, value_name = "FILE", default_value = ".stockade/index-key")]
    index_key_file: PathBuf,
}

impl DatabaseArgs {
    /// The core's settings, as far as its database goes.
    pub(crate) fn settings(&self) -> CoreSettings {
        CoreSettings {
            store: self.place.store(),
            data_key_file: Some(self.data_key_file.clone()),
            previous_data_key_file: self.previous_data_key_file.clone(),
            index_key_file: Some(self.index_key_file.clone()),
            ..CoreSettings::default()
        }
    }
}
