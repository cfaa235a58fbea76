//! Log stream of an environment: lines of the process and of Lambda itself.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use stackgen_gateway_common::{EpochMillis, Event};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use super::super::pool::EnvironmentPool;
use super::report::{self, InvocationEnd, InvocationReport};

/// Maximum length of a line, CloudWatch's maximum size of an event. Longer lines are split.
const MAX_LINE: usize = 256 * 1024;
/// Minimum interval between two checks of the process's memory.
const MEMORY_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Entry for the log, in order with the process's output.
pub(super) enum LogEntry {
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
        ending: InvocationEnd,
        duration: Duration,
        init: Option<Duration>,
        tail: Option<mpsc::UnboundedSender<Vec<String>>>,
    },
    /// End of the process; nothing follows.
    ProcessEnded,
}

/// Sender of entries for an environment's log.
pub(super) struct LogSender(mpsc::UnboundedSender<LogEntry>);

impl LogSender {
    /// Creates the sender and the receiver for [`collect`].
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<LogEntry>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (LogSender(sender), receiver)
    }

    pub(super) fn send(&self, entry: LogEntry) {
        // Entries after the end of the process are dropped.
        let _ = self.0.send(entry);
    }
}

/// State of the pipe after reading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PipeState {
    /// Empty for now.
    Empty,
    /// Possibly more to read.
    MoreData,
    /// Closed.
    Closed,
}

/// Log stream of one environment.
struct StreamWriter {
    pool: Arc<EnvironmentPool>,
    name: String,
    pid: Option<u32>,
    partial: BytesMut,
    /// Read buffer. Reused, because zeroing a new one per invocation would cost more than reading.
    buffer: Vec<u8>,
    lines: Vec<String>,
    /// Lines of the running invocation, if the caller asked for them.
    tail: Option<Vec<String>>,
    peak_memory_mb: u64,
    memory_checked: Option<Instant>,
}

/// Collects output and entries until the end of the process. When an answer arrives, everything that the process wrote
/// before is already in the pipe, so the pipe is emptied before the end of an invocation is logged.
pub(super) async fn collect(
    pool: Arc<EnvironmentPool>,
    name: String,
    pid: Option<u32>,
    output: pipe::Receiver,
    mut entries: mpsc::UnboundedReceiver<LogEntry>,
) {
    let mut stream = StreamWriter {
        pool,
        name,
        pid,
        partial: BytesMut::new(),
        buffer: vec![0; 16 * 1024],
        lines: Vec::new(),
        tail: None,
        peak_memory_mb: 0,
        memory_checked: None,
    };
    let mut pipe_state = PipeState::Empty;
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            received = entries.recv_many(&mut batch, 256) => {
                let mut ended = received == 0;
                for entry in batch.drain(..) {
                    ended |= stream.log_entry(entry, &output);
                }
                stream.flush();
                if ended {
                    return;
                }
            }
            () = tokio::task::yield_now(), if pipe_state == PipeState::MoreData => {
                pipe_state = stream.drain(|buffer| output.try_read(buffer));
                stream.flush();
            }
            ready = output.readable(), if pipe_state == PipeState::Empty => {
                pipe_state = match ready {
                    Ok(()) => stream.drain(|buffer| output.try_read(buffer)),
                    Err(_) => PipeState::Closed,
                };
                stream.flush();
            }
        }
    }
}

impl StreamWriter {
    /// Logs an entry. Returns true if it is the last.
    fn log_entry(&mut self, entry: LogEntry, output: &pipe::Receiver) -> bool {
        match entry {
            LogEntry::Lines(lines) => lines.into_iter().for_each(|line| self.add_line(line)),
            LogEntry::Start {
                request_id,
                collect,
            } => {
                self.tail = collect.then(Vec::new);
                let format = self.pool.configuration().log_format;
                self.add_line(report::start(format, &request_id, self.pool.version()));
            }
            LogEntry::End {
                request_id,
                ending,
                duration,
                init,
                tail,
            } => {
                self.drain_now(output);
                let peak_memory_mb = self.peak_memory_mb();
                let report = InvocationReport {
                    request_id: &request_id,
                    ending: &ending,
                    duration,
                    init,
                    peak_memory_mb,
                };
                for line in report::end(self.pool.configuration(), &report) {
                    self.add_line(line);
                }
                if let (Some(tail), Some(lines)) = (tail, self.tail.take()) {
                    let _ = tail.send(lines);
                }
            }
            LogEntry::ProcessEnded => {
                self.drain_now(output);
                if !self.partial.is_empty() {
                    let rest = self.partial.split();
                    self.add_line(String::from_utf8_lossy(&rest).into_owned());
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

    fn drain(&mut self, read: impl Fn(&mut [u8]) -> io::Result<usize>) -> PipeState {
        // The limit keeps a process that writes without pause from blocking other tasks.
        for _ in 0..64 {
            match read(&mut self.buffer) {
                Ok(0) => return PipeState::Closed,
                Ok(read) => {
                    self.partial.extend_from_slice(&self.buffer[..read]);
                    self.split_lines();
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => return PipeState::Empty,
                    _ => return PipeState::Closed,
                },
            }
        }
        PipeState::MoreData
    }

    fn split_lines(&mut self) {
        loop {
            let end = self.partial.iter().position(|&byte| byte == b'\n');
            let line = match end {
                Some(end) => {
                    let line = self.partial.split_to(end);
                    self.partial.advance(1);
                    line
                }
                None if self.partial.len() > MAX_LINE => self.partial.split_to(MAX_LINE),
                None => return,
            };
            let line = String::from_utf8_lossy(&line);
            self.add_line(line.strip_suffix('\r').unwrap_or(&line).to_owned());
        }
    }

    fn add_line(&mut self, line: String) {
        if let Some(tail) = &mut self.tail {
            tail.push(line.clone());
        }
        self.lines.push(line);
    }

    /// Sends the collected lines to the event listeners and to CloudWatch Logs.
    fn flush(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        let host = self.pool.host();
        let function = self.pool.function();
        for line in &self.lines {
            host.events.send(Event::Log {
                function: function.name.clone(),
                line: line.clone(),
            });
        }
        let lines = std::mem::take(&mut self.lines);
        host.logs
            .put(self.pool.log_group(), &self.name, EpochMillis::now(), lines);
    }

    /// Returns the peak memory of the process in MB; 0 if the system does not show it.
    fn peak_memory_mb(&mut self) -> u64 {
        if self
            .memory_checked
            .is_none_or(|checked| checked.elapsed() > MEMORY_CHECK_INTERVAL)
        {
            self.memory_checked = Some(Instant::now());
            if let Some(used) = self.pid.and_then(peak_memory) {
                self.peak_memory_mb = used;
            }
        }
        self.peak_memory_mb
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
