//! What comes out is an image of ours, and nothing of what came in but its pixels.

use image::{GrayImage, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

fn written(pixels: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Left half red, right half blue.
fn halves(width: u32, height: u32) -> DynamicImage {
    let half = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    RgbImage::from_fn(width, height, half).into()
}

fn shown(encoded: &Encoded) -> DynamicImage {
    let pixels = image::load_from_memory(&encoded.bytes).unwrap();
    let size = Size { width: pixels.width(), height: pixels.height() };
    assert_eq!(size, encoded.size);
    pixels
}

/// A chunk of a PNG file.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = !0_u32;
    for byte in kind.iter().chain(data) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length, kind.as_slice(), data, &(!crc).to_be_bytes()].concat()
}

/// A PNG file with a chunk more, behind its header.
fn with_chunk(png: &[u8], chunk: &[u8]) -> Vec<u8> {
    [&png[..33], chunk, &png[33..]].concat()
}

#[test]
fn what_is_no_picture_is_left_behind() {
    let secret = b"<script>alert(1)</script>";
    let png = written(&halves(40, 30), ImageFormat::Png);
    let png = with_chunk(&png, &chunk(b"tEXt", &[b"Comment\0", secret.as_slice()].concat()));
    let png = [&png, secret.as_slice()].concat();
    let recoded = recode(&png, Format::Png).unwrap();
    for encoded in [&recoded.original, &recoded.thumbnail] {
        assert!(!encoded.bytes.windows(secret.len()).any(|window| window == secret));
        assert_eq!(shown(encoded).into_rgb8(), halves(40, 30).into_rgb8());
    }
}

#[test]
fn an_image_is_turned_as_its_metadata_asks() {
    // The smallest Exif that says "turn by 90 degrees" (6).
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let plain = written(&halves(64, 32), ImageFormat::Jpeg);
    let turned = [&plain[..2], &[0xff, 0xe1], &length, exif, &plain[2..]].concat();
    let recoded = recode(&turned, Format::Jpeg).unwrap();
    assert_eq!(recoded.original.size, Size { width: 32, height: 64 });
    assert!(!recoded.original.bytes.windows(4).any(|window| window == b"Exif"));
    let pixels = shown(&recoded.original).into_rgb8();
    assert!(pixels.get_pixel(16, 8)[0] > 200 && pixels.get_pixel(16, 56)[2] > 200);
}

#[test]
fn a_thumbnail_fits_into_its_box_and_is_never_larger_than_the_image() {
    for (size, expected) in [
        ((1600, 1200), (800, 600)),
        ((4000, 100), (800, 20)),
        ((100, 4000), (15, 600)),
        ((4000, 1), (800, 1)),
        ((800, 600), (800, 600)),
        ((7, 5), (7, 5)),
    ] {
        let png = written(&halves(size.0, size.1), ImageFormat::Png);
        let recoded = recode(&png, Format::Png).unwrap();
        let Size { width, height } = recoded.thumbnail.size;
        assert_eq!((width, height), expected, "{size:?}");
        shown(&recoded.thumbnail);
    }
}

#[test]
fn formats_stay_but_for_webp_photographs() {
    let glass = RgbaImage::from_pixel(8, 8, Rgba([9, 9, 9, 128]));
    let grey = DynamicImage::from(GrayImage::from_pixel(8, 8, image::Luma([7])));
    let webp = written(&halves(8, 8), ImageFormat::WebP);
    for (bytes, declared, expected) in [
        (written(&grey, ImageFormat::Jpeg), Format::Jpeg, Format::Jpeg),
        (written(&grey, ImageFormat::Png), Format::Png, Format::Png),
        (written(&glass.into(), ImageFormat::Png), Format::Png, Format::Png),
        (webp, Format::Webp, Format::Webp),
        (LOSSY_WEBP.to_vec(), Format::Webp, Format::Jpeg),
    ] {
        let recoded = recode(&bytes, declared).unwrap();
        assert_eq!(recoded.format, expected, "{declared:?}");
        check_type(&recoded.original.bytes, expected).unwrap();
        check_type(&recoded.thumbnail.bytes, expected).unwrap();
    }
}

#[test]
fn deep_colours_become_eight_bits() {
    let deep = image::ImageBuffer::from_pixel(3, 3, Rgba([65_535_u16, 0, 0, 32_768]));
    let png = written(&DynamicImage::ImageRgba16(deep), ImageFormat::Png);
    let recoded = recode(&png, Format::Png).unwrap();
    assert_eq!(shown(&recoded.original).color(), image::ColorType::Rgba8);
}

#[test]
fn size_is_refused_by_the_header_alone() {
    let header = |width: u32, height: u32| {
        let mut data = [width.to_be_bytes(), height.to_be_bytes()].concat();
        data.extend_from_slice(&[8, 2, 0, 0, 0]);
        let png = written(&halves(2, 2), ImageFormat::Png);
        [&png[..8], &chunk(b"IHDR", &data), &png[33..]].concat()
    };
    for (width, height) in [(4001, 1), (1, 4001), (65_535, 65_535), (0x7fff_ffff, 0x7fff_ffff)] {
        let refused = recode(&header(width, height), Format::Png).unwrap_err();
        assert!(matches!(refused, BadImage::TooManyPixels | BadImage::Broken), "{refused}");
    }
    let refused = recode(&header(4001, 4000), Format::Png).unwrap_err();
    assert!(matches!(refused, BadImage::TooManyPixels), "{refused}");
    let wide = written(&halves(4001, 1), ImageFormat::WebP);
    assert!(matches!(recode(&wide, Format::Webp), Err(BadImage::TooManyPixels)));
    let tall = written(&halves(1, 4001), ImageFormat::Jpeg);
    assert!(matches!(recode(&tall, Format::Jpeg), Err(BadImage::TooManyPixels)));
}

#[test]
fn what_moves_is_refused() {
    let png = written(&halves(2, 2), ImageFormat::Png);
    let moving = with_chunk(&png, &chunk(b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]));
    assert!(matches!(recode(&moving, Format::Png), Err(BadImage::Animated)));
    // VP8X with its animation bit, then ANIM and one frame that says little.
    let mut body =
        b"WEBPVP8X\x0a\0\0\0\x02\0\0\0\x01\0\0\x01\0\0ANIM\x06\0\0\0\0\0\0\0\0\0".to_vec();
    let frame = &written(&halves(2, 2), ImageFormat::WebP)[12..];
    let length = u32::try_from(16 + frame.len()).unwrap().to_le_bytes();
    body.extend_from_slice(&[b"ANMF".as_slice(), &length].concat());
    body.extend_from_slice(&[0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 100, 0, 0, 0]);
    body.extend_from_slice(frame);
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let moving = [b"RIFF".as_slice(), &length, &body].concat();
    let refused = recode(&moving, Format::Webp).unwrap_err();
    assert!(matches!(refused, BadImage::Animated), "{refused}");
}

#[test]
fn a_file_is_what_it_is_declared_as_or_nothing() {
    let png = written(&halves(2, 2), ImageFormat::Png);
    for declared in [Format::Jpeg, Format::Webp] {
        assert!(matches!(recode(&png, declared), Err(BadImage::OtherType)));
    }
    for (declared, file) in [
        (Format::Png, b"".as_slice()),
        (Format::Png, b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        (Format::Png, &png[..png.len() / 2]),
        (Format::Jpeg, b"\xff\xd8\xff\xfe\0\x04<?\xff\xd9"),
        (Format::Webp, b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0"),
    ] {
        let refused = recode(file, declared).unwrap_err();
        assert!(matches!(refused, BadImage::OtherType | BadImage::Broken), "{refused}");
    }
}

#[test]
fn a_media_type_is_one_of_three() {
    assert_eq!(Format::of_media_type("IMAGE/PNG"), Some(Format::Png));
    for other in ["image/jpg", "image/gif", "image/svg+xml", "", "image/png;x"] {
        assert_eq!(Format::of_media_type(other), None, "{other}");
    }
}

#[test]
fn a_file_that_was_spoilt_is_read_or_refused() {
    // SplitMix64: from one seed come always the same mistakes.
    let mut state = 20_261_122_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    };
    let (mut read, mut refused) = (0, 0);
    for (format, declared) in [
        (ImageFormat::Jpeg, Format::Jpeg),
        (ImageFormat::Png, Format::Png),
        (ImageFormat::WebP, Format::Webp),
    ] {
        let whole = written(&halves(24, 16), format);
        for _ in 0..400 {
            let mut spoilt = whole.clone();
            for _ in 0..=below(4) {
                let at = below(spoilt.len());
                spoilt[at] = u8::try_from(below(256)).unwrap();
            }
            spoilt.truncate(spoilt.len() - below(8) * below(8));
            match recode(&spoilt, declared) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read > 50 && refused > 400, "{read} {refused}");
}

/// One grey pixel, written by libwebp at quality 75.
const LOSSY_WEBP: &[u8] =
    b"RIFF$\0\0\0WEBPVP8 \x18\0\0\0P\x01\0\x9d\x01*\x01\0\x01\0\x02\0\x34%\xa4\0\x04t\0\0\xe4@\0\0";
