//! Images of products, and the files that are to be removed: one implementation for both
//! databases, as each has its own type of connection.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::ids::{Id as _, ImageId, ProductId};
use crate::images::{Format, Image, ImageKey, Size};
use crate::store::StoreError;

/// One image, while its product is on sale.
pub(in crate::store) const IMAGE: &str = "
    SELECT i.id, i.key, i.media_type, i.width, i.height, i.thumbnail_width, i.thumbnail_height,
           i.alt
      FROM product_image AS i
      JOIN product AS p ON p.id = i.product_id
     WHERE i.key = $1
       AND p.deleted_at IS NULL";

pub(in crate::store) const DOOMED: &str = "
    SELECT key
      FROM image_removal
     WHERE due_at <= $1
     ORDER BY due_at
     LIMIT $2";

pub(in crate::store) const ALL_SHOWN: &str = "SELECT key FROM product_image";
pub(in crate::store) const ALL_DOOMED: &str = "SELECT key FROM image_removal";

pub(in crate::store) const OF_PRODUCT: &str =
    "SELECT id, key FROM product_image WHERE product_id = $1";

pub(in crate::store) const INSERT_IMAGE: &str = "
    INSERT INTO product_image (id, product_id, key, media_type, width, height, thumbnail_width,
                               thumbnail_height, alt, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

pub(in crate::store) const DELETE_IMAGE: &str = "DELETE FROM product_image WHERE id = $1";

pub(in crate::store) const DOOM: &str = "
    INSERT INTO image_removal (key, due_at)
    VALUES ($1, $2)";

pub(in crate::store) const DOOM_OF_PRODUCT: &str = "
    INSERT INTO image_removal (key, due_at)
    SELECT key, $2
      FROM product_image
     WHERE product_id = $1";

pub(in crate::store) const DELETE_OF_PRODUCT: &str =
    "DELETE FROM product_image WHERE product_id = $1";

pub(in crate::store) const SPARE: &str = "DELETE FROM image_removal WHERE key = $1";

/// An image as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::store) struct ImageRow {
    pub(super) id: Uuid,
    pub(super) key: Vec<u8>,
    pub(super) media_type: String,
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) thumbnail_width: i64,
    pub(super) thumbnail_height: i64,
    pub(super) alt: String,
}

pub(in crate::store) fn image(row: ImageRow) -> Result<Image, StoreError> {
    let format = Format::of_media_type(&row.media_type);
    Ok(Image {
        id: ImageId::from_uuid(row.id),
        key: key(row.key)?,
        format: format.ok_or(StoreError::Unreadable("image"))?,
        size: size(row.width, row.height)?,
        thumbnail: size(row.thumbnail_width, row.thumbnail_height)?,
        alt: row.alt,
    })
}

fn size(width: i64, height: i64) -> Result<Size, StoreError> {
    let side = |side: i64| side.try_into().map_err(|_| StoreError::Unreadable("image"));
    Ok(Size { width: side(width)?, height: side(height)? })
}

pub(in crate::store) fn key(bytes: Vec<u8>) -> Result<ImageKey, StoreError> {
    bytes.try_into().map(ImageKey).map_err(|_| StoreError::Unreadable("key of an image"))
}

pub(in crate::store) fn keys<C: FromIterator<ImageKey>>(
    found: Vec<Vec<u8>>,
) -> Result<C, StoreError> {
    found.into_iter().map(key).collect()
}

/// The keys of every image, and of every image whose files are to be removed.
#[derive(Debug)]
pub(crate) struct KnownImages {
    pub(crate) shown: BTreeSet<ImageKey>,
    pub(crate) doomed: BTreeSet<ImageKey>,
}

impl KnownImages {
    pub(crate) fn knows(&self, key: ImageKey) -> bool {
        self.shown.contains(&key) || self.doomed.contains(&key)
    }
}

/// The images of products, as they are loaded.
pub(in crate::store) type Albums = BTreeMap<ProductId, BTreeMap<ImageId, ImageKey>>;

/// Implements loading and saving for a type of connection.
macro_rules! images {
    ($connection:ty) => {
        use std::collections::{BTreeMap, BTreeSet};

        use sqlx::{query, query_as, query_scalar};
        use uuid::Uuid;

        use crate::ids::{Id as _, ImageId, ProductId};
        use crate::images::{Album, NewImage};
        use crate::store::StoreError;
        use crate::store::rows::images::*;
        use crate::worksheet::Worksheet;

        pub(super) async fn load(
            connection: &mut $connection,
            products: &BTreeSet<ProductId>,
        ) -> Result<Album, StoreError> {
            let mut albums = Albums::new();
            for product in products {
                let found: Vec<(Uuid, Vec<u8>)> =
                    query_as(OF_PRODUCT).bind(product.uuid()).fetch_all(&mut *connection).await?;
                let image = |(id, bytes)| Ok((ImageId::from_uuid(id), key(bytes)?));
                let images: Result<BTreeMap<_, _>, StoreError> =
                    found.into_iter().map(image).collect();
                albums.insert(*product, images?);
            }
            Ok(Album::loaded(albums))
        }

        /// After the catalog: images are of products that are there.
        pub(super) async fn save(
            connection: &mut $connection,
            sheet: &Worksheet,
        ) -> Result<(), StoreError> {
            let album = &sheet.album;
            for new in &album.added {
                save_image(connection, new, sheet.now.micros()).await?;
            }
            for id in &album.removed {
                query(DELETE_IMAGE).bind(id.uuid()).execute(&mut *connection).await?;
            }
            for (key, due_at) in &album.doomed {
                let doom = query(DOOM).bind(key.0.as_slice()).bind(due_at.micros());
                doom.execute(&mut *connection).await?;
            }
            let due_at = crate::images::due_at(sheet.now).micros();
            for product in &sheet.catalog.changes().withdrawn {
                let doom = query(DOOM_OF_PRODUCT).bind(product.uuid()).bind(due_at);
                doom.execute(&mut *connection).await?;
                let delete = query(DELETE_OF_PRODUCT).bind(product.uuid());
                delete.execute(&mut *connection).await?;
            }
            for key in &album.gone {
                query(SPARE).bind(key.0.as_slice()).execute(&mut *connection).await?;
            }
            Ok(())
        }

        async fn save_image(
            connection: &mut $connection,
            new: &NewImage,
            now: i64,
        ) -> Result<(), StoreError> {
            let image = &new.image;
            query(SPARE).bind(image.key.0.as_slice()).execute(&mut *connection).await?;
            query(INSERT_IMAGE)
                .bind(image.id.uuid())
                .bind(new.product.uuid())
                .bind(image.key.0.as_slice())
                .bind(image.format.media_type())
                .bind(i64::from(image.size.width))
                .bind(i64::from(image.size.height))
                .bind(i64::from(image.thumbnail.width))
                .bind(i64::from(image.thumbnail.height))
                .bind(image.alt.as_str())
                .bind(now)
                .execute(connection)
                .await?;
            Ok(())
        }

        /// The keys of every image, shown or to be removed.
        pub(in crate::store) async fn known(
            connection: &mut $connection,
        ) -> Result<KnownImages, StoreError> {
            let doomed = query_scalar(ALL_DOOMED).fetch_all(&mut *connection).await?;
            let shown = query_scalar(ALL_SHOWN).fetch_all(connection).await?;
            Ok(KnownImages { shown: keys(shown)?, doomed: keys(doomed)? })
        }
    };
}

pub(in crate::store) use images;
