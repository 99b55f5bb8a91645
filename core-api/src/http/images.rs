//! `/api/products/{id}/images` and `/api/images/{key}`: images of products, in and out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::body::{PathId, PathPair};
use super::image_form::{self, Form};
use super::page::PageBody;
use super::problem::Problem;
use crate::app::App;
use crate::ids::{ImageId, ProductId};
use crate::images::{
    self, BadImage, IMAGES_MAX, Image, ImageKey, Link, LinkError, NoImage, ObjectError,
    RemoveImage, ScanError, Upload, UploadError, Variant,
};
use crate::metrics::Counted;

/// When to come back while files or scanner cannot be reached, in seconds.
const AWAY_SECS: HeaderValue = HeaderValue::from_static("5");

/// A file that the database knows of is not there.
#[derive(Debug, thiserror::Error)]
#[error("image `{0}` lacks a file; `stockade verify` tells more")]
struct FileMissing(ImageKey);

/// `GET /api/products/{id}/images`. In the order in which they came; there are not many.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    PathId(product): PathId<ProductId>,
) -> Result<Json<PageBody<ImageBody>>, Problem> {
    let images = images::list(&app, product).await?.ok_or_else(Problem::not_found)?;
    let bodies = images.iter().map(|image| ImageBody::of(&app, image)).collect();
    Ok(Json(PageBody::whole(bodies)))
}

/// `POST /api/products/{id}/images`.
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    PathId(product): PathId<ProductId>,
    request: Request,
) -> Result<Response, Problem> {
    let taken = take(&app, product, request).await;
    let image = taken.map_err(|problem| problem.counted(Counted::Upload))?;
    let counted = Extension(Counted::Upload("stored"));
    Ok((StatusCode::CREATED, counted, Json(ImageBody::of(&app, &image))).into_response())
}

async fn take(app: &App, product: ProductId, request: Request) -> Result<Image, Problem> {
    // What costs nothing to know is known before a megabyte is taken in; it is decided later.
    let there = images::list(app, product).await?.ok_or_else(Problem::not_found)?;
    if there.len() >= IMAGES_MAX {
        return Err(UploadError::TooMany.into());
    }
    let _place = app.images.receiving.try_acquire().map_err(|_| Problem::busy())?;
    let received = timeout(app.images.receive_max, image_form::receive(request)).await;
    let Form { format, file, alt } = received.map_err(|_| too_slow(app.images.receive_max))??;
    Ok(images::add(app, Upload { product, format, file, alt }).await?)
}

fn too_slow(max: Duration) -> Problem {
    Problem::new(408, "upload_timeout", "The image took too long to arrive")
        .with_detail(format!("at most {} s", max.as_secs()))
}

/// `DELETE /api/products/{id}/images/{image}`.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    PathPair(product, image): PathPair<ProductId, ImageId>,
) -> Result<StatusCode, Problem> {
    images::remove(&app, RemoveImage { product, image }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a link says beside the key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkQuery {
    #[serde(default)]
    variant: VariantQuery,
    expires: u64,
    signature: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum VariantQuery {
    #[default]
    #[serde(skip)]
    Original,
    Thumbnail,
}

/// `GET /api/images/{key}`: for whoever has a link that was given out within the hour.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    PathId(key): PathId<ImageKey>,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = Query::<LinkQuery>::try_from_uri(&uri);
    let Query(LinkQuery { variant, expires, signature }) = query.map_err(|_| LinkError::Forged)?;
    let variant = match variant {
        VariantQuery::Original => Variant::Original,
        VariantQuery::Thumbnail => Variant::Thumbnail,
    };
    let now = app.clock.now();
    let left = app.images.links.verify(Link { key, variant, expires }, &signature, now)?;
    let image = app.store.image(key).await?.ok_or_else(Problem::not_found)?;
    let found = app.images.objects.get(key, variant).await?;
    let found = found.ok_or_else(|| Problem::internal(FileMissing(key)))?;

    let mut response = Body::from_stream(found.stream).into_response();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static(image.format.media_type());
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(found.bytes));
    // SECURITY: nobody may take it for anything else than the image that we made.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (id, extension) = (image.id, image.format.extension());
    insert(&mut response, CONTENT_DISPOSITION, &format!("inline; filename=\"{id}.{extension}\""));
    // Not shared: the link is what lets somebody see it.
    let lasts = format!("private, max-age={}, immutable", left.as_secs());
    insert(&mut response, CACHE_CONTROL, &lasts);
    Ok(response)
}

fn insert(response: &mut Response, name: axum::http::HeaderName, value: &str) {
    // Ids, numbers and words of ours are header values.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// An image to be a product's, as a form of two parts.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it only describes the form, which is read part by part")]
pub(super) struct ImageForm {
    /// The file, declared as `image/jpeg`, `image/png` or `image/webp`. Its name counts for
    /// nothing.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    /// What those are told who do not see the image.
    #[schema(nullable = false, max_length = 300)]
    alt: Option<String>,
}

/// An image as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImageBody {
    id: ImageId,
    media_type: &'static str,
    width: u32,
    height: u32,
    /// Good for an hour at most; every answer has a fresh one.
    url: String,
    /// The same image within 800 by 600 pixels.
    thumbnail_url: String,
    thumbnail_width: u32,
    thumbnail_height: u32,
    alt: String,
}

impl ImageBody {
    pub(super) fn of(app: &App, image: &Image) -> Self {
        let now = app.clock.now();
        let link = |variant| app.images.links.path(image.key, variant, now);
        Self {
            id: image.id,
            media_type: image.format.media_type(),
            width: image.size.width,
            height: image.size.height,
            url: link(Variant::Original),
            thumbnail_url: link(Variant::Thumbnail),
            thumbnail_width: image.thumbnail.width,
            thumbnail_height: image.thumbnail.height,
            alt: image.alt.clone(),
        }
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::NotFound => Self::not_found(),
            UploadError::TooMany => {
                Self::new(409, "too_many_images", "The product has all the images it can have")
                    .with_detail(error.to_string())
            }
            UploadError::Bad(bad) => bad.into(),
            UploadError::Infected(_) => {
                Self::new(422, "image_infected", "The scanner refused the image")
            }
            UploadError::NotScanned(error) => error.into(),
            UploadError::Files(error) => error.into(),
            UploadError::Entropy(error) => Self::internal(error),
            UploadError::Write(error) => error.into(),
        }
    }
}

impl From<BadImage> for Problem {
    fn from(error: BadImage) -> Self {
        let (code, title) = match error {
            BadImage::OtherType => {
                ("image_type_mismatch", "The image is of another type than it is declared as")
            }
            BadImage::TooManyPixels => ("image_dimensions", "The image has too many pixels"),
            BadImage::Animated => ("image_animated", "The image is animated"),
            BadImage::Broken => ("image_invalid", "The image cannot be read"),
        };
        Self::new(422, code, title).with_detail(error.to_string())
    }
}

impl From<ScanError> for Problem {
    fn from(error: ScanError) -> Self {
        Self::away().caused_by(error)
    }
}

impl From<ObjectError> for Problem {
    fn from(error: ObjectError) -> Self {
        Self::away().caused_by(error)
    }
}

impl From<NoImage> for Problem {
    fn from(error: NoImage) -> Self {
        match error {
            NoImage::NotFound => Self::not_found(),
            NoImage::Write(error) => error.into(),
        }
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Forged => {
                Self::new(403, "image_link_invalid", "The link to the image was not given out")
            }
            LinkError::Expired => {
                Self::new(403, "image_link_expired", "The link to the image has ended")
                    .with_detail("read the product again: it has a fresh one")
            }
        }
    }
}

impl Problem {
    /// The files, or the scanner.
    fn away() -> Self {
        let title = "Images cannot be taken or shown now; try again";
        Self::new(503, "image_service_unavailable", title).with_header(RETRY_AFTER, AWAY_SECS)
    }
}
