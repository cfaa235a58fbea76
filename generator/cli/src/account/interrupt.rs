//! Interruption of operations by signals.

use stackgen_deploy::Interrupt;
use tokio::sync::watch;

use super::progress::StepProgress;
use crate::signals::StopSignals;

/// Listens for SIGINT, SIGTERM and SIGHUP from here on. The first one stops at the next safe point, a second one at once.
pub(crate) fn interrupt_on_signals(progress: &StepProgress<'_>) -> Interrupt {
    let print = progress.printer();
    interrupt_after(move || {
        print("stopping at the next safe point; press Ctrl-C again to stop at once");
    })
}

/// Listens for these signals, and calls a function at the first one.
pub(crate) fn interrupt_after(first: impl Fn() + Send + 'static) -> Interrupt {
    let (sender, receiver) = watch::channel(false);
    // Where the system refuses handlers, a signal ends the process as usual.
    if let Ok(mut signals) = StopSignals::listen() {
        tokio::spawn(async move {
            loop {
                let signal = signals.recv().await;
                if sender.send_replace(true) {
                    std::process::exit(i32::from(signal.exit_code()));
                }
                first();
            }
        });
    }
    Interrupt::new(receiver)
}
