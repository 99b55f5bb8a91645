//! How the most lenient server could read a path: whatever some server somewhere does to it.

/// Layers of percent-encoding that are taken off.
const LAYERS: usize = 4;

/// Whether some server could find this target at `prefix`, or below it.
pub(crate) fn may_be_below(target: &str, prefix: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..LAYERS {
        if readings(&bytes).iter().any(|reading| is_below(reading, prefix)) {
            return true;
        }
        bytes = percent_decoded(&bytes);
    }
    false
}

fn is_below(path: &str, prefix: &str) -> bool {
    path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
}

/// The whole text, and the text up to where a server could cut it off.
fn readings(bytes: &[u8]) -> Vec<String> {
    let text = plain(bytes);
    let cut = text.split(['\0', '?', '#']).next().unwrap_or_default().to_owned();
    let line = text.split(['\r', '\n', '\t', ' ']).next().unwrap_or_default().to_owned();
    [text, cut, line].iter().map(|text| resolved(text)).collect()
}

/// `%41` and `%u0041` as the bytes they stand for; anything else as it is.
fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let digits = |from: usize, to: usize| {
            let digits = bytes.get(at + from..at + to).filter(|_| bytes[at] == b'%')?;
            u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        };
        if let Some(byte) = digits(1, 3).and_then(|byte| u8::try_from(byte).ok()) {
            decoded.push(byte);
            at += 3;
        } else if let Some(letter) = bytes
            .get(at + 1)
            .filter(|letter| letter.eq_ignore_ascii_case(&b'u'))
            .and_then(|_| digits(2, 6))
            .and_then(char::from_u32)
        {
            decoded.extend(letter.to_string().bytes());
            at += 6;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    decoded
}

/// Text in small ASCII letters, where something stands for them.
fn plain(bytes: &[u8]) -> String {
    let bytes = without_overlong(bytes);
    let text = String::from_utf8_lossy(&bytes);
    let letters = text.chars().filter(|letter| !is_invisible(*letter)).map(|letter| match letter {
        '\\' | '\u{2215}' | '\u{2044}' | '\u{2216}' => '/',
        '\u{2024}' => '.',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap(),
        other => other,
    });
    letters.collect::<String>().replace('\\', "/").to_lowercase()
}

/// ASCII that was written in two, three or four bytes, in one.
fn without_overlong(bytes: &[u8]) -> Vec<u8> {
    let (mut short, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let (length, value) = match &bytes[at..] {
            [a @ 0xc0..=0xc1, b, ..] => (2, (a & 1) << 6 | b & 0x3f),
            [0xe0, b @ 0x80..=0x81, c, ..] => (3, (b & 1) << 6 | c & 0x3f),
            [0xf0, 0x80, c @ 0x80..=0x81, d, ..] => (4, (c & 1) << 6 | d & 0x3f),
            rest => (1, rest[0]),
        };
        short.push(value);
        at += length;
    }
    short
}

/// What some servers drop.
fn is_invisible(letter: char) -> bool {
    let zero_width = matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}');
    zero_width || letter == char::REPLACEMENT_CHARACTER
}

/// Without parameters, blanks around segments, empty segments and dot segments.
fn resolved(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        let segment = segment.split(';').next().unwrap_or_default();
        let segment = segment.trim_matches(|letter: char| letter.is_whitespace() || letter < ' ');
        let name = segment.trim_end_matches(['.', ' ']);
        match (segment.len(), name) {
            (0 | 1, "") => {}
            (_, "") => drop(segments.pop()),
            _ => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}

#[test]
fn disguises_are_seen_through() {
    for target in [
        "/api/admin",
        "/api/admin/users?x",
        "/API/Admin",
        "//api/./x/../admin",
        "/api%2fadmin",
        "/api/%2561dmin",
        "/api\\admin",
        "/api;x=1/admin;y",
        "/api/x/..%c0%afadmin",
        "/api/x/%e0%80%ae%e0%80%ae/admin",
        "/api/x/..%f0%80%80%afadmin",
        "/api/%u0061dmin",
        "/api/admin%00.png",
        "/api/admin%20",
        "/api/admin%3fx",
        "/api/admin..",
        "/api/%ef%bd%81dmin",
        "/api/x/.../admin",
    ] {
        assert!(may_be_below(target, "/api/admin"), "{target}");
    }
    for target in ["/", "/api", "/api/administrators", "/x?/api/admin", "/api/products/admin"] {
        assert!(!may_be_below(target, "/api/admin"), "{target}");
    }
}
