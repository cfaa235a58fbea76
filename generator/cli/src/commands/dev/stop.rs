//! Reasons for `stackgen dev` to stop: signals, and a reader of its output that goes away.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

use crate::error::CliError;
use crate::signals::{StopSignal, StopSignals};

/// A reason to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopReason {
    /// A signal arrived.
    Signal(StopSignal),
    /// The reader of stdout is gone.
    Unread,
}

/// Stream of reasons to stop.
#[derive(Debug)]
pub(super) struct StopReasons(mpsc::Receiver<StopReason>);

impl StopReasons {
    /// Starts to listen. From then on, signals no longer end the process by themselves.
    ///
    /// # Errors
    ///
    /// If the system refuses a signal handler.
    pub(super) fn listen() -> Result<StopReasons, CliError> {
        let (sender, reasons) = mpsc::channel(4);
        let mut signals = StopSignals::listen_with_quit()
            .map_err(|error| CliError::failed(format!("cannot listen for Ctrl-C: {error}")))?;
        let unread = sender.clone();
        tokio::spawn(async move {
            while sender
                .send(StopReason::Signal(signals.recv().await))
                .await
                .is_ok()
            {}
        });
        // A thread that waits in the kernel cannot be stopped: it ends with the process.
        thread::spawn(move || {
            if wait_until_unread(io::stdout()).is_ok() {
                // During shutdown, there is no receiver.
                let _ = unread.blocking_send(StopReason::Unread);
            }
        });
        Ok(StopReasons(reasons))
    }

    /// Waits for a reason to stop.
    pub(super) async fn recv(&mut self) -> StopReason {
        match self.0.recv().await {
            Some(reason) => reason,
            // The senders live as long as the process.
            None => std::future::pending().await,
        }
    }

    /// Waits for a signal.
    pub(super) async fn signal(&mut self) -> StopSignal {
        loop {
            if let StopReason::Signal(signal) = self.recv().await {
                return signal;
            }
        }
    }
}

/// Blocks until the reader of a pipe, socket or terminal is gone; forever for files.
fn wait_until_unread(output: impl rustix::fd::AsFd) -> rustix::io::Result<()> {
    // Errors and hang-ups are reported without being requested.
    let mut watched = [PollFd::new(&output, PollFlags::empty())];
    loop {
        match poll(&mut watched, None) {
            Ok(0) | Err(Errno::INTR) => {}
            done => return done.map(|_| ()),
        }
    }
}

/// Runs a future to its end or to a panic.
pub(super) async fn catch_panic<T>(work: impl Future<Output = T>) -> thread::Result<T> {
    let mut work = pin!(work);
    poll_fn(|context| {
        // After a panic, the future is not polled again.
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_unread_once_its_reader_is_gone() {
        let (reader, writer) = io::pipe().unwrap();
        let waiting = thread::spawn(move || wait_until_unread(writer));
        drop(reader);
        assert!(waiting.join().unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_panic_is_caught_and_a_result_is_returned() {
        assert_eq!(catch_panic(async { 1 }).await.unwrap(), 1);
        let panic = catch_panic(async {
            tokio::task::yield_now().await;
            panic!("on purpose");
        });
        let panic = panic.await.unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    }
}
