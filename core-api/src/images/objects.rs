//! The folder or bucket that holds the files of images.
//!
//! In a folder, a file is there whole, on disk, or not at all. A bucket is of any service that
//! speaks S3; several cores need one, for each of them must find what another has kept.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt as _, RetryConfig,
};
use stockade_settings::secret::{self, SecretError};
use stockade_settings::{BucketSettings, ImageSettings};

use super::{ImageKey, Variant};

/// Longest time for one request to a bucket, and for all its repetitions.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// How the name of a thumbnail ends.
const THUMBNAIL: &str = "-thumbnail";

/// How the name of a file ends while it is written into a folder.
const DRAFT: &str = "#1";

/// Why images cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenObjectsError {
    #[error("core.images.folder is not set in stockade.toml")]
    NotSet,
    #[error("core.images names a folder and a bucket; remove one of them")]
    Both,
    #[error("core.images.folder `{}`: {why}", .path.display())]
    Folder { path: PathBuf, why: io::Error },
    #[error("core.images.folder `{}`: {why}", .path.display())]
    Store { path: PathBuf, why: Error },
    #[error("core.images.bucket.secret_access_key_file: {0}")]
    Secret(#[from] SecretError),
    #[error("core.images.bucket.secret_access_key_file holds no text")]
    NoText,
    #[error(
        "core.images.bucket.endpoint `{0}` is neither `https://HOST` nor `http://` on this machine"
    )]
    Endpoint(String),
    #[error("core.images.bucket: {0}")]
    Bucket(Error),
}

/// The files cannot be written or read now.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the files of images cannot be reached")]
pub(crate) struct ObjectError(#[source] Arc<Error>);

impl From<Error> for ObjectError {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

/// A file that is there.
pub(crate) struct Found {
    /// Its length.
    pub(crate) bytes: u64,
    pub(crate) stream: BoxStream<'static, Result<Bytes, ObjectError>>,
}

/// Where files are kept.
#[derive(Debug)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Where they are, if it is in a folder.
    folder: Option<PathBuf>,
}

impl Objects {
    /// Opens what the settings name, and makes the folder where there is none.
    pub(crate) fn make(settings: &ImageSettings) -> Result<Self, OpenObjectsError> {
        if let Some(path) = &settings.folder {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(|why| OpenObjectsError::Folder { path: path.clone(), why })?;
        }
        Self::open(settings)
    }

    /// Opens what the settings name.
    pub(crate) fn open(settings: &ImageSettings) -> Result<Self, OpenObjectsError> {
        match (&settings.folder, &settings.bucket) {
            (None, None) => Err(OpenObjectsError::NotSet),
            (Some(_), Some(_)) => Err(OpenObjectsError::Both),
            (Some(path), None) => Self::in_folder(path),
            (None, Some(bucket)) => Self::in_bucket(bucket),
        }
    }

    fn in_folder(path: &Path) -> Result<Self, OpenObjectsError> {
        let store = LocalFileSystem::new_with_prefix(path)
            .map_err(|why| OpenObjectsError::Store { path: path.to_owned(), why })?;
        let folder = Some(path.to_owned());
        Ok(Self { store: Arc::new(store.with_fsync(true)), folder })
    }

    fn in_bucket(settings: &BucketSettings) -> Result<Self, OpenObjectsError> {
        let secret = secret::read(&settings.secret_access_key_file)?;
        let secret = String::from_utf8(secret).map_err(|_| OpenObjectsError::NoText)?;
        let is_here = is_plain_here(&settings.endpoint);
        if !is_here && !settings.endpoint.starts_with("https://") {
            return Err(OpenObjectsError::Endpoint(settings.endpoint.clone()));
        }
        let options = ClientOptions::new()
            .with_allow_http(is_here)
            .with_timeout(REQUEST_MAX)
            .with_connect_timeout(REQUEST_MAX);
        let retries = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 2,
            retry_timeout: REQUEST_MAX,
        };
        let store = AmazonS3Builder::new()
            .with_client_options(options)
            .with_retry(retries)
            .with_endpoint(&settings.endpoint)
            .with_region(&settings.region)
            .with_bucket_name(&settings.name)
            .with_access_key_id(&settings.access_key_id)
            .with_secret_access_key(secret)
            // Some services know no other way.
            .with_disable_bulk_delete(true)
            .build()
            .map_err(OpenObjectsError::Bucket)?;
        Ok(Self { store: Arc::new(store), folder: None })
    }

    /// Keeps a file; one of the same name is replaced.
    pub(crate) async fn put(
        &self,
        key: ImageKey,
        variant: Variant,
        bytes: Bytes,
    ) -> Result<(), ObjectError> {
        self.store.put(&name(key, variant), bytes.into()).await?;
        Ok(())
    }

    /// The file, if it is there.
    pub(crate) async fn get(
        &self,
        key: ImageKey,
        variant: Variant,
    ) -> Result<Option<Found>, ObjectError> {
        match self.store.get(&name(key, variant)).await {
            Ok(found) => {
                let bytes = found.meta.size;
                let stream = found.into_stream().map_err(ObjectError::from).boxed();
                Ok(Some(Found { bytes, stream }))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether every file of an image is there.
    pub(crate) async fn has(&self, key: ImageKey) -> Result<bool, ObjectError> {
        for variant in Variant::ALL {
            match self.store.head(&name(key, variant)).await {
                Ok(_) => {}
                Err(Error::NotFound { .. }) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Removes every file of an image; that one is not there is as good.
    pub(crate) async fn remove(&self, key: ImageKey) -> Result<(), ObjectError> {
        for variant in Variant::ALL {
            match self.store.delete(&name(key, variant)).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            self.remove_draft(&name(key, variant)).await;
        }
        Ok(())
    }

    /// Removes what a write into the folder left behind that was killed. It is under no name that
    /// the store itself would find.
    async fn remove_draft(&self, name: &Name) {
        let Some(folder) = &self.folder else { return };
        match tokio::fs::remove_file(folder.join(format!("{name}{DRAFT}"))).await {
            Ok(()) => tracing::debug!(%name, "a draft was removed"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%name, %error, "a draft could not be removed"),
        }
    }

    /// The name of every file there is, and whose it is, unless nobody here could have named it.
    pub(crate) fn names(
        &self,
    ) -> BoxStream<'static, Result<(String, Option<ImageKey>), ObjectError>> {
        let listed = self.store.list(None).map_err(ObjectError::from);
        listed.map_ok(|object| (object.location.to_string(), owner(&object.location))).boxed()
    }
}

fn name(key: ImageKey, variant: Variant) -> Name {
    match variant {
        Variant::Original => Name::from(key.to_string()),
        Variant::Thumbnail => Name::from(format!("{key}{THUMBNAIL}")),
    }
}

fn owner(name: &Name) -> Option<ImageKey> {
    let text = name.as_ref();
    text.strip_suffix(THUMBNAIL).unwrap_or(text).parse().ok()
}

/// Whether an endpoint without TLS is on this machine.
fn is_plain_here(endpoint: &str) -> bool {
    let host = endpoint.strip_prefix("http://").unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|here| {
        host.strip_prefix(here).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_image() {
        let key = ImageKey([0xab; 16]);
        for variant in Variant::ALL {
            assert_eq!(owner(&name(key, variant)), Some(key));
        }
        assert_eq!(owner(&Name::from("notes.txt")), None);
    }

    #[test]
    fn without_tls_a_bucket_is_on_this_machine() {
        assert!(is_plain_here("http://127.0.0.1:9000") && is_plain_here("http://localhost"));
        for other in ["https://127.0.0.1", "http://127.0.0.1.example", "http://s3.example", ""] {
            assert!(!is_plain_here(other), "{other}");
        }
    }

    #[tokio::test]
    async fn a_folder_keeps_whole_files_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images");
        let settings = ImageSettings { folder: Some(path.clone()), ..ImageSettings::default() };
        assert!(Objects::open(&settings).is_err());
        let objects = Objects::make(&settings).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let key = ImageKey([1; 16]);
        objects.put(key, Variant::Original, Bytes::from_static(b"whole")).await.unwrap();
        assert!(!objects.has(key).await.unwrap());
        objects.put(key, Variant::Thumbnail, Bytes::from_static(b"small")).await.unwrap();
        assert!(objects.has(key).await.unwrap());
        let found = objects.get(key, Variant::Original).await.unwrap().unwrap();
        assert_eq!(found.bytes, 5);
        let bytes: Vec<_> = found.stream.try_collect().await.unwrap();
        assert_eq!(bytes.concat(), b"whole");
        let names: Vec<_> = objects.names().try_collect().await.unwrap();
        assert!(names.len() == 2 && names.iter().all(|(_, owner)| *owner == Some(key)));
        let draft = path.join(format!("{key}{THUMBNAIL}{DRAFT}"));
        std::fs::write(&draft, "half").unwrap();
        objects.remove(key).await.unwrap();
        objects.remove(key).await.unwrap();
        assert!(objects.get(key, Variant::Original).await.unwrap().is_none());
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
    }
}
