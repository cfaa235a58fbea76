//! Log stream of an environment: lines of the process and of Lambda itself.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use stackgen_gateway_common::{Event, Timestamp};
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};

use super::super::pool::Pool;
use super::report::{self, Ending, Report};

/// Maximum length of a line, CloudWatch's maximum size of an event. Longer lines are split.
const LONGEST_LINE: usize = 256 * 1024;
/// Minimum interval between two checks of the process's memory.
const LOOK: Duration = Duration::from_millis(200);

/// Entry for the log, in order with the process's output.
pub(super) enum Marker {
    /// Lambda's own lines.
    Lines(Vec<String>),
    /// Start of an invocation.
    Start {
        request_id: String,
        /// True if the caller asked for the lines of the invocation.
        collect: bool,
    },
    /// End of an invocation.
    End {
        request_id: String,
        ending: Ending,
        duration: Duration,
        init: Option<Duration>,
        tail: Option<oneshot::Sender<Vec<String>>>,
    },
    /// End of the process; nothing follows.
    Over,
}

/// Sender of entries for an environment's log.
pub(super) struct Log(mpsc::UnboundedSender<Marker>);

impl Log {
    /// Creates the sender and the receiver for [`collect`].
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Marker>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Log(sender), receiver)
    }

    pub(super) fn note(&self, marker: Marker) {
        // Entries after the end of the process are dropped.
        let _ = self.0.send(marker);
    }
}

/// State of the pipe after reading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Empty for now.
    Nothing,
    /// Possibly more to read.
    More,
    /// Closed.
    End,
}

/// Log stream of one environment.
struct Stream {
    pool: Arc<Pool>,
    name: String,
    pid: Option<u32>,
    partial: BytesMut,
    /// Read buffer. Reused, because zeroing a new one per invocation would cost more than reading.
    buffer: Vec<u8>,
    lines: Vec<String>,
    /// Lines of the running invocation, if the caller asked for them.
    tail: Option<Vec<String>>,
    used: u64,
    looked: Option<Instant>,
}

/// Collects output and entries until the end of the process. When an answer arrives, everything that the process wrote
/// before is already in the pipe, so the pipe is emptied before the end of an invocation is logged.
pub(super) async fn collect(
    pool: Arc<Pool>,
    name: String,
    pid: Option<u32>,
    output: pipe::Receiver,
    mut markers: mpsc::UnboundedReceiver<Marker>,
) {
    let mut stream = Stream {
        pool,
        name,
        pid,
        partial: BytesMut::new(),
        buffer: vec![0; 16 * 1024],
        lines: Vec::new(),
        tail: None,
        used: 0,
        looked: None,
    };
    let mut left = Left::Nothing;
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            taken = markers.recv_many(&mut batch, 256) => {
                let mut over = taken == 0;
                for marker in batch.drain(..) {
                    over |= stream.mark(marker, &output);
                }
                stream.put();
                if over {
                    return;
                }
            }
            () = tokio::task::yield_now(), if left == Left::More => {
                left = stream.drain(|buffer| output.try_read(buffer));
                stream.put();
            }
            ready = output.readable(), if left == Left::Nothing => {
                left = match ready {
                    Ok(()) => stream.drain(|buffer| output.try_read(buffer)),
                    Err(_) => Left::End,
                };
                stream.put();
            }
        }
    }
}

impl Stream {
    /// Logs an entry. Returns true if it is the last.
    fn mark(&mut self, marker: Marker, output: &pipe::Receiver) -> bool {
        match marker {
            Marker::Lines(lines) => lines.into_iter().for_each(|line| self.line(line)),
            Marker::Start {
                request_id,
                collect,
            } => {
                self.tail = collect.then(Vec::new);
                let format = self.pool.configuration().log_format;
                self.line(report::start(format, &request_id, self.pool.version()));
            }
            Marker::End {
                request_id,
                ending,
                duration,
                init,
                tail,
            } => {
                self.drain_now(output);
                let used = self.used();
                let report = Report {
                    request_id: &request_id,
                    ending: &ending,
                    duration,
                    init,
                    used,
                };
                for line in report::end(self.pool.configuration(), &report) {
                    self.line(line);
                }
                if let (Some(tail), Some(lines)) = (tail, self.tail.take()) {
                    let _ = tail.send(lines);
                }
            }
            Marker::Over => {
                self.drain_now(output);
                if !self.partial.is_empty() {
                    let rest = self.partial.split();
                    self.line(String::from_utf8_lossy(&rest).into_owned());
                }
                return true;
            }
        }
        false
    }

    /// Reads everything that is in the pipe now, even if tokio has not reported it as readable yet.
    fn drain_now(&mut self, output: &pipe::Receiver) {
        self.drain(|buffer| Ok(rustix::io::read(output, buffer)?));
    }

    fn drain(&mut self, read: impl Fn(&mut [u8]) -> io::Result<usize>) -> Left {
        // The limit keeps a process that writes without pause from blocking other tasks.
        for _ in 0..64 {
            match read(&mut self.buffer) {
                Ok(0) => return Left::End,
                Ok(read) => {
                    self.partial.extend_from_slice(&self.buffer[..read]);
                    self.split();
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => return Left::Nothing,
                    _ => return Left::End,
                },
            }
        }
        Left::More
    }

    fn split(&mut self) {
        loop {
            let end = self.partial.iter().position(|&byte| byte == b'\n');
            let line = match end {
                Some(end) => {
                    let line = self.partial.split_to(end);
                    self.partial.advance(1);
                    line
                }
                None if self.partial.len() > LONGEST_LINE => self.partial.split_to(LONGEST_LINE),
                None => return,
            };
            let line = String::from_utf8_lossy(&line);
            self.line(line.strip_suffix('\r').unwrap_or(&line).to_owned());
        }
    }

    fn line(&mut self, line: String) {
        if let Some(tail) = &mut self.tail {
            tail.push(line.clone());
        }
        self.lines.push(line);
    }

    /// Sends the collected lines to the event listeners and to CloudWatch Logs.
    fn put(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        let host = self.pool.host();
        let function = self.pool.function();
        for line in &self.lines {
            host.events.tell(|| Event::Log {
                function: function.name.clone(),
                line: line.clone(),
            });
        }
        let lines = std::mem::take(&mut self.lines);
        host.logs
            .put(self.pool.log_group(), &self.name, Timestamp::now(), lines);
    }

    /// Returns the peak memory of the process in MB; 0 if the system does not show it.
    fn used(&mut self) -> u64 {
        if self.looked.is_none_or(|looked| looked.elapsed() > LOOK) {
            self.looked = Some(Instant::now());
            if let Some(used) = self.pid.and_then(peak_memory) {
                self.used = used;
            }
        }
        self.used
    }
}

/// Reads the peak memory of a process in MB.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}
