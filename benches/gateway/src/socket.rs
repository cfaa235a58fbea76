//! A minimal WebSocket client of raw frames. It costs little, so that the target dominates the measurement, and it can
//! stop in the middle of a frame.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// Any key; its value does not matter.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Address of a WebSocket: `ws://{host}:{port}{path}`.
#[derive(Clone, Debug)]
pub struct Url {
    authority: String,
    path: String,
}

impl Url {
    /// Parses a URL.
    pub fn parse(text: &str) -> Result<Self> {
        let rest = text
            .strip_prefix("ws://")
            .ok_or_else(|| Error::other(format!("{text} is no ws:// URL")))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Url {
            authority: authority.to_owned(),
            path: format!("/{path}"),
        })
    }
}

/// A frame from a server.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A text message.
    Text(Vec<u8>),
    /// A close frame.
    Close(Option<u16>),
    /// A ping or a pong.
    Control,
}

/// Reading side of an open WebSocket.
pub struct Reader(BufReader<OwnedReadHalf>);

/// Writing side of an open WebSocket.
pub struct Writer(OwnedWriteHalf);

/// Connects. Fails with the status if it is not 101.
pub async fn connect(url: &Url) -> Result<(Reader, Writer)> {
    let stream = TcpStream::connect(&url.authority).await?;
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n",
        url.path, url.authority
    );
    write.write_all(request.as_bytes()).await?;
    let mut read = BufReader::with_capacity(4096, read);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(read.read_u8().await?);
    }
    match head.get(9..12) {
        Some(b"101") => Ok((Reader(read), Writer(write))),
        status => Err(Error::other(format!(
            "the handshake was answered with {}",
            String::from_utf8_lossy(status.unwrap_or_default())
        ))),
    }
}

impl Reader {
    /// Reads the next frame. Fails for messages of several frames, which no target sends.
    pub async fn next(&mut self) -> Result<Frame> {
        let head = self.0.read_u16().await?;
        let length = match head & 0x7f {
            126 => usize::from(self.0.read_u16().await?),
            127 => usize::try_from(self.0.read_u64().await?).map_err(Error::other)?,
            length => usize::from(length),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await?;
        match u8::try_from((head >> 8) & 0x0f) {
            Ok(TEXT) if head & 0x8000 != 0 => Ok(Frame::Text(payload)),
            Ok(CLOSE) => Ok(Frame::Close(
                payload.first_chunk().map(|code| u16::from_be_bytes(*code)),
            )),
            Ok(PING | PONG) => Ok(Frame::Control),
            _ => Err(Error::new(
                ErrorKind::InvalidData,
                format!("a frame that begins with {head:#x}"),
            )),
        }
    }

    /// Waits for bytes to read. Returns false after `time`. Unlike reading a frame, this can be canceled safely.
    pub async fn wait(&mut self, time: Duration) -> Result<bool> {
        match timeout(time, self.0.fill_buf()).await {
            Ok(filled) => filled.map(|_| true),
            Err(_) => Ok(false),
        }
    }

    /// Reads the next text message.
    pub async fn text(&mut self) -> Result<Vec<u8>> {
        loop {
            match self.next().await? {
                Frame::Text(text) => return Ok(text),
                Frame::Close(code) => {
                    return Err(Error::new(
                        ErrorKind::ConnectionAborted,
                        format!("closed with {code:?}"),
                    ));
                }
                Frame::Control => {}
            }
        }
    }
}

impl Writer {
    /// Sends a text message.
    pub async fn text(&mut self, text: &[u8]) -> Result<()> {
        self.0.write_all(&frame(TEXT, text)).await
    }

    /// Sends several text messages in one write.
    pub async fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        let bytes: Vec<u8> = texts
            .into_iter()
            .flat_map(|text| frame(TEXT, text))
            .collect();
        self.0.write_all(&bytes).await
    }

    /// Sends the first half of a text message.
    pub async fn half(&mut self, text: &[u8]) -> Result<()> {
        let frame = frame(TEXT, text);
        self.0.write_all(&frame[..frame.len() / 2]).await
    }

    /// Sends a close frame.
    pub async fn close(&mut self, code: u16) -> Result<()> {
        self.0.write_all(&frame(CLOSE, &code.to_be_bytes())).await
    }
}

/// Returns a client's frame. The mask is zero, which is valid and leaves the payload unchanged.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        medium @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
