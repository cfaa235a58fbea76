//! Changes, applied as they are saved.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::watch::Watch;
use crate::error::CliError;
use crate::source::{Prepared, SourceArgs};
use crate::ui::Ui;

/// Editors write a file in several steps: what changes within this time is one change.
const SETTLED: Duration = Duration::from_millis(150);

/// What is being prepared. Dropping it ends the build.
type Work<'a> = Pin<Box<dyn Future<Output = Result<Prepared, CliError>> + 'a>>;

/// Waits for changes and prepares what is to be applied. A change that comes meanwhile starts it anew.
pub(super) struct Reload<'a> {
    watch: Option<Watch>,
    due: Option<Instant>,
    work: Option<Work<'a>>,
}

impl<'a> Reload<'a> {
    /// Nothing is ever applied.
    pub(super) fn never() -> Self {
        Reload {
            watch: None,
            due: None,
            work: None,
        }
    }

    /// Watches the project.
    pub(super) async fn watching(
        source: &SourceArgs,
        prepared: &Prepared,
    ) -> Result<Self, CliError> {
        let watch = Watch::start(source.path(), &prepared.folders, &prepared.code()).await?;
        Ok(Reload {
            watch: Some(watch),
            ..Reload::never()
        })
    }

    /// Watches what the project is made of now: a new function brings code that was not there before.
    pub(super) async fn watch(
        &mut self,
        source: &SourceArgs,
        prepared: &Prepared,
    ) -> Result<(), CliError> {
        if let Some(old) = &self.watch {
            let new = Watch::start(source.path(), &prepared.folders, &prepared.code()).await?;
            if old.has_changes() {
                self.due = Some(Instant::now());
            }
            self.watch = Some(new);
        }
        Ok(())
    }

    /// The project as it is now, once it changed and was built. May be dropped and asked again at any time.
    pub(super) async fn next(
        &mut self,
        source: &'a SourceArgs,
        ui: &'a Ui,
    ) -> Result<Prepared, CliError> {
        loop {
            let Reload { watch, due, work } = self;
            tokio::select! {
                changed = changed(watch.as_mut()) => match changed {
                    Some(()) => {
                        *due = Some(Instant::now() + SETTLED);
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

async fn changed(watch: Option<&mut Watch>) -> Option<()> {
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

async fn done(work: Option<&mut Work<'_>>) -> Result<Prepared, CliError> {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}
