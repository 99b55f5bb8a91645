//! HTTP/2 frame by frame (RFC 9113), with header blocks that no library would let pass.
//!
//! Header fields go out as literals: never indexed, never Huffman-coded, never looked at.

use std::io;

use crate::deadline::soon;
use crate::door::Door;
use crate::raw_tls::RawTls;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEAD: usize = 9;

/// What everybody takes in one frame (RFC 9113, 4.2).
const FRAME_PAYLOAD_MAX: usize = 16 * 1024;

/// How much the other side may send without being asked for more, in bytes.
const WINDOW: u32 = 16 * 1024 * 1024;

/// The last frame of a message.
const END_STREAM: u8 = 1;
/// The last frame of a header block.
const END_HEADERS: u8 = 4;
/// The answer to SETTINGS or PING.
const ACK: u8 = 1;

/// What a frame is (RFC 9113, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the RFC")]
pub enum FrameKind {
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    Other(u8),
}

impl FrameKind {
    const KNOWN: [Self; 10] = [
        Self::Data,
        Self::Headers,
        Self::Priority,
        Self::RstStream,
        Self::Settings,
        Self::PushPromise,
        Self::Ping,
        Self::GoAway,
        Self::WindowUpdate,
        Self::Continuation,
    ];

    fn from_code(code: u8) -> Self {
        Self::KNOWN.get(usize::from(code)).copied().unwrap_or(Self::Other(code))
    }

    fn code(self) -> u8 {
        let known = Self::KNOWN.iter().zip(0..).find(|(kind, _)| **kind == self);
        match self {
            Self::Other(code) => code,
            _ => known.unwrap().1,
        }
    }
}

/// A frame as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// Its flags.
    pub flags: u8,
    /// Its stream; 0 is the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// How a stream ended, as the client sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamEnd {
    /// The final status, if a response began.
    pub status: Option<u16>,
    /// All headers of the final response.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The response ended in good order.
    pub complete: bool,
    /// The error code of RST_STREAM.
    pub reset: Option<u32>,
    /// The error code of GOAWAY.
    pub goaway: Option<u32>,
    /// The connection ended first.
    pub closed: bool,
}

impl StreamEnd {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(header, _)| header == name);
        header.map(|(_, value)| value.as_str())
    }
}

/// A client's end of an HTTP/2 connection.
pub struct RawH2 {
    tls: RawTls,
    decoder: loona_hpack::Decoder<'static>,
    next_stream: u32,
}

impl std::fmt::Debug for RawH2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawH2").field("next_stream", &self.next_stream).finish_non_exhaustive()
    }
}

impl RawH2 {
    /// Connects, and settles the settings of both sides.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn connect(door: &Door) -> Self {
        let tls = RawTls::connect(door, "h2").await.unwrap();
        let mut this = Self { tls, decoder: loona_hpack::Decoder::new(), next_stream: 1 };
        let initial_window: [u8; 2] = [0, 4];
        let settings = [initial_window.as_slice(), &WINDOW.to_be_bytes()].concat();
        this.tls.send(PREFACE).await;
        this.send(FrameKind::Settings, 0, 0, &settings).await;
        this.send(FrameKind::WindowUpdate, 0, 0, &WINDOW.to_be_bytes()).await;
        this.settle().await;
        this
    }

    /// Later on, an acknowledgement could come between the frames of a test.
    async fn settle(&mut self) {
        let (mut theirs, mut ours) = (false, false);
        while !(theirs && ours) {
            let frame = self.frame().await.expect("settings");
            if frame.kind == FrameKind::Settings {
                theirs |= frame.flags & ACK == 0;
                ours |= frame.flags & ACK != 0;
            }
        }
    }

    /// Sends any frame.
    ///
    /// # Errors
    /// When the other side takes no more.
    pub async fn try_send(
        &mut self,
        kind: FrameKind,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> io::Result<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind.code(), flags], &stream.to_be_bytes()].concat();
        self.tls.try_send(&[&head, payload].concat()).await
    }

    /// Sends any frame.
    ///
    /// # Panics
    /// When the other side takes no more.
    pub async fn send(&mut self, kind: FrameKind, flags: u8, stream: u32, payload: &[u8]) {
        self.try_send(kind, flags, stream, payload).await.unwrap();
    }

    /// Opens a stream with these fields, in this order, as they are.
    pub async fn open(&mut self, fields: &[(&[u8], &[u8])]) -> u32 {
        self.send_head(fields, END_HEADERS).await
    }

    /// As [`open`](Self::open), for a request without a body.
    pub async fn open_and_end(&mut self, fields: &[(&[u8], &[u8])]) -> u32 {
        self.send_head(fields, END_HEADERS | END_STREAM).await
    }

    async fn send_head(&mut self, fields: &[(&[u8], &[u8])], flags: u8) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        self.send(FrameKind::Headers, flags, stream, &literals(fields)).await;
        stream
    }

    /// More of a request's body.
    pub async fn data(&mut self, stream: u32, body: &[u8]) {
        self.send(FrameKind::Data, 0, stream, body).await;
    }

    /// The rest of a request's body.
    pub async fn last_data(&mut self, stream: u32, body: &[u8]) {
        self.send(FrameKind::Data, END_STREAM, stream, body).await;
    }

    /// Fields after the body, which end the request.
    pub async fn trailers(&mut self, stream: u32, fields: &[(&[u8], &[u8])]) {
        let flags = END_HEADERS | END_STREAM;
        self.send(FrameKind::Headers, flags, stream, &literals(fields)).await;
    }

    /// A whole exchange. A side that closes before it has heard all is an answer, too.
    pub async fn exchange(
        &mut self,
        fields: &[(&[u8], &[u8])],
        body: Option<&[u8]>,
        trailers: Option<&[(&[u8], &[u8])]>,
    ) -> StreamEnd {
        let flags = |last: bool| if last { END_STREAM } else { 0 };
        let stream = self.next_stream;
        self.next_stream += 2;
        let head = flags(body.is_none() && trailers.is_none()) | END_HEADERS;
        let mut frames = vec![(FrameKind::Headers, head, literals(fields))];
        if let Some(body) = body {
            frames.push((FrameKind::Data, flags(trailers.is_none()), body.to_vec()));
        }
        if let Some(trailers) = trailers {
            frames.push((FrameKind::Headers, END_HEADERS | END_STREAM, literals(trailers)));
        }
        for (kind, flags, payload) in frames {
            if self.try_send(kind, flags, stream, &payload).await.is_err() {
                break;
            }
        }
        self.end_of(stream).await
    }

    /// As [`exchange`](Self::exchange) without a body, with a head too large for one frame.
    pub async fn exchange_in_pieces(&mut self, fields: &[(&[u8], &[u8])]) -> StreamEnd {
        let stream = self.next_stream;
        self.next_stream += 2;
        let block = literals(fields);
        let pieces: Vec<_> = block.chunks(FRAME_PAYLOAD_MAX).collect();
        for (number, piece) in pieces.iter().enumerate() {
            let (kind, begins) = match number {
                0 => (FrameKind::Headers, END_STREAM),
                _ => (FrameKind::Continuation, 0),
            };
            let ends = if number + 1 == pieces.len() { END_HEADERS } else { 0 };
            if self.try_send(kind, begins | ends, stream, piece).await.is_err() {
                break;
            }
        }
        self.end_of(stream).await
    }

    /// Reads until a stream has ended, one way or another.
    pub async fn end_of(&mut self, stream: u32) -> StreamEnd {
        let mut end = StreamEnd::default();
        while !end.complete && end.reset.is_none() && !end.closed {
            match self.frame().await {
                Some(frame) => self.note(&frame, stream, &mut end),
                None => end.closed = true,
            }
        }
        end
    }

    fn note(&mut self, frame: &Frame, stream: u32, end: &mut StreamEnd) {
        let code = |at: usize| {
            let bytes = frame.payload.get(at..at + 4).unwrap();
            Some(u32::from_be_bytes(bytes.try_into().unwrap()))
        };
        match frame.kind {
            FrameKind::GoAway => end.goaway = code(4),
            // The decoder has to see every block: they share one table.
            FrameKind::Headers => {
                assert!(frame.flags & END_HEADERS != 0, "a response's head is one frame");
                let fields = self.decode(&frame.payload);
                if frame.stream == stream {
                    end.head(fields);
                }
            }
            FrameKind::RstStream if frame.stream == stream => end.reset = code(0),
            FrameKind::Data if frame.stream == stream => end.body.extend(&frame.payload),
            _ => return,
        }
        let carries = matches!(frame.kind, FrameKind::Headers | FrameKind::Data);
        end.complete |= carries && frame.stream == stream && frame.flags & END_STREAM != 0;
    }

    fn decode(&mut self, block: &[u8]) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let fields = self.decoder.decode(block).unwrap();
        fields.into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// The next frame; `None` is the end of the connection. SETTINGS and PING are answered.
    pub async fn frame(&mut self) -> Option<Frame> {
        let head = self.bytes(FRAME_HEAD).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let payload = self.bytes(usize::try_from(length).unwrap()).await?;
        let frame = Frame { kind: FrameKind::from_code(head[3]), flags: head[4], stream, payload };
        let asks = matches!(frame.kind, FrameKind::Settings | FrameKind::Ping);
        if asks && frame.flags & ACK == 0 {
            let payload =
                if frame.kind == FrameKind::Ping { frame.payload.as_slice() } else { &[] };
            // A side that has closed needs no answer.
            drop(self.try_send(frame.kind, ACK, 0, payload).await);
        }
        Some(frame)
    }

    async fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        loop {
            if let Some(bytes) = self.tls.take_unread(count) {
                return Some(bytes);
            }
            match soon("an HTTP/2 frame", self.tls.read_some()).await {
                Ok(1..) => {}
                Ok(_) | Err(_) => return None,
            }
        }
    }
}

impl StreamEnd {
    fn head(&mut self, fields: Vec<(String, String)>) {
        let status = fields.iter().find(|(name, _)| name == ":status");
        let Some((_, status)) = status else { return };
        let status = status.parse().unwrap();
        if status >= 200 {
            self.status = Some(status);
            self.headers = fields;
        }
    }
}

/// Literal fields without indexing and without Huffman coding (RFC 7541, 6.2.2).
fn literals(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        string(&mut block, name);
        string(&mut block, value);
    }
    block
}

/// A length in seven bits and more (RFC 7541, 5.1), and the bytes as they are.
fn string(block: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes.len();
    if let Ok(short) = u8::try_from(rest).map_err(drop).and_then(below_127) {
        block.push(short);
    } else {
        block.push(127);
        rest -= 127;
        while rest >= 128 {
            block.push(u8::try_from(rest % 128).unwrap() | 128);
            rest /= 128;
        }
        block.push(u8::try_from(rest).unwrap());
    }
    block.extend_from_slice(bytes);
}

fn below_127(length: u8) -> Result<u8, ()> {
    if length < 127 { Ok(length) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_reads_what_was_written() {
        let long = [b'x'; 300];
        for length in [0, 1, 126, 127, 128, 254, 255, 256, 300] {
            let fields: [(&[u8], &[u8]); 2] = [(b":path", b"/"), (b"x", &long[..length])];
            let read = loona_hpack::Decoder::new().decode(&literals(&fields)).unwrap();
            let expected = fields.map(|(name, value)| (name.to_vec(), value.to_vec()));
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn every_kind_has_its_code() {
        for code in 0..=20 {
            assert_eq!(FrameKind::from_code(code).code(), code);
        }
    }
}
