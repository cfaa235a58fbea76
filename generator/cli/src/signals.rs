//! Signals that ask the process to stop.

use std::fs;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that asks the process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopSignal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM, with which CI runners cancel jobs.
    Terminate,
    /// SIGHUP: the terminal is gone.
    Hangup,
    /// SIGQUIT: Ctrl-\.
    Quit,
}

impl StopSignal {
    /// Returns the exit code by which shells report the signal: 128 plus its number.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            StopSignal::Interrupt => 130,
            StopSignal::Terminate => 143,
            StopSignal::Hangup => 129,
            StopSignal::Quit => 131,
        }
    }
}

/// Listener for SIGINT, SIGTERM and SIGHUP. While it exists, none of them ends the process by itself.
#[derive(Debug)]
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` if the process was started with SIGHUP ignored, as by `nohup`.
    hangup: Option<Signal>,
    /// `None` if SIGQUIT ends the process at once.
    quit: Option<Signal>,
}

impl StopSignals {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// If the system refuses a signal handler.
    pub(crate) fn listen() -> io::Result<StopSignals> {
        Ok(StopSignals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: match is_ignored(SignalKind::hangup()) {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
            quit: None,
        })
    }

    /// Starts to listen for SIGQUIT too, for commands that have processes to end.
    ///
    /// # Errors
    ///
    /// If the system refuses a signal handler.
    pub(crate) fn listen_with_quit() -> io::Result<StopSignals> {
        Ok(StopSignals {
            quit: Some(signal(SignalKind::quit())?),
            ..StopSignals::listen()?
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn recv(&mut self) -> StopSignal {
        let StopSignals {
            interrupt,
            terminate,
            hangup,
            quit,
        } = self;
        tokio::select! {
            _ = interrupt.recv() => StopSignal::Interrupt,
            _ = terminate.recv() => StopSignal::Terminate,
            () = received(hangup.as_mut()) => StopSignal::Hangup,
            () = received(quit.as_mut()) => StopSignal::Quit,
        }
    }
}

/// Waits for a signal; forever if there is no listener.
async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Waits for the first signal; forever if the system refuses a handler.
pub(crate) async fn stop_requested() -> StopSignal {
    match StopSignals::listen() {
        Ok(mut signals) => signals.recv().await,
        Err(_) => std::future::pending().await,
    }
}

/// Returns true if the process ignores the signal, as Linux reports it. Other systems do not report it: false.
fn is_ignored(kind: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}
