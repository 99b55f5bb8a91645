//! What was sent becomes pixels, and the pixels become files of ours.
//!
//! Nothing of a sent file is kept but its pixels: no metadata, no profile, no second file behind
//! its end. The header is believed only to refuse: what it says of width and height is held
//! against the limits before anything is decoded, and the decoder may take no more memory than
//! the largest image needs. Animated files are refused rather than shown still.
//!
//! JPEG stays JPEG and PNG stays PNG. WebP stays WebP, which we write lossless, where it is
//! lossless or see-through already; else it becomes JPEG, since it would grow tenfold.

#![warn(missing_docs)]

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::error::LimitError;
use image::imageops::FilterType;
use image::{
    DynamicImage, ExtendedColorType, GenericImageView as _, ImageDecoder, ImageEncoder as _,
    ImageError, ImageFormat, Limits,
};

/// Most pixels of a side.
pub const SIDE_MAX: u32 = 4_000;

/// The thumbnail fits into a box of this width and height.
pub const THUMBNAIL_BOX: Size = Size { width: 800, height: 600 };

/// Most memory that decoding may take: the largest image with four channels of 16 bits.
const DECODED_BYTES_MAX: u64 = 136 * 1024 * 1024;

/// Of 100; good enough that a shop's photographs do not suffer.
const JPEG_QUALITY: u8 = 88;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// From the left to the right.
    pub width: u32,
    /// From the top to the bottom.
    pub height: u32,
}

/// How an image is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// How names of such files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The format of a media type, whatever its case.
    pub fn of_media_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.media_type().eq_ignore_ascii_case(text))
    }
}

/// Why a file is not taken for an image.
#[derive(Debug, thiserror::Error)]
pub enum BadImage {
    /// It begins otherwise than files of its declared type.
    #[error("the file is not of the type it was declared as")]
    OtherType,
    /// Its header says that a side is longer than [`SIDE_MAX`].
    #[error("an image has at most {SIDE_MAX} by {SIDE_MAX} pixels")]
    TooManyPixels,
    /// It has more than one picture.
    #[error("animated images are not taken")]
    Animated,
    /// No picture can be made of it.
    #[error("the file cannot be read as an image")]
    Broken,
}

impl From<ImageError> for BadImage {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooManyPixels,
            // What decoders say quotes the file, and helps nobody to repair it.
            _ => Self::Broken,
        }
    }
}

impl From<LimitError> for BadImage {
    fn from(_: LimitError) -> Self {
        Self::TooManyPixels
    }
}

/// A file of ours.
#[derive(Debug)]
pub struct Encoded {
    /// Its width and height.
    pub size: Size,
    /// What it holds.
    pub bytes: Bytes,
}

/// What became of a sent file.
#[derive(Debug)]
pub struct Recoded {
    /// Of both files.
    pub format: Format,
    /// As large as it came.
    pub original: Encoded,
    /// Within [`THUMBNAIL_BOX`].
    pub thumbnail: Encoded,
}

/// Whether a file begins as one of this format does.
///
/// # Errors
/// [`BadImage::OtherType`] when it does not.
pub fn check_type(sent: &[u8], declared: Format) -> Result<(), BadImage> {
    let begins_as = match image::guess_format(sent) {
        Ok(ImageFormat::Jpeg) => Some(Format::Jpeg),
        Ok(ImageFormat::Png) => Some(Format::Png),
        Ok(ImageFormat::WebP) => Some(Format::Webp),
        _ => None,
    };
    if begins_as == Some(declared) { Ok(()) } else { Err(BadImage::OtherType) }
}

/// Makes our own files of one that was sent. It takes a processor for up to some seconds, and 250 MB.
///
/// # Errors
/// [`BadImage`] for whatever is not one still image within the limits.
pub fn recode(sent: &[u8], declared: Format) -> Result<Recoded, BadImage> {
    check_type(sent, declared)?;
    let pixels = match declared {
        Format::Jpeg => decode(JpegDecoder::new(Cursor::new(sent))?)?,
        Format::Png => {
            let decoder = PngDecoder::with_limits(Cursor::new(sent), limits())?;
            check_size(&decoder)?;
            if decoder.is_apng()? {
                return Err(BadImage::Animated);
            }
            decode(decoder)?
        }
        Format::Webp => {
            let decoder = WebPDecoder::new(Cursor::new(sent))?;
            if decoder.has_animation() {
                return Err(BadImage::Animated);
            }
            decode(decoder)?
        }
    };
    let has_alpha = pixels.color().has_alpha();
    let format = match declared {
        Format::Webp if !has_alpha && !is_lossless(sent) => Format::Jpeg,
        declared => declared,
    };
    // Eight bits a channel, grey or not: what every encoder takes and every browser shows.
    let pixels = if has_alpha {
        DynamicImage::ImageRgba8(pixels.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(pixels.into_rgb8())
    };
    let original = encode(&pixels, format)?;
    let thumbnail = encode(&shrink(pixels), format)?;
    Ok(Recoded { format, original, thumbnail })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    limits
}

fn check_size(decoder: &impl ImageDecoder) -> Result<(), BadImage> {
    let (width, height) = decoder.dimensions();
    let fits = (1..=SIDE_MAX).contains(&width) && (1..=SIDE_MAX).contains(&height);
    // The largest image of the allowed colours fits; this holds whatever a decoder comes up with.
    if fits && decoder.total_bytes() <= DECODED_BYTES_MAX {
        Ok(())
    } else {
        Err(BadImage::TooManyPixels)
    }
}

/// Decodes within the limits, and turns the image as its metadata asks.
fn decode(mut decoder: impl ImageDecoder) -> Result<DynamicImage, BadImage> {
    check_size(&decoder)?;
    decoder.set_limits(limits())?;
    // Metadata that cannot be read is worth nothing, as all other metadata.
    let orientation = decoder.orientation().ok();
    let mut pixels = DynamicImage::from_decoder(decoder)?;
    if let Some(orientation) = orientation {
        pixels.apply_orientation(orientation);
    }
    Ok(pixels)
}

/// The image within [`THUMBNAIL_BOX`]; one that fits already stays as large as it is.
fn shrink(pixels: DynamicImage) -> DynamicImage {
    let Size { width, height } = THUMBNAIL_BOX;
    if pixels.width() <= width && pixels.height() <= height {
        return pixels;
    }
    pixels.resize(width, height, FilterType::CatmullRom)
}

fn encode(pixels: &DynamicImage, format: Format) -> Result<Encoded, BadImage> {
    let (width, height) = pixels.dimensions();
    let (mut bytes, raw) = (Vec::new(), pixels.as_bytes());
    let colors = ExtendedColorType::from(pixels.color());
    match format {
        Format::Jpeg => JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
            .write_image(raw, width, height, colors)?,
        Format::Png => PngEncoder::new(&mut bytes).write_image(raw, width, height, colors)?,
        Format::Webp => {
            WebPEncoder::new_lossless(&mut bytes).write_image(raw, width, height, colors)?;
        }
    }
    Ok(Encoded { size: Size { width, height }, bytes: bytes.into() })
}

/// Whether a WebP file's picture is in a chunk `VP8L`, the first or behind those of metadata.
fn is_lossless(webp: &[u8]) -> bool {
    let mut rest = webp.get(12..).unwrap_or_default();
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, length @ ..] = head;
        match &[*a, *b, *c, *d] {
            b"VP8L" => return true,
            b"VP8 " => return false,
            _ => {}
        }
        // Chunks are padded to an even length.
        let length = u32::from_le_bytes(*length).next_multiple_of(2);
        rest = usize::try_from(length).ok().and_then(|length| after.get(length..)).unwrap_or(&[]);
    }
    false
}

#[cfg(test)]
mod tests;
