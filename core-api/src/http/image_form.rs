//! The form that brings an image: `multipart/form-data` (RFC 7578), as browsers and `curl -F`
//! send it.
//!
//! One part, `alt`, is text. Any other part is the image, whatever its name, and there is one.
//! Names of files are not looked at.

use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use multer::{Constraints, Error, Field, Multipart, SizeLimit};

use super::body::{too_large, unsupported};
use super::problem::Problem;
use crate::images::{Alt, Format, IMAGE_BYTES_MAX};

/// Longest body: the image, and what the form needs around it.
pub(super) const FORM_BYTES_MAX: usize = IMAGE_BYTES_MAX + 64 * 1024;

/// The text's part.
const ALT: &str = "alt";

/// Longest text, in bytes: it is counted in characters later.
const ALT_BYTES_MAX: u64 = 4 * 1024;

/// What the form holds.
#[derive(Debug)]
pub(super) struct Form {
    /// What the image is declared to be.
    pub(super) format: Format,
    pub(super) file: Bytes,
    pub(super) alt: Alt,
}

/// Reads the form, no further than its limits.
pub(super) async fn receive(request: Request) -> Result<Form, Problem> {
    let media = request.headers().get(CONTENT_TYPE);
    let media = media.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(media).map_err(|error| match error {
        Error::NoBoundary => invalid("the `content-type` names no boundary"),
        _ => unsupported("`content-type` must be `multipart/form-data`"),
    })?;
    let limits = SizeLimit::new()
        .whole_stream(FORM_BYTES_MAX as u64)
        .per_field(IMAGE_BYTES_MAX as u64)
        .for_field(ALT, ALT_BYTES_MAX);
    let body = request.into_body().into_data_stream();
    let constraints = Constraints::new().size_limit(limits);
    let mut parts = Multipart::with_constraints(body, boundary, constraints);

    let (mut image, mut alt) = (None, None);
    while let Some(part) = parts.next_field().await? {
        if part.name() == Some(ALT) {
            refuse_second(alt.is_some(), "`alt` is there twice")?;
            alt = Some(read_alt(part).await?);
        } else {
            refuse_second(image.is_some(), "one image is taken at a time")?;
            image = Some(read_image(part).await?);
        }
    }
    let (format, file) = image.ok_or_else(|| Problem::invalid_request("there is no image"))?;
    Ok(Form { format, file, alt: alt.unwrap_or_default() })
}

async fn read_image(part: Field<'_>) -> Result<(Format, Bytes), Problem> {
    let declared = part.content_type().map_or("", |media| media.essence_str());
    let format = Format::of_media_type(declared).ok_or_else(|| {
        unsupported("the image must be declared as `image/jpeg`, `image/png` or `image/webp`")
    })?;
    Ok((format, part.bytes().await?))
}

async fn read_alt(part: Field<'_>) -> Result<Alt, Problem> {
    let bytes = part.bytes().await?;
    let text = String::from_utf8(bytes.to_vec());
    let text = text.map_err(|_| Problem::invalid_request("`alt` is not UTF-8"))?;
    Alt::try_from(text).map_err(|error| Problem::invalid_request(error.to_string()))
}

fn refuse_second(is_second: bool, detail: &'static str) -> Result<(), Problem> {
    if is_second { Err(Problem::invalid_request(detail)) } else { Ok(()) }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::StreamSizeExceeded { .. } | Error::FieldSizeExceeded { .. } => {
                too_large(format!("an image has at most {IMAGE_BYTES_MAX} bytes"))
            }
            // What the parser says quotes the body.
            _ => invalid("a part is broken, or the end is missing"),
        }
    }
}

fn invalid(detail: &'static str) -> Problem {
    Problem::new(400, "invalid_form", "The body is not a form").with_detail(detail)
}
