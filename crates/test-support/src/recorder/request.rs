//! One HTTP/1.1 request, read to the letter (RFC 9112, 3, 5, 6 and 7.1).

/// A complete request, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Every byte of it.
    pub raw: Vec<u8>,
    /// The method.
    pub method: String,
    /// The target.
    pub target: String,
    /// Names in small letters, and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
}

impl Recorded {
    /// Every value of a header.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(header, _)| header == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// What bytes are, so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parsed {
    Incomplete,
    Request(Recorded),
    Malformed(&'static str),
}

/// The body and the bytes it took with its framing; `None` when it is not all there.
type Body = Result<Option<(Vec<u8>, usize)>, &'static str>;

/// Reads the first request.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match read(bytes) {
        Ok(Some(request)) => Parsed::Request(request),
        Ok(None) => Parsed::Incomplete,
        Err(why) => Parsed::Malformed(why),
    }
}

fn read(bytes: &[u8]) -> Result<Option<Recorded>, &'static str> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if has_bare_end(bytes) { Err("a bare line end") } else { Ok(None) };
    };
    let head = &bytes[..end];
    if has_bare_end(head) {
        return Err("a bare line end");
    }
    let text: String = head.iter().copied().map(char::from).collect();
    let mut lines = text.split("\r\n");
    let (method, target) = request_line(lines.next().unwrap_or_default())?;
    let headers = lines.map(field).collect::<Result<Vec<_>, _>>()?;
    let one = |name: &str| one(&headers, name);
    one("host")?.ok_or("no Host")?;
    let after = &bytes[end + 4..];
    let body = match (one("content-length")?, one("transfer-encoding")?) {
        (Some(_), Some(_)) => return Err("two framings"),
        (None, Some("chunked")) => chunked(after)?,
        (None, Some(_)) => return Err("a Transfer-Encoding other than chunked"),
        (length, None) => fixed(after, length.unwrap_or("0"))?,
    };
    Ok(body.map(|(body, framed)| {
        let raw = bytes[..end + 4 + framed].to_vec();
        Recorded { raw, method, target, headers: headers.clone(), body }
    }))
}

/// A carriage return or a line feed without the other.
fn has_bare_end(bytes: &[u8]) -> bool {
    let lone_lf = |at: usize| bytes[at] == b'\n' && (at == 0 || bytes[at - 1] != b'\r');
    let lone_cr = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1).is_some_and(|&b| b != b'\n');
    (0..bytes.len()).any(|at| lone_lf(at) || lone_cr(at))
}

fn request_line(line: &str) -> Result<(String, String), &'static str> {
    let mut parts = line.split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("a request line that is not `method target HTTP/1.1`");
    };
    let is_target = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token(method) || !is_target {
        return Err("a request line with a byte that does not belong");
    }
    Ok((method.to_owned(), target.to_owned()))
}

fn field(line: &str) -> Result<(String, String), &'static str> {
    let (name, value) = line.split_once(':').ok_or("a field without a colon")?;
    if !is_token(name) {
        return Err("a field name that is no token");
    }
    if value.chars().any(|letter| letter != '\t' && letter.is_control() && letter < '\u{80}') {
        return Err("a field value with a control byte");
    }
    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
}

fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

/// The value of a field that may be there once.
fn one<'h>(headers: &'h [(String, String)], name: &str) -> Result<Option<&'h str>, &'static str> {
    let mut values = headers.iter().filter(|(header, _)| header == name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err("Host or a framing twice"),
        (first, None) => Ok(first.map(|(_, value)| value.as_str())),
    }
}

fn fixed(bytes: &[u8], length: &str) -> Body {
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length = length.parse().ok().filter(|_| digits).ok_or("a bad Content-Length")?;
    Ok(bytes.get(..length).map(|body| (body.to_vec(), length)))
}

fn chunked(bytes: &[u8]) -> Body {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = line(&bytes[at..])? else { return Ok(None) };
        at += line.len() + 2;
        let size = line.split(|&byte| byte == b';').next().unwrap_or_default();
        let size = std::str::from_utf8(size).map_err(|_| "a bad chunk size")?;
        let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(size, 16).ok().filter(|_| digits);
        let size = size.ok_or("a bad chunk size")?;
        if size == 0 {
            return trailers(bytes, at).map(|end| end.map(|end| (body, end)));
        }
        let Some(chunk) = bytes.get(at..at.saturating_add(size)) else { return Ok(None) };
        let Some(end) = bytes.get(at + size..at + size + 2) else { return Ok(None) };
        if end != b"\r\n" {
            return Err("a chunk longer than its size");
        }
        body.extend_from_slice(chunk);
        at += size + 2;
    }
}

/// Where the body ends, after trailers that are fields.
fn trailers(bytes: &[u8], mut at: usize) -> Result<Option<usize>, &'static str> {
    loop {
        let Some(line) = line(&bytes[at..])? else { return Ok(None) };
        at += line.len() + 2;
        if line.is_empty() {
            return Ok(Some(at));
        }
        field(&line.iter().copied().map(char::from).collect::<String>())?;
    }
}

/// The first line without its end; `None` when it has none yet.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
    let line = bytes[..end].strip_suffix(b"\r").ok_or("a bare line end")?;
    if line.contains(&b'\r') { Err("a bare line end") } else { Ok(Some(line)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, body: &str, left: &str) {
        match parse(text.as_bytes()) {
            Parsed::Request(request) => {
                assert_eq!(request.body, body.as_bytes());
                assert_eq!(&text.as_bytes()[request.raw.len()..], left.as_bytes());
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn refuses(text: &str) {
        assert!(matches!(parse(text.as_bytes()), Parsed::Malformed(_)), "{text:?}");
    }

    #[test]
    fn whole_requests_are_read_one_by_one() {
        reads("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET", "", "GET");
        reads("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi!", "hi", "!");
        let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        reads(&format!("{chunked}2;a=b\r\nhi\r\n1\r\n!\r\n0\r\nx: y\r\n\r\nGET"), "hi!", "GET");
    }

    #[test]
    fn what_is_not_all_there_is_waited_for() {
        let whole =
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(parse(&whole.as_bytes()[..end]), Parsed::Incomplete, "{end}");
        }
    }

    #[test]
    fn what_two_servers_could_read_in_two_ways_is_refused() {
        refuses("GET / HTTP/1.1\nHost: x\n\n");
        refuses("GET / HTTP/1.0\r\nHost: x\r\n\r\n");
        refuses("GET /  HTTP/1.1\r\nHost: x\r\n\r\n");
        refuses("GET / HTTP/1.1\r\n\r\n");
        for field in [
            "Host: y",
            "Content-Length: +1",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "X : y",
            " folded",
            "X: a\0b",
            "X: a\rb",
        ] {
            refuses(&format!("GET / HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n"));
        }
        let chunked = "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in ["1\nx\r\n0\r\n\r\n", "+1\r\nx\r\n", "1\r\nxx\r\n", "\r\n", "0x1\r\nx\r\n"] {
            refuses(&format!("{chunked}{body}"));
        }
    }
}
