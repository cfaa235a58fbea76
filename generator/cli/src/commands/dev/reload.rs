//! Changes of a project while it runs.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use stackgen_cfn::terminal::escape;
use tokio::time::{Instant, sleep_until};

use super::changed_file::ChangedFile;
use super::noise::{ChangeStorms, OwnFiles, without_ignored};
use super::watch::FileWatch;
use crate::error::CliError;
use crate::source::{PreparedStack, SourceArgs};
use crate::ui::Ui;

/// Time in which several writes count as one change: editors save a file in several steps.
const SETTLE_TIME: Duration = Duration::from_millis(150);

/// Changed files.
type Changes = BTreeMap<PathBuf, ChangedFile>;

/// A build in progress: the changes that caused it and its result, or `None` if the changes were no code. Dropping it ends
/// the build.
type Preparation<'a> =
    Pin<Box<dyn Future<Output = Option<(Changes, Result<PreparedStack, CliError>)>> + 'a>>;

/// Watcher of a project, which prepares changed stacks. A further change restarts the preparation.
pub(super) struct Reload<'a> {
    watch: Option<FileWatch>,
    /// Files that this process writes to.
    own: OwnFiles,
    /// Changes that are not applied yet.
    pending: Changes,
    storms: ChangeStorms,
    due: Option<Instant>,
    work: Option<Preparation<'a>>,
}

impl<'a> Reload<'a> {
    /// Creates a watcher that never reports a change.
    pub(super) fn never() -> Self {
        Reload {
            watch: None,
            own: OwnFiles::default(),
            pending: Changes::new(),
            storms: ChangeStorms::default(),
            due: None,
            work: None,
        }
    }

    /// Starts to watch a project.
    pub(super) async fn watching(
        prepared: &PreparedStack,
        own: OwnFiles,
    ) -> Result<Self, CliError> {
        let watch = start(prepared, own.clone()).await?;
        Ok(Reload {
            watch: Some(watch),
            own,
            ..Reload::never()
        })
    }

    /// Watches the files that belong to the project now: a new function has new files.
    pub(super) async fn watch(&mut self, prepared: &PreparedStack) -> Result<(), CliError> {
        let Some(mut old) = self.watch.take() else {
            return Ok(());
        };
        let new = start(prepared, self.own.clone()).await?;
        while let Some((path, kind)) = old.arrived() {
            if !self.storms.is_muted(&path) {
                self.pending.insert(path, kind);
                self.due = Some(Instant::now());
            }
        }
        self.watch = Some(new);
        Ok(())
    }

    /// Waits for a change, and prepares the changed stack. The future may be dropped at any time.
    pub(super) async fn next(
        &mut self,
        source: &'a SourceArgs,
        ui: &'a Ui,
    ) -> Result<PreparedStack, CliError> {
        loop {
            let Reload {
                watch, due, work, ..
            } = self;
            tokio::select! {
                changed = changed(watch.as_mut()) => match changed {
                    Some((path, kind)) if !self.storms.is_muted(&path) => {
                        self.pending.insert(path, kind);
                        *due = Some(Instant::now() + SETTLE_TIME);
                        *work = None;
                    }
                    Some(_) => {}
                    None => *watch = None,
                },
                () = at(*due) => {
                    *due = None;
                    *work = Some(Box::pin(prepare(source, ui, self.pending.clone())));
                }
                prepared = done(work.as_mut()) => {
                    *work = None;
                    self.pending.clear();
                    if let Some((changes, prepared)) = prepared {
                        for path in self.storms.record(&changes, Instant::now()) {
                            report_storm(ui, &path);
                        }
                        return prepared;
                    }
                }
            }
        }
    }
}

/// Starts to watch the files of a project.
async fn start(prepared: &PreparedStack, own: OwnFiles) -> Result<FileWatch, CliError> {
    FileWatch::start(prepared, own).await
}

/// Prepares a changed stack, unless git ignores all of the changes.
async fn prepare(
    source: &SourceArgs,
    ui: &Ui,
    changes: Changes,
) -> Option<(Changes, Result<PreparedStack, CliError>)> {
    let changes = without_ignored(&changes).await;
    if changes.is_empty() {
        return None;
    }
    Some((changes, source.prepare(ui).await))
}

fn report_storm(ui: &Ui, path: &Path) {
    let path = escape(&path.display().to_string()).into_owned();
    ui.note(
        &format!("{path} changes all the time, so its changes are ignored from now on"),
        Some("if a function needs it, restart `stackgen dev`; else write it outside of the function's folder"),
    );
}

async fn changed(watch: Option<&mut FileWatch>) -> Option<(PathBuf, ChangedFile)> {
    match watch {
        Some(watch) => watch.next().await,
        None => pending().await,
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

async fn done(
    work: Option<&mut Preparation<'_>>,
) -> Option<(Changes, Result<PreparedStack, CliError>)> {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}
