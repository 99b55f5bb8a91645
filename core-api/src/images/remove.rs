//! Removal: an image is gone from the database at once, and its files after a while.
//!
//! The while is for those who restore the database of yesterday: it still finds its images.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::ImageKey;
use crate::app::App;
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::ids::{ImageId, ProductId};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long files outlive their image, and an upload that was interrupted. No upload takes
/// nearly as long.
const GRACE: Duration = Duration::from_hours(24);

/// How often the database is asked for files that are due.
const ROUND: Duration = Duration::from_secs(1);

/// How long to leave a store alone that could not remove everything.
const PAUSE: Duration = Duration::from_mins(1);

/// Images whose files are removed in one round.
const REMOVED_MAX: u32 = 100;

/// Why an image was not removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoImage {
    #[error("there is no such image")]
    NotFound,
    #[error("could not remove the image")]
    Write(#[from] WriteError),
}

/// An image that is no longer wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RemoveImage {
    pub(crate) product: ProductId,
    pub(crate) image: ImageId,
}

/// Images whose files are gone.
#[derive(Debug, Clone)]
struct Forget(Vec<ImageKey>);

/// When files go that are not wanted from now on.
pub(crate) fn due_at(now: Timestamp) -> Timestamp {
    now.plus(GRACE)
}

/// Takes an image off its product.
pub(crate) async fn remove(app: &App, image: RemoveImage) -> Result<(), NoImage> {
    app.writer.submit(image).await?
}

/// Removes files that are due, until it is dropped.
pub(crate) async fn sweep_forever(app: Arc<App>) {
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "files of images could not be removed");
            sleep(PAUSE).await;
        }
    }
}

async fn sweep(app: &App) -> Result<(), anyhow::Error> {
    let due = app.store.doomed_images(app.clock.now(), REMOVED_MAX).await?;
    if due.is_empty() {
        return Ok(());
    }
    let (mut gone, mut first_error) = (Vec::new(), None);
    for key in due {
        match app.images.objects.remove(key).await {
            Ok(()) => gone.push(key),
            // One that cannot be removed keeps no other.
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    if !gone.is_empty() {
        tracing::info!(images = gone.len(), "files of images were removed");
        app.writer.submit(Forget(gone)).await?;
    }
    first_error.map_or(Ok(()), |error| Err(error.into()))
}

impl Write for RemoveImage {
    type Answer = Result<(), NoImage>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.products.insert(self.product);
        wanted.albums.insert(self.product);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let is_sold = sheet.catalog.listing(self.product).is_some();
        if !is_sold || !sheet.album.remove(self.product, self.image, due_at(sheet.now)) {
            return Err(NoImage::NotFound);
        }
        sheet.catalog.touch(self.product);
        sheet.audit(Action::ImageRemoved, self.product);
        Ok(())
    }
}

impl Write for Forget {
    type Answer = ();

    fn wants(&self, _: &mut Wanted) {}

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.album.gone.extend(self.0.iter().copied());
    }
}
