//! A deadline for HTTP/2 heads: a header block that was begun must end.
//!
//! Neither Pingora nor the h2 library has one, and a connection with an open stream is never
//! idle. So the frames' outer form (RFC 9113, 4.1) is followed as the bytes pass: how long each
//! is, and whether a header block is open (6.2, 6.10). What is in them is none of our business.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

const PREFACE_BYTES: usize = 24;
const FRAME_HEAD_BYTES: usize = 9;
const HEADERS: u8 = 0x1;
const CONTINUATION: u8 = 0x9;
const END_HEADERS: u8 = 0x4;

/// Follows the frames a client sends, and knows for how long a header block has been open.
#[derive(Debug)]
pub(super) struct HeadWatch {
    frames: Frames,
    whole: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl HeadWatch {
    /// `whole` is the time from a header block's first byte to its end.
    pub(super) fn new(whole: Duration) -> Self {
        Self { frames: Frames::default(), whole, deadline: None }
    }

    /// Follows bytes that arrived.
    pub(super) fn saw(&mut self, bytes: &[u8]) {
        self.frames.follow(bytes);
        if !self.frames.is_in_head() {
            self.deadline = None;
        }
    }

    /// Whether a header block has been open for too long; wakes the reader when it has.
    pub(super) fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.frames.is_in_head() {
            return false;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.whole)));
        Future::poll(deadline.as_mut(), cx).is_ready()
    }
}

/// Where in the frames the next byte stands.
#[derive(Debug)]
struct Frames {
    preface_left: usize,
    /// The head of the frame that is arriving, as far as it is here.
    head: Vec<u8>,
    payload_left: usize,
    /// The frame that is arriving carries a header block.
    carries_block: bool,
    /// A header block goes on after the frame that is arriving.
    goes_on: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            preface_left: PREFACE_BYTES,
            head: Vec::with_capacity(FRAME_HEAD_BYTES),
            payload_left: 0,
            carries_block: false,
            goes_on: false,
        }
    }
}

impl Frames {
    fn is_in_head(&self) -> bool {
        self.goes_on || !self.head.is_empty() || (self.carries_block && self.payload_left > 0)
    }

    fn follow(&mut self, mut bytes: &[u8]) {
        skip(&mut self.preface_left, &mut bytes);
        while !bytes.is_empty() {
            skip(&mut self.payload_left, &mut bytes);
            if self.payload_left > 0 {
                return;
            }
            let wanted = (FRAME_HEAD_BYTES - self.head.len()).min(bytes.len());
            let (taken, rest) = bytes.split_at(wanted);
            self.head.extend_from_slice(taken);
            bytes = rest;
            if let &[l2, l1, l0, kind, flags, ..] = self.head.as_slice()
                && self.head.len() == FRAME_HEAD_BYTES
            {
                self.begin([l2, l1, l0], kind, flags);
                self.head.clear();
            }
        }
    }

    fn begin(&mut self, [l2, l1, l0]: [u8; 3], kind: u8, flags: u8) {
        let length = u32::from_be_bytes([0, l2, l1, l0]);
        self.payload_left = usize::try_from(length).unwrap_or(usize::MAX);
        self.carries_block = matches!(kind, HEADERS | CONTINUATION);
        if self.carries_block {
            self.goes_on = flags & END_HEADERS == 0;
        }
    }
}

/// Passes over as many of the bytes as are left to be passed over.
fn skip(left: &mut usize, bytes: &mut &[u8]) {
    let skipped = (*left).min(bytes.len());
    *left -= skipped;
    *bytes = bytes.get(skipped..).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn after(frames: &[&[u8]]) -> Frames {
        let mut watched = Frames::default();
        watched.follow(&[b'P'; PREFACE_BYTES]);
        frames.iter().for_each(|frame| watched.follow(frame));
        watched
    }

    #[test]
    fn a_head_is_open_until_its_block_ends() {
        let whole = frame(HEADERS, END_HEADERS, b"abc");
        assert!(!after(&[]).is_in_head());
        assert!(!after(&[&whole]).is_in_head());
        assert!(after(&[&whole[..1]]).is_in_head());
        assert!(after(&[&whole[..11]]).is_in_head());
        let begun = frame(HEADERS, 0, b"abc");
        assert!(after(&[&begun]).is_in_head());
        assert!(!after(&[&begun, &frame(CONTINUATION, END_HEADERS, b"")]).is_in_head());
    }

    #[test]
    fn a_body_is_no_head() {
        let data = frame(0, 0, b"abcdef");
        assert!(!after(&[&data[..12]]).is_in_head());
        assert!(!after(&[&frame(HEADERS, END_HEADERS, b"x"), &data[..12]]).is_in_head());
    }

    proptest! {
        /// However the frames are cut into reads, the same is known.
        #[test]
        fn cuts_do_not_matter(kinds in proptest::collection::vec((0_u8..11, any::<u8>(), 0_usize..20), 0..6), cut in 1_usize..7) {
            let mut wire = vec![b'P'; PREFACE_BYTES];
            for (kind, flags, length) in kinds {
                wire.extend(frame(kind, flags, &vec![0; length]));
            }
            let (mut whole, mut pieces) = (Frames::default(), Frames::default());
            whole.follow(&wire);
            wire.chunks(cut).for_each(|piece| pieces.follow(piece));
            prop_assert_eq!(whole.is_in_head(), pieces.is_in_head());
        }
    }
}
