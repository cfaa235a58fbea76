//! A deploy of a stack: from the checks to verified stages.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Serialize;
use stackgen_cfn::Node;
use stackgen_deploy::redeploy::BackTo;
use stackgen_deploy::stack::apply::{AppliedStack, execute, resume};
use stackgen_deploy::stack::artifacts::upload;
use stackgen_deploy::stack::cause::diagnose;
use stackgen_deploy::stack::change_set::{PreparedUpdate, discard, prepare, reopen};
use stackgen_deploy::stack::credentials::{ExpiringCredentials, check_credentials};
use stackgen_deploy::stack::{
    ArtifactBucket as _, ChangeSet, PlannedChange, ResourceAction, StackId, StackName,
    StackRequest, StackService as _,
};
use stackgen_deploy::{Account as _, DeploymentId, OperationContext};

use super::super::args::DeployCommand;
use super::super::redeploy::{StageOptions, StageRun};
use super::super::release_args::UpdateMethod;
use super::api_changes::api_changes;
use super::plan_file::PlanFile;
use super::preflight::{Checked, Subject, check};
use super::source::ReleaseSource;
use super::{request, show};
use crate::account::{AccountClient, StageTarget, StepProgress, confirmed};
use crate::error::CliError;
use crate::git;
use crate::outcome::CommandOutcome;
use crate::package::package;
use crate::style::GREEN;
use crate::ui::Ui;

/// The stack in the output of `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StackReport<'a> {
    name: &'a StackName,
    id: Option<&'a StackId>,
    status: Option<&'a str>,
    changes: &'a [PlannedChange],
}

/// The request for a stack whose code and template are uploaded.
struct Uploaded {
    request: StackRequest,
    /// The template, with the code's place in the bucket.
    template: Node,
}

/// What an update did to a stack.
#[derive(Clone, Copy)]
pub(super) struct ChangedStack<'a> {
    pub(super) id: &'a StackId,
    pub(super) changes: &'a [PlannedChange],
    /// True if parts of an API left the stack, which a deployment of the same update still contains.
    pub(super) lingers: bool,
}

impl<'a> ChangedStack<'a> {
    pub(super) fn unchanged(id: &'a StackId) -> Self {
        ChangedStack {
            id,
            changes: &[],
            lingers: false,
        }
    }

    fn options<'b>(&self, back_to: &'b BTreeMap<String, BackTo>) -> StageOptions<'b> {
        StageOptions {
            // The deployment was created before CloudFormation deleted what left the template (row D20).
            force: self.lingers,
            back_to,
            // The stack is ours, and the next run must know that this release was verified.
            mark: true,
            before: None,
        }
    }
}

/// The deployments of a stack's APIs before an update, by the names of the APIs.
#[derive(Default)]
pub(super) struct BeforeUpdate {
    served: BTreeMap<String, BackTo>,
    deployments: BTreeMap<String, Vec<DeploymentId>>,
}

/// A deploy of a stack.
pub(super) struct Release<'a> {
    pub(super) command: &'a DeployCommand,
    pub(super) source: &'a ReleaseSource,
    /// The stack policy that the stack gets.
    pub(super) policy: Option<&'a str>,
    pub(super) account: &'a AccountClient,
    pub(super) progress: &'a StepProgress<'a>,
    pub(super) ctx: OperationContext<'a>,
    pub(super) ui: &'a Ui,
    /// The caller's credentials, if they expire soon.
    pub(super) expiring: RefCell<Option<ExpiringCredentials>>,
}

impl Release<'_> {
    pub(super) async fn deploy(&self) -> Result<CommandOutcome, CliError> {
        if self
            .source
            .is_refused(self.command.release.despite_lint, self.ui)?
        {
            return Ok(CommandOutcome::Found);
        }
        let args = &self.command.release;
        self.progress.begin("checking the account");
        self.check_credentials().await?;
        let issuers = self.source.targets.iter();
        let subject = Subject {
            stack: &self.source.stack,
            template: &self.source.template,
            folder: &self.source.folder,
            issuers: &issuers
                .filter_map(|target| target.issuer.as_deref())
                .collect(),
        };
        let checked = check(subject, args, self.ui, self.account, self.ctx).await?;
        let Uploaded { request, template } = self.upload(&checked).await?;
        if args.method == UpdateMethod::Direct {
            return self.update_directly(&checked, &request).await;
        }
        let prepared = prepare(&self.account.aws, &request, self.ctx).await;
        match prepared.map_err(|error| self.source.locate(error))? {
            PreparedUpdate::Unchanged(stack) => {
                let name = &self.source.stack;
                self.done(&format!("stack {name} is up to date"))?;
                self.set_policy(&stack.id).await?;
                self.finish(ChangedStack::unchanged(&stack.id)).await
            }
            PreparedUpdate::Running(running) => {
                let aws = &self.account.aws;
                let applied = resume(aws, &request.stack, &running, self.ctx).await;
                let applied = applied.map_err(|error| self.source.locate(error))?;
                self.applied(&applied)?;
                let changed = ChangedStack {
                    id: &applied.stack.id,
                    changes: &running.changes,
                    lingers: running.changes.iter().any(lingers),
                };
                self.finish(changed).await
            }
            PreparedUpdate::Changes(changes) => {
                let stack = checked.stack.as_ref();
                let words = api_changes(stack, &template, self.account, self.ctx, self.ui).await?;
                self.plan(
                    &checked,
                    &PlanFile::new(&request, &changes, &self.source.environment, words),
                    &changes,
                )
                .await
            }
        }
    }

    /// Warns of credentials that expire before the deploy plausibly ends.
    async fn check_credentials(&self) -> Result<(), CliError> {
        let expiring = check_credentials(&self.account.aws, self.ctx).await?;
        if let Some(credentials) = expiring {
            self.progress.pause();
            self.ui
                .note(&credentials.to_string(), Some(ExpiringCredentials::HINT));
            self.expiring.replace(Some(credentials));
        }
        Ok(())
    }

    /// Uploads code and template.
    async fn upload(&self, checked: &Checked) -> Result<Uploaded, CliError> {
        let bucket = &checked.bucket;
        let package = package(&self.source.template, &self.source.folder, bucket)?;
        for sent in &checked.parameters {
            if let Some(note) = &sent.note {
                self.progress.aside(note);
            }
        }
        let template_url = self.account.aws.object_url(bucket, &package.template.key);
        let mut artifacts = package.code;
        artifacts.push(package.template);
        upload(&self.account.aws, bucket, &artifacts, self.ctx).await?;
        let capabilities = checked.capabilities.iter().map(ToString::to_string);
        let mut request = request::request(
            self.source.stack.clone(),
            template_url,
            &checked.parameters,
            capabilities.collect(),
            &self.command.release,
            &git::commit(&self.command.target.file),
        );
        request.creates = checked.stack.is_none();
        Ok(Uploaded {
            request,
            template: package.content,
        })
    }

    /// Shows the plan, and executes it unless the user declines.
    async fn plan(
        &self,
        checked: &Checked,
        plan: &PlanFile,
        changes: &ChangeSet,
    ) -> Result<CommandOutcome, CliError> {
        let creates = checked.stack.is_none();
        self.show_plan(plan, changes)?;
        if self.command.dry_run {
            discard(&self.account.aws, changes, creates, self.ctx).await?;
            self.report(&changes.changes, Some(&changes.stack), &[])?;
            return Ok(CommandOutcome::Done);
        }
        if let Some(path) = &self.command.release.plan_out {
            plan.write(path)?;
            self.report(&changes.changes, Some(&changes.stack), &[])?;
            self.done(&format!("wrote the plan to {}", path.display()))?;
            return Ok(CommandOutcome::Done);
        }
        let question = match checked.capabilities.is_empty() {
            true => "Deploy?".to_owned(),
            false => "The template creates IAM roles. Deploy?".to_owned(),
        };
        if !self.is_confirmed(&question).await? {
            discard(&self.account.aws, changes, creates, self.ctx).await?;
            self.done("nothing was changed")?;
            return Ok(CommandOutcome::Done);
        }
        self.execute(changes, creates).await
    }

    pub(super) async fn is_confirmed(&self, question: &str) -> Result<bool, CliError> {
        self.progress.pause();
        let yes = self.command.release.yes;
        confirmed(yes, question, self.ctx.interrupt, self.ui).await
    }

    /// Executes the change set of a plan file.
    pub(super) async fn deploy_plan(&self, plan: &PlanFile) -> Result<CommandOutcome, CliError> {
        plan.require(&self.source.stack, &self.source.environment)?;
        self.check_credentials().await?;
        let changes = reopen(&self.account.aws, &plan.change_set, self.ctx).await?;
        self.show_plan(plan, &changes)?;
        match self.is_confirmed("Deploy?").await? {
            true => self.execute(&changes, plan.creates).await,
            false => {
                self.done("nothing was changed")?;
                Ok(CommandOutcome::Done)
            }
        }
    }

    async fn execute(
        &self,
        changes: &ChangeSet,
        creates: bool,
    ) -> Result<CommandOutcome, CliError> {
        let before = self.before_update(creates).await?;
        let stack = &self.source.stack;
        if !creates {
            // The policy applies to this update, too.
            self.set_policy(&changes.stack).await?;
        }
        let applied = execute(&self.account.aws, stack, changes, self.ctx).await;
        let applied = applied.map_err(|error| self.source.locate(error))?;
        if creates {
            self.set_policy(&applied.stack.id).await?;
        }
        self.applied(&applied)?;
        let changed = ChangedStack {
            id: &applied.stack.id,
            changes: &changes.changes,
            lingers: changes.changes.iter().any(lingers),
        };
        self.finish_from(changed, &before).await
    }

    pub(super) async fn set_policy(&self, stack: &StackId) -> Result<(), CliError> {
        if let Some(policy) = self.policy {
            let set = || self.account.aws.set_stack_policy(stack, policy);
            self.ctx.call(set).await?;
        }
        Ok(())
    }

    /// Returns the deployment that every stage serves now, and all deployments. APIs that cannot be found are left out.
    pub(super) async fn before_update(&self, creates: bool) -> Result<BeforeUpdate, CliError> {
        let mut before = BeforeUpdate::default();
        for target in &self.source.targets {
            let Some(name) = target.name() else { continue };
            if creates {
                before.deployments.insert(name.to_owned(), Vec::new());
                continue;
            }
            let Ok((api, stage)) = target.find(self.account, self.ctx).await else {
                continue;
            };
            if let Some(deployment) = stage.deployment {
                let back_to = BackTo::Deployment(deployment);
                before.served.insert(name.to_owned(), back_to);
            }
            let deployments = self.ctx.read(|| self.account.aws.deployments(&api.id));
            if let Ok(deployments) = deployments.await {
                let ids = deployments.into_iter().map(|one| one.id);
                before.deployments.insert(name.to_owned(), ids.collect());
            }
        }
        self.ctx.interrupt.check()?;
        Ok(before)
    }

    /// Makes the stages serve the account. What they served before is not known: an earlier run changed the stack.
    pub(super) async fn finish(
        &self,
        changed: ChangedStack<'_>,
    ) -> Result<CommandOutcome, CliError> {
        let names = self.source.targets.iter().filter_map(StageTarget::name);
        let back_to = names.map(|name| (name.to_owned(), BackTo::Earlier));
        let back_to = back_to.collect();
        self.redeploy(changed, changed.options(&back_to)).await
    }

    /// Makes the stages serve what the account holds now, and verifies them.
    pub(super) async fn finish_from(
        &self,
        changed: ChangedStack<'_>,
        before: &BeforeUpdate,
    ) -> Result<CommandOutcome, CliError> {
        let options = StageOptions {
            before: Some(&before.deployments),
            ..changed.options(&before.served)
        };
        self.redeploy(changed, options).await
    }

    async fn redeploy(
        &self,
        changed: ChangedStack<'_>,
        options: StageOptions<'_>,
    ) -> Result<CommandOutcome, CliError> {
        let run = StageRun {
            command: self.command,
            account: self.account,
            progress: self.progress,
            ctx: self.ctx,
            ui: self.ui,
        };
        let reports = run.redeploy(&self.source.targets, options).await?;
        self.report(changed.changes, Some(changed.id), &reports)?;
        Ok(CommandOutcome::Done)
    }

    pub(super) async fn diagnose(&self) -> Result<CommandOutcome, CliError> {
        let found = diagnose(&self.account.aws, &self.source.stack, self.ctx).await?;
        if self.ui.wants_json() {
            self.ui.json_result(&found)?;
            return Ok(CommandOutcome::Done);
        }
        let name = &self.source.stack;
        self.done(&format!("stack {name}: {}", found.status))?;
        match &found.cause {
            Some(cause) => {
                self.done(&format!("first cause: {cause}"))?;
                if let Some(place) = self.source.place(&cause.logical_id) {
                    self.done(&place)?;
                }
            }
            None => self.done("its last operation did not fail")?,
        }
        Ok(CommandOutcome::Done)
    }

    fn show_plan(&self, plan: &PlanFile, changes: &ChangeSet) -> Result<(), CliError> {
        let text = show::plan(&self.source.stack, plan, &changes.changes);
        self.done(text.trim_end())
    }

    pub(super) fn applied(&self, applied: &AppliedStack) -> Result<(), CliError> {
        let (name, status) = (&applied.stack.name, &applied.stack.status);
        self.done(&format!("stack {name}: {GREEN}{status}{GREEN:#}"))
    }

    pub(super) fn done(&self, line: &str) -> Result<(), CliError> {
        self.progress.pause();
        self.progress.result(|| self.ui.done(line))
    }

    /// Prints the result for programs.
    fn report(
        &self,
        changes: &[PlannedChange],
        id: Option<&StackId>,
        stages: &[serde_json::Value],
    ) -> Result<(), CliError> {
        if !self.ui.wants_json() {
            return Ok(());
        }
        let stack = StackReport {
            name: &self.source.stack,
            id,
            status: None,
            changes,
        };
        let mut report = serde_json::json!({ "stack": stack, "apis": stages });
        if let Some(credentials) = &*self.expiring.borrow() {
            report["expiringCredentials"] = serde_json::json!(credentials);
        }
        self.ui.json_result(&report)
    }
}

/// True for a part of an API that leaves the stack, and that a deployment created before still contains.
fn lingers(change: &PlannedChange) -> bool {
    change.action == ResourceAction::Remove && is_snapshotted(&change.kind)
}

/// True for a type of resource that deployments of an API contain.
pub(super) fn is_snapshotted(kind: &str) -> bool {
    let parts = [
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::IntegrationResponse",
        "AWS::ApiGatewayV2::Model",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::RouteResponse",
    ];
    parts.contains(&kind)
}
