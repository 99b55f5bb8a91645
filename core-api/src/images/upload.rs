//! Upload: an image comes in.
//!
//! What was sent is looked into by the scanner, then decoded and written anew. The removal of
//! the new files is written down before they are, and taken back by the transaction that puts
//! the image on its product.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stockade_images::{BadImage, Recoded, check_type, recode};
use tokio::time::timeout;

use super::scanner::{ScanError, Verdict};
use super::{Alt, Format, IMAGES_MAX, Image, ImageKey, ObjectError, Variant, due_at};
use crate::app::App;
use crate::audit::Action;
use crate::ids::ProductId;
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long a file waits for others to be made anew. The edge waits no longer than half a minute.
const RECODE_WAIT_MAX: Duration = Duration::from_secs(10);

/// A file that somebody sent.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) product: ProductId,
    /// What it is declared to be.
    pub(crate) format: Format,
    pub(crate) file: Bytes,
    pub(crate) alt: Alt,
}

/// Why an image was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("there is no such product")]
    NotFound,
    #[error("a product has at most {IMAGES_MAX} images")]
    TooMany,
    #[error(transparent)]
    Bad(#[from] BadImage),
    #[error("the scanner found `{0}`")]
    Infected(String),
    #[error("the scanner said nothing")]
    NotScanned(#[from] ScanError),
    #[error("the image's files could not be kept")]
    Files(#[from] ObjectError),
    #[error("the system gave no random bytes")]
    Entropy(#[from] getrandom::Error),
    #[error("the image could not be added")]
    Write(#[from] WriteError),
}

impl From<StoreError> for UploadError {
    fn from(error: StoreError) -> Self {
        Self::Write(WriteError::Store(error))
    }
}

/// An image about to be a product's.
#[derive(Debug, Clone)]
pub(crate) struct NewImage {
    pub(crate) product: ProductId,
    pub(crate) image: Image,
}

/// Files that are about to be written.
#[derive(Debug, Clone, Copy)]
struct Announce(ImageKey);

/// Takes an image in; answers when it is the product's.
pub(crate) async fn add(app: &App, upload: Upload) -> Result<Image, UploadError> {
    let Upload { product, format, file, alt } = upload;
    check_type(&file, format)?;
    scan(app, product, &file).await?;
    let recoded = make_anew(app, file, format).await?;
    let key = ImageKey::random()?;
    app.writer.submit(Announce(key)).await?;
    let objects = &app.images.objects;
    objects.put(key, Variant::Original, recoded.original.bytes).await?;
    objects.put(key, Variant::Thumbnail, recoded.thumbnail.bytes).await?;
    let image = Image {
        id: app.ids.next(app.clock.now()),
        key,
        format: recoded.format,
        size: recoded.original.size,
        thumbnail: recoded.thumbnail.size,
        alt: alt.as_str().to_owned(),
    };
    app.writer.submit(NewImage { product, image: image.clone() }).await??;
    Ok(image)
}

async fn scan(app: &App, product: ProductId, file: &[u8]) -> Result<(), UploadError> {
    let Some(scanner) = &app.images.scanner else { return Ok(()) };
    let verdict = scanner.scan(file).await;
    app.metrics.image_scanned(match &verdict {
        Ok(Verdict::Clean) => "clean",
        Ok(Verdict::Infected(_)) => "infected",
        Err(_) => "failed",
    });
    match verdict? {
        Verdict::Clean => Ok(()),
        Verdict::Infected(name) => {
            let found = name.as_str();
            tracing::warn!(product.id = %product, found, "an infected image was refused");
            Err(UploadError::Infected(name))
        }
    }
}

/// Makes our own files of one that was sent, away from the threads that answer.
async fn make_anew(app: &App, file: Bytes, format: Format) -> Result<Recoded, UploadError> {
    let place = timeout(RECODE_WAIT_MAX, Arc::clone(&app.images.recoding).acquire_owned()).await;
    let place = place.map_err(|_| WriteError::Busy)?;
    // The place is kept until the work is done, also when nobody waits for it any more.
    let work = tokio::task::spawn_blocking(move || {
        let _place = place;
        recode(&file, format)
    });
    work.await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "a decoder broke on an image");
            Err(BadImage::Broken)
        })
        .map_err(UploadError::from)
}

impl Write for Announce {
    type Answer = ();

    fn wants(&self, _: &mut Wanted) {}

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.album.doomed.push((self.0, due_at(sheet.now)));
    }
}

impl Write for NewImage {
    type Answer = Result<(), UploadError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.products.insert(self.product);
        wanted.albums.insert(self.product);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        if sheet.catalog.listing(self.product).is_none() {
            return Err(UploadError::NotFound);
        }
        if sheet.album.count(self.product) >= IMAGES_MAX {
            return Err(UploadError::TooMany);
        }
        sheet.album.add(self.clone());
        sheet.catalog.touch(self.product);
        sheet.audit(Action::ImageAdded, self.product);
        Ok(())
    }
}
