//! Progress of an operation on stderr: one line per step, and a spinner on terminals.

use std::cell::RefCell;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use stackgen_cfn::terminal::escape;
use stackgen_deploy::{DeployStep, Judgement};

use super::text::short_digest;
use crate::error::CliError;
use crate::style::{DIM, GREEN, RED};
use crate::ui::Ui;

/// Reporter of an operation's steps.
pub(crate) struct StepProgress<'a> {
    ui: &'a Ui,
    spinner: ProgressBar,
    /// Last line, which is not repeated: a stage may be verified many times.
    last: RefCell<String>,
}

impl<'a> StepProgress<'a> {
    /// Creates a reporter. The spinner is drawn on terminals only.
    pub(crate) fn new(ui: &'a Ui) -> Self {
        let spinner = match ui.shows_progress() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            spinner.set_style(style);
        }
        StepProgress {
            ui,
            spinner,
            last: RefCell::default(),
        }
    }

    /// Shows the spinner with a message, until the next step.
    pub(crate) fn begin(&self, message: impl Into<String>) {
        self.spinner.reset();
        self.spinner.set_message(message.into());
        self.spinner.enable_steady_tick(Duration::from_millis(120));
    }

    /// Returns a function that prints lines from another task without disturbing the spinner.
    pub(crate) fn printer(&self) -> impl Fn(&'static str) + Send + use<> {
        let (spinner, is_shown) = (self.spinner.clone(), self.ui.shows_progress());
        move |line| {
            if is_shown {
                // Without stderr, there is nowhere to report the failure.
                spinner.suspend(|| drop(writeln!(io::stderr(), "{line}")));
            }
        }
    }

    /// Prints an optional line on stderr.
    pub(crate) fn aside(&self, line: &str) {
        self.spinner.suspend(|| self.ui.aside(line));
    }

    /// Hides the spinner until the next step.
    pub(crate) fn pause(&self) {
        self.spinner.disable_steady_tick();
        self.spinner.set_message("");
        self.spinner.finish_and_clear();
    }

    /// Prints results without disturbing the spinner.
    pub(crate) fn result<T>(
        &self,
        print: impl FnOnce() -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        self.spinner.suspend(print)
    }

    /// Reports a step.
    pub(crate) fn step(&self, step: &DeployStep<'_>) {
        match spinner_message(step) {
            Some(message) => self.begin(message),
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
            DeployStep::ValidationWarning { finding } => self
                .ui
                .note(&format!("CloudFormation warns: {finding}"), None),
            DeployStep::Skipped { what, reason } => {
                self.ui.note(&format!("skipped {what}: {reason}"), None)
            }
            other => {
                if let Some((word, text)) = step_text(other) {
                    let line = format!("  {DIM}{word:<9}{DIM:#} {text}");
                    if self.last.replace(line.clone()) != line {
                        self.ui.aside(&line);
                    }
                }
            }
        }
    }
}

/// Returns a word and a text for the line of a step.
fn step_text(step: &DeployStep<'_>) -> Option<(&'static str, String)> {
    Some(match step {
        DeployStep::Updated { function } => ("code", format!("{function} runs the new code")),
        DeployStep::Retargeted { part, version } => (
            "version",
            format!("{part} calls version {version} once it is deployed"),
        ),
        DeployStep::WiringRead {
            routes,
            digest,
            served,
        } => {
            let served = match served {
                Some(served) if served == digest => "the stage serves it already".to_owned(),
                Some(served) => format!("the stage serves sha256:{}", short_digest(served)),
                None => "what the stage serves is unknown".to_owned(),
            };
            (
                "wiring",
                format!("{routes} routes, sha256:{}; {served}", short_digest(digest)),
            )
        }
        DeployStep::Created { deployment } => ("created", format!("deployment {deployment}")),
        DeployStep::ApiChanged { deployment } => (
            "changed",
            format!("the API; {deployment} is replaced by a new deployment"),
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
        DeployStep::DeletedVersion { version } => ("deleted", version.to_string()),
        DeployStep::Retrying { error, after } => (
            "waiting",
            format!("{error}; retrying in {} s", after.as_secs_f32()),
        ),
        other => return stack_step_text(other),
    })
}

/// Returns a word and a text for the line of a step on a stack.
fn stack_step_text(step: &DeployStep<'_>) -> Option<(&'static str, String)> {
    Some(match step {
        DeployStep::Uploaded { name } => ("uploaded", (*name).to_owned()),
        DeployStep::Resuming => ("resuming", "the update of an earlier run".to_owned()),
        DeployStep::DeletingFailedStack { status } => (
            "deleting",
            format!("the stack, whose creation failed ({status})"),
        ),
        DeployStep::StackChanged {
            resource,
            kind,
            status,
            reason,
        } => {
            let word = stack_word(status)?;
            let kind = kind.trim_start_matches("AWS::");
            let text = format!("{} {DIM}{}{DIM:#}", escape(resource), escape(kind));
            match reason.filter(|_| word == "failed") {
                Some(reason) => (word, format!("{text}: {RED}{}{RED:#}", escape(reason))),
                None => (word, text),
            }
        }
        _ => return None,
    })
}

/// Returns the message of the spinner for a step that may take long.
fn spinner_message(step: &DeployStep<'_>) -> Option<String> {
    match step {
        DeployStep::Updating { function } => Some(format!("updating {function}")),
        DeployStep::Creating => Some("creating a deployment".to_owned()),
        DeployStep::AwaitingAutoDeploy { stage } => {
            Some(format!("waiting for the deployment of stage {stage}"))
        }
        DeployStep::Uploading { name, bytes } => {
            Some(format!("uploading {name}, {}", file_size(*bytes)))
        }
        DeployStep::ComputingChanges => Some("computing the changes".to_owned()),
        DeployStep::StackChanged {
            resource, status, ..
        } if status.ends_with("_IN_PROGRESS") => Some(format!("{status} {resource}")),
        _ => None,
    }
}

/// Returns the word for a status that ends the change of a resource.
fn stack_word(status: &str) -> Option<&'static str> {
    Some(match status {
        status if status.ends_with("_FAILED") => "failed",
        "CREATE_COMPLETE" => "created",
        "UPDATE_COMPLETE" => "updated",
        "DELETE_COMPLETE" => "deleted",
        "DELETE_SKIPPED" => "kept",
        _ => return None,
    })
}

/// Returns a size with a unit.
fn file_size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!(
            "{}.{} MiB",
            bytes / 1_048_576,
            bytes % 1_048_576 * 10 / 1_048_576
        ),
    }
}

impl Drop for StepProgress<'_> {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
    }
}
