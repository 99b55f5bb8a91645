//! The keys of all images of a shop, to be held against the files there are.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use stockade_settings::store::StoreUrl;
use zeroize::Zeroizing;

use super::postgres::{self, Login, check_schema};
use super::rows::images::KnownImages;
use super::{OpenError, StoreError, sqlite};
use crate::verify::Cause;

/// Reads the keys of every image from a database that this version wrote.
pub(crate) async fn known_images(
    url: &StoreUrl,
    password: Option<Zeroizing<String>>,
) -> Result<KnownImages, Cause> {
    match url {
        StoreUrl::Sqlite(file) => {
            let options = SqliteConnectOptions::new().filename(file).pragma("query_only", "ON");
            let connected = options.busy_timeout(sqlite::BUSY_TIMEOUT).connect().await;
            let mut connection = connected.map_err(OpenError::Connect)?;
            if !sqlite::verify::is_current(&mut connection).await {
                return Err(Cause::OtherVersion);
            }
            let known = sqlite::known_images(&mut connection).await?;
            connection.close().await.map_err(StoreError::from)?;
            Ok(known)
        }
        StoreUrl::Postgres(url) => {
            let login = Login::new(url, password.as_ref()).unhurried();
            let mut connection = login.connect().await?;
            check_schema(&mut connection).await?;
            let known = postgres::known_images(&mut connection).await?;
            connection.close().await.map_err(StoreError::from)?;
            Ok(known)
        }
    }
}
