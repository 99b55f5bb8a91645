//! The album: the images of the products one batch asks for, and what the batch changes.

use std::collections::{BTreeMap, BTreeSet};

use super::{ImageKey, NewImage};
use crate::clock::Timestamp;
use crate::ids::{ImageId, ProductId};

/// Rows of images in memory.
#[derive(Debug, Default)]
pub(crate) struct Album {
    images: BTreeMap<ProductId, BTreeMap<ImageId, ImageKey>>,
    pub(crate) added: Vec<NewImage>,
    pub(crate) removed: Vec<ImageId>,
    /// Keys whose files go, and when. A key that is put on a product is taken off this list.
    pub(crate) doomed: Vec<(ImageKey, Timestamp)>,
    /// Keys whose files are gone.
    pub(crate) gone: BTreeSet<ImageKey>,
}

impl Album {
    pub(crate) fn loaded(images: BTreeMap<ProductId, BTreeMap<ImageId, ImageKey>>) -> Self {
        Self { images, ..Self::default() }
    }

    /// How many images a product has that the batch asked for.
    pub(crate) fn count(&self, product: ProductId) -> usize {
        self.images.get(&product).map_or(0, BTreeMap::len)
    }

    /// Puts an image on a product.
    pub(crate) fn add(&mut self, image: NewImage) {
        self.images.entry(image.product).or_default().insert(image.image.id, image.image.key);
        self.added.push(image);
    }

    /// Takes an image off its product, and dooms its files; whether it was there.
    pub(crate) fn remove(&mut self, product: ProductId, image: ImageId, due_at: Timestamp) -> bool {
        let images = self.images.get_mut(&product);
        let Some(key) = images.and_then(|images| images.remove(&image)) else { return false };
        self.removed.push(image);
        self.doomed.push((key, due_at));
        true
    }
}
