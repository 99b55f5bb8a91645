//! A request, byte for byte: nothing in it has to be valid.

use serde_json::Value;

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// A request without a body.
pub(crate) fn asked(method: &str, target: &str) -> Asked {
    let (method, target) = (method.to_owned(), target.to_owned());
    Asked { method, target, fields: Vec::new(), body: Vec::new() }
}

impl Asked {
    /// With a header field.
    pub(crate) fn field(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// With a body of this media type.
    pub(crate) fn body(mut self, media: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.field("Content-Type", media)
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Whether a field is there, in any case.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(there, _)| there.eq_ignore_ascii_case(name))
    }

    /// The bytes on the wire, to this host. A body is framed by its length, unless a field
    /// says something about that already.
    pub(crate) fn bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut add = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        add("Host", host.as_bytes());
        self.fields.iter().for_each(|(name, value)| add(name, value));
        if self.sends_length() {
            add("Content-Length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn sends_length(&self) -> bool {
        let framed = self.has("Content-Length") || self.has("Transfer-Encoding");
        !framed && (!self.body.is_empty() || self.method == "POST")
    }

    /// Everything the request says, with percent signs decoded and without.
    pub(crate) fn says(&self, words: &str) -> bool {
        let whole = self.bytes("");
        let holds = |bytes: &[u8]| bytes.windows(words.len()).any(|part| part == words.as_bytes());
        holds(&whole) || holds(&percent_decoded(&whole))
    }
}

/// Any text as one segment of a path, or one value of a query or a form (RFC 3986, 2.1).
pub(crate) fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "%{byte:02X}").unwrap(),
        }
    }
    encoded
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let octet = after.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let octet = octet.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, octet) {
            (b'%', Some(octet)) => {
                decoded.push(octet);
                rest = &after[2..];
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}
