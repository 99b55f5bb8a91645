//! Verify: proof that the images of the database and their files agree.
//!
//! It may run beside a core that serves: what looks wrong is looked at once more, and was only
//! on its way if it has changed by then.

use std::collections::BTreeSet;
use std::path::Path;

use futures::TryStreamExt as _;
use stockade_settings::ImageSettings;
use stockade_settings::store::StoreUrl;

use super::{ImageKey, ObjectError, Objects};
use crate::store::{KnownImages, known_images, read_password};
use crate::verify::{BROKEN_MAX, Broken, Cause, Report, VerifyError};

const HAVE_FILES: &str = "every image has its files";
const HAVE_IMAGES: &str = "every file is of an image, or waits to be removed";

/// Checks that every image has its files, and every file an image.
///
/// # Errors
/// [`VerifyError`] when the database or the files cannot be read.
pub async fn verify_images(
    url: &StoreUrl,
    password_file: Option<&Path>,
    settings: &ImageSettings,
) -> Result<Report, VerifyError> {
    let objects = Objects::open(settings).map_err(Cause::from)?;
    let known = async || -> Result<KnownImages, Cause> {
        let password = password_file.map(read_password).transpose()?;
        known_images(url, password).await
    };
    // Files first: a file that is there now was written down before it was written.
    let files = files(&objects).await.map_err(Cause::from)?;
    let images = known().await?;
    let mut missing = BTreeSet::new();
    for key in &images.shown {
        if !objects.has(*key).await.map_err(Cause::from)? {
            missing.insert(*key);
        }
    }
    let stray: Vec<_> = files
        .into_iter()
        .filter(|(_, owner)| !owner.is_some_and(|key| images.knows(key)))
        .map(|(name, _)| name)
        .collect();
    if missing.is_empty() && stray.is_empty() {
        return Ok(report(&missing, &[]));
    }
    let shown = known().await?.shown;
    missing.retain(|key| shown.contains(key));
    let there: BTreeSet<_> =
        self::files(&objects).await.map_err(Cause::from)?.into_iter().collect();
    let stays = |name: &String| there.iter().any(|(there, _)| there == name);
    Ok(report(&missing, &stray.into_iter().filter(stays).collect::<Vec<_>>()))
}

async fn files(objects: &Objects) -> Result<Vec<(String, Option<ImageKey>)>, ObjectError> {
    objects.names().try_collect().await
}

fn report(missing: &BTreeSet<ImageKey>, stray: &[String]) -> Report {
    let missing = missing.iter().take(BROKEN_MAX).map(|key| Broken {
        rule: HAVE_FILES,
        subject: format!("image `{key}`"),
        found: "a file of it is missing".to_owned(),
        advice: "Restore the folder or bucket of the images from a backup, or delete the image \
                 and upload it again.",
        repair: None,
    });
    let stray = stray.iter().take(BROKEN_MAX).map(|name| Broken {
        rule: HAVE_IMAGES,
        subject: format!("file `{name}`"),
        found: "is of no image".to_owned(),
        advice: "The database may be older than the files: when it is sure that it is the right \
                 one, remove the file.",
        repair: None,
    });
    Report { checked: vec![HAVE_FILES, HAVE_IMAGES], broken: missing.chain(stray).collect() }
}
