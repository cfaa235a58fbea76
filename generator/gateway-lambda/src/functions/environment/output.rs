//! What a process writes, and what Lambda writes about it, as lines of its log stream.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use stackgen_gateway_common::{EpochMillis, Event};
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};

use super::super::pool::Pool;
use super::report::{self, Ending, Report};

/// A line that is longer is cut there: CloudWatch's largest event.
const LONGEST_LINE: usize = 256 * 1024;
/// How often a process's memory is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// What the log is told, in order.
pub(super) enum Marker {
    /// Lines of Lambda's own.
    Lines(Vec<String>),
    /// An invocation begins.
    Start {
        request_id: String,
        /// Its lines are wanted when it ends.
        collect: bool,
    },
    /// It ends.
    End {
        request_id: String,
        ending: Ending,
        duration: Duration,
        init: Option<Duration>,
        tail: Option<oneshot::Sender<Vec<String>>>,
    },
    /// The process ended; nothing follows.
    Over,
}

/// Where the log of an environment is told. Nobody waits for it.
pub(super) struct Log(mpsc::UnboundedSender<Marker>);

impl Log {
    /// The log, and what [`collect`] reads.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Marker>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Log(sender), receiver)
    }

    pub(super) fn note(&self, marker: Marker) {
        // After the end there is nobody to tell.
        let _ = self.0.send(marker);
    }
}

/// What is left in a pipe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing at this moment.
    Nothing,
    /// Perhaps more.
    More,
    /// Nothing ever.
    End,
}

/// The log of one environment.
struct Stream {
    pool: Arc<Pool>,
    name: String,
    pid: Option<u32>,
    partial: BytesMut,
    /// Where reading goes first; kept, since filling it with zeros at every invocation would cost more than the reading.
    buffer: Vec<u8>,
    lines: Vec<String>,
    /// The lines of an invocation for whoever asked for them.
    tail: Option<Vec<String>>,
    used: u64,
    looked: Option<Instant>,
}

/// Takes lines and markers until the process is over. What a process writes before it answers is in the pipe when the
/// answer is here; so the pipe is emptied before the end of an invocation is noted.
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
    /// Notes a marker; true when it is the last.
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

    /// Reads what is there at this moment, whether or not anybody has told yet that there is something.
    fn drain_now(&mut self, output: &pipe::Receiver) {
        self.drain(|buffer| Ok(rustix::io::read(output, buffer)?));
    }

    fn drain(&mut self, read: impl Fn(&mut [u8]) -> io::Result<usize>) -> Left {
        // Whoever writes faster than it is read must not keep everybody else waiting.
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

    /// Hands the lines on.
    fn put(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        let host = self.pool.host();
        let function = self.pool.function();
        for line in &self.lines {
            host.events.send(|| Event::Log {
                function: function.name.clone(),
                line: line.clone(),
            });
        }
        let lines = std::mem::take(&mut self.lines);
        host.logs
            .put(self.pool.log_group(), &self.name, EpochMillis::now(), lines);
    }

    /// The most memory that the process used so far, in MB; 0 where the system does not tell.
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

/// The peak of a process's memory in MB.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}
