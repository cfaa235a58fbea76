//! Steps as lines on stderr, and a spinner where somebody watches.

use std::cell::RefCell;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use stackgen_deploy::{DeployStep, Judgement};

use super::short;
use crate::error::CliError;
use crate::ui::{DIM, GREEN, RED, Ui};

/// Tells steps.
pub(crate) struct Progress<'a> {
    ui: &'a Ui,
    spinner: ProgressBar,
    /// The last line, which is not repeated: verification may make many attempts.
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
    pub(crate) fn teller(&self) -> impl Fn(&'static str) + Send + use<> {
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
    pub(crate) fn step(&self, step: &DeployStep<'_>) {
        match begins(step) {
            Some(what) => self.begin(what),
            None => self.spinner.suspend(|| self.line(step)),
        }
    }

    fn line(&self, step: &DeployStep<'_>) {
        match step {
            DeployStep::CodeIsCurrent { function } => {
                self.ui.detail(|| format!("{function} runs the built code"))
            }
            DeployStep::Published { function, version } => {
                self.ui.detail(|| format!("{function}: version {version}"))
            }
            DeployStep::Skipped { what, reason } => {
                self.ui.note(&format!("skipped {what}: {reason}"), None)
            }
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
fn told(step: &DeployStep<'_>) -> Option<(&'static str, String)> {
    Some(match step {
        DeployStep::Updated { function } => ("code", format!("{function} runs the built code now")),
        DeployStep::Retargeted { part, version } => (
            "version",
            format!("{part} invokes version {version}, once deployed"),
        ),
        DeployStep::WiringRead {
            routes,
            digest,
            served,
        } => {
            let served = match served {
                Some(served) if served == digest => "the stage serves the same".to_owned(),
                Some(served) => format!("the stage serves sha256:{}", short(served)),
                None => "the digest that the stage serves is unknown".to_owned(),
            };
            (
                "wiring",
                format!("{routes} routes, sha256:{}; {served}", short(digest)),
            )
        }
        DeployStep::Created { deployment } => ("created", format!("deployment {deployment}")),
        DeployStep::ApiChanged { deployment } => (
            "changed",
            format!("the API changed meanwhile: {deployment} is replaced by another deployment"),
        ),
        DeployStep::Activated {
            deployment,
            previous,
        } => {
            let was = previous.map_or("none", |previous| previous.as_str());
            (
                "activated",
                format!("{GREEN}{deployment}{GREEN:#} (was {was})"),
            )
        }
        DeployStep::Attempted {
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
        DeployStep::Restored { deployment } => ("restored", deployment.to_string()),
        DeployStep::Deleted { deployment } => ("deleted", deployment.to_string()),
        DeployStep::Retrying { error, after } => (
            "waiting",
            format!("{error}; retrying in {} s", after.as_secs_f32()),
        ),
        _ => return None,
    })
}

/// What begins with a step.
fn begins(step: &DeployStep<'_>) -> Option<String> {
    match step {
        DeployStep::Updating { function } => Some(format!("updating {function}")),
        DeployStep::Creating => Some("creating a deployment".to_owned()),
        _ => None,
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
    }
}
