//! Examination of one stage.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::{
    Account as _, ApiInfo, Interrupt, OperationContext, StageInfo, VerifyRequest,
};
use stackgen_diagnose::doctor::{DoctorReport, DoctorRequest, EvidencePart, Symptom, gather};

use super::facts;
use crate::account::{AccountClient, StageCallers, StageTarget, StepProgress};
use crate::error::CliError;
use crate::ui::Ui;

/// Everything that the examinations of several stages share.
#[derive(Clone, Copy)]
pub(super) struct DoctorRun<'a> {
    pub(super) account: &'a AccountClient,
    /// Project file.
    pub(super) file: &'a Path,
    /// Flags that select the same stage in another command.
    pub(super) selector: &'a str,
    /// Flags that select the account, which the AWS CLI has, too.
    pub(super) account_flags: &'a str,
    /// Span of logs and metrics.
    pub(super) since: Duration,
    pub(super) symptom: Option<&'static Symptom>,
    /// Role that `--fix` sets as API Gateway's role for logs.
    pub(super) log_role: Option<&'a str>,
    pub(super) progress: &'a StepProgress<'a>,
    pub(super) interrupt: &'a Interrupt,
    pub(super) ctx: OperationContext<'a>,
    pub(super) ui: &'a Ui,
}

impl DoctorRun<'_> {
    /// Examines a stage.
    pub(super) async fn one(
        self,
        target: &StageTarget,
        api: ApiInfo,
        stage: StageInfo,
    ) -> Result<DoctorReport, CliError> {
        let region = self.ctx.read(|| self.account.aws.account_region()).await?;
        let project = facts::project_facts(target, self.selector, &self.aws_flags(&region));
        let TargetCallers {
            verify,
            callers,
            skipped,
        } = self.callers(target).await;
        let parts: BTreeSet<EvidencePart> = match self.symptom {
            Some(symptom) => symptom.parts(),
            None => EvidencePart::ALL.into_iter().collect(),
        };
        let request = DoctorRequest {
            api: &api,
            stage: &stage.name,
            region: &region,
            project: &project,
            templates: &target.snapshots,
            stack: target.stack.as_ref(),
            verify: &verify,
            skipped_callers: &skipped,
            parts: &parts,
            since: self.since,
            is_emulator: self.account.aws.endpoint_url().is_some(),
        };
        self.progress.begin("reading the account");
        let progress = |part: EvidencePart| self.progress.begin(format!("read {}", part.name()));
        let evidence = gather(&self.account.aws, &callers, request, self.ctx, &progress).await?;
        Ok(DoctorReport::new(&evidence, self.symptom))
    }

    /// Returns the flags with which commands of the AWS CLI reach the account.
    fn aws_flags(self, region: &AccountRegion) -> String {
        match self.account.aws.endpoint_url() {
            Some(url) => format!("--endpoint-url {url} --region {}", region.region),
            None => self.account_flags.to_owned(),
        }
    }

    /// Returns the callers that a project declares, with their values.
    pub(super) async fn callers(self, target: &StageTarget) -> TargetCallers {
        let (verify, callers, problems) =
            StageCallers::declared(target, &self.account.network).await;
        let problems = problems.iter().flat_map(|error| &error.problems);
        let skipped: Vec<_> = problems
            .map(|problem| format!("skipped a handshake: {}", problem.problem.message))
            .collect();
        TargetCallers {
            verify,
            callers,
            skipped,
        }
    }
}

/// Callers that a project declares.
pub(super) struct TargetCallers {
    pub(super) verify: VerifyRequest,
    pub(super) callers: StageCallers,
    /// Reasons for which callers are left out.
    pub(super) skipped: Vec<String>,
}
