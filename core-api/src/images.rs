//! Images of products: taken in from strangers, kept as something of our own making, shown by
//! links that end.
//!
//! | file | what |
//! |---|---|
//! | `images/upload.rs` | an image comes in: looked into, made anew, kept, then told to the database |
//! | `images/scanner.rs` | clamd, which may refuse what was sent |
//! | `images/objects.rs` | the folder or bucket that holds the files |
//! | `images/links.rs` | links that are good for an hour |
//! | `images/remove.rs` | an image goes: from the database at once, its files after a while |
//! | `images/album.rs` | the rows of one batch |
//! | `images/verify.rs` | proof that database and files agree |
//!
//! What was sent becomes pixels, and the pixels files of ours, in the crate `stockade-images`.
//!
//! The database is the truth. Before files are written, their removal is written down; the
//! transaction that adds the image takes the removal back. So whatever is interrupted leaves
//! nothing that is seen, and nothing that stays.

mod album;
mod key;
mod links;
mod objects;
mod remove;
mod scanner;
mod upload;
mod verify;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use album::Album;
pub(crate) use key::ImageKey;
pub(crate) use links::{Link, LinkError, LinkKeys, LinkKeysError};
pub(crate) use objects::{ObjectError, Objects, OpenObjectsError};
pub(crate) use remove::{NoImage, RemoveImage, due_at, remove, sweep_forever};
pub(crate) use scanner::{BadAddress, ScanError, Scanner};
pub(crate) use stockade_images::{BadImage, Format, Size};
use tokio::sync::Semaphore;
pub(crate) use upload::{NewImage, Upload, UploadError, add};
pub use verify::verify_images;

use crate::app::App;
use crate::ids::{ImageId, ProductId};
use crate::store::StoreError;

/// Largest image that is taken, in bytes.
pub(crate) const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024;

/// Most images of one product.
pub(crate) const IMAGES_MAX: usize = 12;

/// Longest text that stands for an image, in characters.
pub(crate) const ALT_CHARS_MAX: usize = 300;

/// Images that may be on their way in at once: each takes its bytes of memory, twice for a moment.
const RECEIVED_MAX: usize = 8;

/// Images that are made anew at once: the largest takes a processor for seconds, and 250 MB.
const RECODED_MAX: usize = 1;

/// What is needed to take images in and to show them.
#[derive(Debug)]
pub(crate) struct Images {
    pub(crate) objects: Objects,
    pub(crate) links: LinkKeys,
    pub(crate) scanner: Option<Scanner>,
    /// Places for images on their way in.
    pub(crate) receiving: Semaphore,
    recoding: Arc<Semaphore>,
    /// How long an image may take to arrive.
    pub(crate) receive_max: Duration,
}

impl Images {
    pub(crate) fn new(
        objects: Objects,
        links: LinkKeys,
        scanner: Option<Scanner>,
        receive_max: Duration,
    ) -> Self {
        let receiving = Semaphore::new(RECEIVED_MAX);
        let recoding = Arc::new(Semaphore::new(RECODED_MAX));
        Self { objects, links, scanner, receiving, recoding, receive_max }
    }
}

/// One of the files that are made of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// As large as it came.
    Original,
    /// Within 800 by 600 pixels.
    Thumbnail,
}

impl Variant {
    pub(crate) const ALL: [Self; 2] = [Self::Original, Self::Thumbnail];
}

/// What those are told who do not see the image: at most [`ALT_CHARS_MAX`] characters on one
/// line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Alt(String);

/// The text cannot stand for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`alt` is at most {ALT_CHARS_MAX} characters on one line")]
pub(crate) struct NotAlt;

impl Alt {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Alt {
    type Error = NotAlt;

    fn try_from(text: String) -> Result<Self, NotAlt> {
        let fits = text.chars().count() <= ALT_CHARS_MAX && !text.chars().any(char::is_control);
        if fits { Ok(Self(text)) } else { Err(NotAlt) }
    }
}

/// What is shown of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) id: ImageId,
    pub(crate) key: ImageKey,
    pub(crate) format: Format,
    pub(crate) size: Size,
    pub(crate) thumbnail: Size,
    pub(crate) alt: String,
}

/// The images of a product in the order in which they came; `None` when there is no such
/// product on sale.
pub(crate) async fn list(app: &App, product: ProductId) -> Result<Option<Vec<Image>>, StoreError> {
    Ok(app.store.product(product).await?.map(|product| product.images))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alt_is_one_line() {
        let alt = |text: &str| Alt::try_from(text.to_owned());
        assert!(alt("").is_ok() && alt(&"é".repeat(300)).is_ok());
        assert!(alt("a\nb").is_err() && alt(&"é".repeat(301)).is_err());
    }
}
