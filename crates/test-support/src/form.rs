//! Forms with files in them (RFC 7578), byte for byte: nothing in them has to be valid.

/// One part of a form.
#[derive(Debug, Clone, Copy)]
pub struct Part<'p> {
    /// What stands behind `name=`, in quotes.
    pub name: &'p str,
    /// What stands behind `filename=`, in quotes.
    pub file_name: Option<&'p str>,
    /// The part's media type.
    pub media_type: Option<&'p str>,
    /// What it holds.
    pub bytes: &'p [u8],
}

/// A form's media type, with its boundary.
pub const MEDIA_TYPE: &str = "multipart/form-data; boundary=stockade-boundary";

/// The form's body, of the type [`MEDIA_TYPE`].
pub fn multipart(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let mut head = format!(
            "--stockade-boundary\r\nContent-Disposition: form-data; name=\"{}\"",
            part.name
        );
        if let Some(file_name) = part.file_name {
            head.push_str(&format!("; filename=\"{file_name}\""));
        }
        if let Some(media_type) = part.media_type {
            head.push_str(&format!("\r\nContent-Type: {media_type}"));
        }
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(part.bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--stockade-boundary--\r\n");
    body
}

/// The form of one image.
pub fn image(media_type: &str, bytes: &[u8]) -> Vec<u8> {
    let (name, file_name) = ("image", Some("x.png"));
    multipart(&[Part { name, file_name, media_type: Some(media_type), bytes }])
}
