//! Signals that ask the process to stop.

use std::fs;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that asks the process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopSignal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: what a CI runner cancels a job with.
    Terminate,
    /// SIGHUP: the terminal is gone.
    Hangup,
    /// SIGQUIT: Ctrl-\.
    Quit,
}

impl StopSignal {
    /// What a shell reports for a process that the signal ended: 128 and the signal's number.
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
    /// `None` leaves it to end the process at once.
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

    /// The same, and for SIGQUIT, too: for commands that have processes to end.
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

/// Waits for a signal; for ever if it is not listened for.
async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Waits for the first signal; for ever where the system lets nobody listen.
pub(crate) async fn stop_requested() -> StopSignal {
    match StopSignals::listen() {
        Ok(mut signals) => signals.recv().await,
        Err(_) => std::future::pending().await,
    }
}

/// True if the process ignores the signal, by what Linux reports of it. Elsewhere it is not known, and false.
fn is_ignored(kind: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}
