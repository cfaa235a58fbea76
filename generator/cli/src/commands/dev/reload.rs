//! Changes of a project while it runs.

use std::future::{Future, pending};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::watch::FileWatch;
use crate::error::CliError;
use crate::source::{PreparedStack, SourceArgs};
use crate::ui::Ui;

/// Time in which several writes count as one change: editors save a file in several steps.
const SETTLE_TIME: Duration = Duration::from_millis(150);

/// A build in progress. Dropping it ends the build.
type Preparation<'a> = Pin<Box<dyn Future<Output = Result<PreparedStack, CliError>> + 'a>>;

/// Watcher of a project, which prepares changed stacks. A further change restarts the preparation.
pub(super) struct Reload<'a> {
    watch: Option<FileWatch>,
    due: Option<Instant>,
    work: Option<Preparation<'a>>,
}

impl<'a> Reload<'a> {
    /// Creates a watcher that never reports a change.
    pub(super) fn never() -> Self {
        Reload {
            watch: None,
            due: None,
            work: None,
        }
    }

    /// Starts to watch a project.
    pub(super) async fn watching(prepared: &PreparedStack) -> Result<Self, CliError> {
        let watch = start(prepared).await?;
        Ok(Reload {
            watch: Some(watch),
            ..Reload::never()
        })
    }

    /// Watches the files that belong to the project now: a new function has new files.
    pub(super) async fn watch(&mut self, prepared: &PreparedStack) -> Result<(), CliError> {
        if let Some(old) = &self.watch {
            let new = start(prepared).await?;
            if old.has_changes() {
                self.due = Some(Instant::now());
            }
            self.watch = Some(new);
        }
        Ok(())
    }

    /// Waits for a change, and prepares the changed stack. The future may be dropped at any time.
    pub(super) async fn next(
        &mut self,
        source: &'a SourceArgs,
        ui: &'a Ui,
    ) -> Result<PreparedStack, CliError> {
        loop {
            let Reload { watch, due, work } = self;
            tokio::select! {
                changed = changed(watch.as_mut()) => match changed {
                    Some(()) => {
                        *due = Some(Instant::now() + SETTLE_TIME);
                        *work = None;
                    }
                    None => *watch = None,
                },
                () = at(*due) => {
                    *due = None;
                    *work = Some(Box::pin(source.prepare(ui)));
                }
                prepared = done(work.as_mut()) => {
                    *work = None;
                    return prepared;
                }
            }
        }
    }
}

/// Starts to watch the files of a project.
async fn start(prepared: &PreparedStack) -> Result<FileWatch, CliError> {
    let file = Path::new(&prepared.template.file);
    FileWatch::start(file, &prepared.folders, &prepared.code()).await
}

async fn changed(watch: Option<&mut FileWatch>) -> Option<()> {
    match watch {
        Some(watch) => watch.next().await.map(|_| ()),
        None => pending().await,
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

async fn done(work: Option<&mut Preparation<'_>>) -> Result<PreparedStack, CliError> {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}
