//! Check of incoming frames. A frame's length must be encoded in as few bytes as possible (RFC 6455, section 5.2).
//! tungstenite accepts other encodings, so this stream checks them below it.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Error kind of an overlong length. Sockets do not return this kind themselves.
pub(super) const OVERLONG_LENGTH: ErrorKind = ErrorKind::InvalidData;

/// A stream of a client's frames. It fails at the first frame with an overlong length.
#[derive(Debug)]
pub(super) struct CheckedFrames<S> {
    stream: S,
    position: FramePosition,
    broken: bool,
}

/// Position within the current frame.
#[derive(Debug, Default)]
struct FramePosition {
    /// First bytes of the frame, up to the end of its length.
    head: [u8; 10],
    known: usize,
    /// Remaining bytes of the mask and the payload.
    left: u64,
}

impl<S> CheckedFrames<S> {
    /// Wraps a stream. `first` was read from it before; it is truncated at the first violation.
    pub(super) fn new(stream: S, first: &mut Vec<u8>) -> Self {
        let mut position = FramePosition::default();
        let good = position.follow(first);
        let broken = good < first.len();
        first.truncate(good);
        CheckedFrames {
            stream,
            position,
            broken,
        }
    }

    /// Returns the wrapped stream.
    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl FramePosition {
    /// Follows the frames in `bytes`. Returns the number of valid bytes: all, or those before the last byte of an
    /// overlong length.
    fn follow(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            if self.left > 0 {
                let rest = bytes.len() - at;
                let step = usize::try_from(self.left).map_or(rest, |left| left.min(rest));
                self.left -= step as u64;
                at += step;
                continue;
            }
            self.head[self.known] = bytes[at];
            self.known += 1;
            if let Some((length, fewest)) = self.length() {
                if length < fewest {
                    return at;
                }
                let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
                self.left = length.saturating_add(mask);
                self.known = 0;
            }
            at += 1;
        }
        at
    }

    /// Returns the frame's length once it is complete, and the smallest length that may be encoded like this.
    fn length(&self) -> Option<(u64, u64)> {
        let [_, second, rest @ ..] = &self.head;
        match (second & 0x7f, self.known) {
            (short @ ..=125, 2) => Some((short.into(), 0)),
            (126, 4) => Some((u16::from_be_bytes([rest[0], rest[1]]).into(), 126)),
            (127, 10) => Some((u64::from_be_bytes(*rest), 1 << 16)),
            _ => None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CheckedFrames<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        if !this.broken {
            ready!(Pin::new(&mut this.stream).poll_read(cx, into))?;
            let read = &into.filled()[before..];
            let good = this.position.follow(read);
            this.broken = good < read.len();
            into.set_filled(before + good);
        }
        if this.broken && into.filled().len() == before {
            let error = Error::new(
                OVERLONG_LENGTH,
                "a frame's length is not encoded in as few bytes as possible",
            );
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CheckedFrames<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    use super::*;

    /// Encodes a frame with tungstenite, as clients do.
    fn frame(payload: Vec<u8>, masked: bool) -> Vec<u8> {
        let mut frame = Frame::message(payload, OpCode::Data(Data::Text), true);
        frame.header_mut().mask = masked.then_some([1, 2, 3, 4]);
        let mut bytes = Vec::new();
        frame.format(&mut bytes).unwrap();
        bytes
    }

    /// Returns the position of the first violation when the bytes arrive in pieces.
    fn broken(bytes: &[u8], piece: usize) -> Option<usize> {
        let mut position = FramePosition::default();
        let mut at = 0;
        for piece in bytes.chunks(piece) {
            let good = position.follow(piece);
            at += good;
            if good < piece.len() {
                return Some(at);
            }
        }
        None
    }

    #[test]
    fn an_overlong_length_is_detected_at_its_last_byte() {
        for (head, expected) in [
            (&[0x81, 0xfe, 0, 125][..], Some(3)),
            (&[0x81, 0xfe, 0, 126], None),
            (&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Some(9)),
            (&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0], None),
            (
                &[
                    0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5,
                ],
                None,
            ),
        ] {
            for piece in [1, 3, 20] {
                assert_eq!(broken(head, piece), expected, "{head:x?}");
            }
        }
    }

    proptest! {
        #[test]
        fn frames_of_tungstenite_are_valid_and_a_violation_after_them_is_detected(
            sizes in prop::collection::vec(prop_oneof![0..200usize, 65_000..66_000usize], 0..6),
            masked in any::<bool>(),
            piece in 1..5000usize,
        ) {
            let mut bytes: Vec<u8> = Vec::new();
            for size in sizes {
                bytes.extend(frame(vec![b'x'; size], masked));
            }
            prop_assert_eq!(broken(&bytes, piece), None);
            let length = bytes.len();
            bytes.extend([0x81, 0xfe, 0, 5]);
            prop_assert_eq!(broken(&bytes, piece), Some(length + 3));
        }
    }
}
