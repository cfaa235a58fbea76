//! Changes, applied as they are saved.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use stackgen_cfn::terminal::escape;
use stackgen_gateway::stack::{self, ApplyMode, ApplyResult, StackTemplate};
use stackgen_model::diff::{Change, Diff, What, diff};
use stackgen_model::{LogicalId, Model, Version};
use tokio::time::{Instant, sleep_until};

use super::watch::Watch;
use super::{Running, variables};
use crate::error::CliError;
use crate::source::{Prepared, SourceArgs, problems};
use crate::ui::{CYAN, DIM, GREEN, Ui};

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

impl Running<'_> {
    /// Applies what was prepared. Errors are shown, and the old stays.
    pub(super) async fn reload(
        &mut self,
        prepared: Result<Prepared, CliError>,
    ) -> Result<(), CliError> {
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.refuse(&error),
        };
        let apply = match self.dev.redeploy {
            true => ApplyMode::Everything,
            false => ApplyMode::WithoutDeployments,
        };
        let template = StackTemplate {
            apply,
            ..prepared.template.clone()
        };
        match self.gateway.apply(template).await {
            Ok(applied) => {
                let before = std::mem::replace(&mut self.prepared, prepared);
                self.remember().await?;
                self.tell_changes(&before.model, &applied)
            }
            Err(wrong) => self.refuse(&problems(&prepared.template, wrong)),
        }
    }

    fn refuse(&self, error: &CliError) -> Result<(), CliError> {
        if self.ui.wants_json() {
            let errors = serde_json::json!({ "event": "notApplied", "refused": error.to_json() });
            return self.ui.json_line(&errors);
        }
        self.ui.error(error);
        self.ui.aside("what ran before goes on");
        Ok(())
    }

    fn tell_changes(&self, before: &Model, applied: &ApplyResult) -> Result<(), CliError> {
        let mut changes = diff(before, &self.prepared.model);
        changes.changes = variables::without_values(changes.changes);
        if self.ui.wants_json() {
            return self.ui.json_line(&serde_json::json!({
                "event": "applied",
                "changes": applied.changes,
                "undeployed": applied.undeployed,
                "needsDeployment": self.has_stale_stages(),
                "diff": changes.changes,
            }));
        }
        let mut told = code(applied, &self.prepared.model);
        let wiring = wiring(changes);
        told.extend(
            wiring
                .lines()
                .map(|line| format!("{CYAN}changed{CYAN:#}    {line}")),
        );
        if told.is_empty() {
            told.push(format!("{DIM}saved{DIM:#}      nothing that runs changed"));
        } else if self.has_stale_stages() {
            let flag = self.dev.source.flag();
            told.push(format!(
                "{CYAN}waits{CYAN:#}      needs a deployment: `stackgen deploy --redeploy-stage --local{flag}`"
            ));
        }
        for line in told {
            self.ui.done(&line)?;
        }
        Ok(())
    }
}

impl Running<'_> {
    /// True when a stage serves something else than the account holds.
    fn has_stale_stages(&self) -> bool {
        let apis = &self.gateway.account().apis;
        let all = apis.list_apis();
        let mut stale = all.iter().map(|api| apis.stale_stages(&api.api_id));
        stale.any(|stages| stages.is_ok_and(|stages| !stages.is_empty()))
    }
}

/// A line for every function with new code.
fn code(applied: &ApplyResult, model: &Model) -> Vec<String> {
    let versions: Vec<_> = applied
        .changes
        .iter()
        .filter(|change| {
            change.action == stack::ChangeAction::Created && change.kind == "AWS::Lambda::Version"
        })
        .collect();
    let functions = applied
        .changes
        .iter()
        .filter(|change| change.action == stack::ChangeAction::Code);
    let lines = functions.map(|function| {
        let name = &function.physical_id;
        let is_of_it = |version: &&&stack::ResourceChange| {
            let of = function_of(&version.logical_id, model);
            of.is_some_and(|id| id.as_str() == function.logical_id)
        };
        let name = escape(name);
        match versions.iter().find(is_of_it) {
            Some(version) => {
                let number = &version.physical_id;
                format!("{CYAN}code{CYAN:#}       {name}: a new version {number}")
            }
            None => format!(
                "{GREEN}code{GREEN:#}       {name}: live at once, no deployment needed (row D2)"
            ),
        }
    });
    lines.collect()
}

/// The function of a version. Versions of a pinned release end in a digest of the code, which the model knows nothing of.
fn function_of<'m>(version: &str, model: &'m Model) -> Option<&'m LogicalId> {
    let stem = |id: &str| id.rfind("Version").map(|at| id[..at].to_owned());
    let named = |known: &&Version| known.resource.logical_id.as_str() == version;
    let alike = |known: &&Version| {
        let known = stem(known.resource.logical_id.as_str());
        known.is_some() && known == stem(version)
    };
    let mut all = model.versions.iter();
    let known = all
        .find(named)
        .or_else(|| model.versions.iter().find(alike));
    known?.function.function.to()
}

/// What changed but for code and the deployments that tell of it. What was built does not show in the models, so that a
/// function that changed has another configuration.
fn wiring(mut changes: Diff) -> String {
    changes.changes.retain(|change| !is_bookkeeping(change));
    changes.apis.clear();
    changes.changes = variables::in_words(changes.changes);
    changes.human()
}

/// True for what only says that there is a new deployment, and in which order things are made.
fn is_bookkeeping(change: &Change) -> bool {
    let field = match &change.what {
        What::Changed { field, .. } => field.as_str(),
        _ => "",
    };
    match change.subject.kind.as_str() {
        "deployment" | "output" | "version" => true,
        "stage" => field == "DeploymentId",
        "resource" => field.starts_with("DependsOn"),
        _ => false,
    }
}
