//! Steps as lines on stderr, and a spinner where somebody watches.

use std::cell::RefCell;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use stackgen_deploy::{Judgement, Step};

use super::text::short_digest;
use crate::error::CliError;
use crate::style::{DIM, GREEN, RED};
use crate::ui::Ui;

/// Tells steps.
pub(crate) struct Progress<'a> {
    ui: &'a Ui,
    spinner: ProgressBar,
    /// The last line, which is not said twice: a stage may be tried many times.
    last: RefCell<String>,
}

impl<'a> Progress<'a> {
    /// Nothing turns where nobody watches: the spinner is drawn on terminals alone.
    pub(crate) fn new(ui: &'a Ui) -> Self {
        let spinner = match ui.shows_progress() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            spinner.set_style(style);
        }
        Progress {
            ui,
            spinner,
            last: RefCell::default(),
        }
    }

    /// Something begins that may take a while.
    pub(crate) fn begin(&self, what: impl Into<String>) {
        self.spinner.reset();
        self.spinner.set_message(what.into());
        self.spinner.enable_steady_tick(Duration::from_millis(120));
    }

    /// Says a line from a task of its own, without the spinner in between.
    pub(crate) fn printer(&self) -> impl Fn(&'static str) + Send + use<> {
        let (spinner, says) = (self.spinner.clone(), self.ui.shows_progress());
        move |line| {
            if says {
                // Without stderr nobody can be told.
                spinner.suspend(|| drop(writeln!(io::stderr(), "{line}")));
            }
        }
    }

    /// A line on stderr that helps and can be missed.
    pub(crate) fn aside(&self, line: &str) {
        self.spinner.suspend(|| self.ui.aside(line));
    }

    /// Nothing goes on until something begins again.
    pub(crate) fn rest(&self) {
        self.spinner.disable_steady_tick();
        self.spinner.set_message("");
        self.spinner.finish_and_clear();
    }

    /// Prints without the spinner in between.
    pub(crate) fn result<T>(
        &self,
        print: impl FnOnce() -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        self.spinner.suspend(print)
    }

    /// Tells a step.
    pub(crate) fn step(&self, step: &Step<'_>) {
        match begins(step) {
            Some(what) => self.begin(what),
            None => self.spinner.suspend(|| self.line(step)),
        }
    }

    fn line(&self, step: &Step<'_>) {
        match step {
            Step::CodeIsCurrent { function } => {
                self.ui.detail(|| format!("{function} runs what was built"))
            }
            Step::Published { function, version } => {
                self.ui.detail(|| format!("{function}: version {version}"))
            }
            Step::LeftOut { what, reason } => self
                .ui
                .note(&format!("{what} was left out: {reason}"), None),
            other => {
                if let Some((word, text)) = told(other) {
                    let line = format!("  {DIM}{word:<9}{DIM:#} {text}");
                    if self.last.replace(line.clone()) != line {
                        self.ui.aside(&line);
                    }
                }
            }
        }
    }
}

/// A word and what there is to say.
fn told(step: &Step<'_>) -> Option<(&'static str, String)> {
    Some(match step {
        Step::Updated { function } => ("code", format!("{function} runs what was built now")),
        Step::Retargeted { what, version } => (
            "version",
            format!("{what} calls version {version}, once deployed"),
        ),
        Step::Described {
            routes,
            digest,
            served,
        } => {
            let served = match served {
                Some(served) if served == digest => "the stage serves the same".to_owned(),
                Some(served) => format!("the stage serves sha256:{}", short_digest(served)),
                None => "what the stage serves is not known".to_owned(),
            };
            (
                "wiring",
                format!("{routes} routes, sha256:{}; {served}", short_digest(digest)),
            )
        }
        Step::Created { deployment } => ("created", format!("deployment {deployment}")),
        Step::Changed { deployment } => (
            "changed",
            format!("the API, meanwhile: {deployment} is dropped for another one"),
        ),
        Step::Activated {
            deployment,
            previous,
        } => {
            let was = previous.map_or("none", |previous| previous.as_str());
            (
                "activated",
                format!("{GREEN}{deployment}{GREEN:#} (was {was})"),
            )
        }
        Step::Tried {
            caller,
            meaning,
            judgement,
        } => {
            let style = match judgement {
                Judgement::Verified => GREEN,
                Judgement::AuthorizerOnly => DIM,
                Judgement::Failed => RED,
            };
            let line = format!("{style}{meaning}{style:#}, as {caller}");
            ("verifying", line)
        }
        Step::Restored { deployment } => ("restored", deployment.to_string()),
        Step::Deleted { deployment } => ("deleted", deployment.to_string()),
        Step::Again { error, after } => (
            "waiting",
            format!("{error}; once more in {} s", after.as_secs_f32()),
        ),
        _ => return None,
    })
}

/// What begins with a step.
fn begins(step: &Step<'_>) -> Option<String> {
    match step {
        Step::Updating { function } => Some(format!("updating {function}")),
        Step::Creating => Some("creating a deployment".to_owned()),
        _ => None,
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
    }
}
