//! Reading the API, its stage and its stack.

use stackgen_deploy::account::ApiDescription;
use stackgen_deploy::drift::{DriftRequest, StageDrift, drift_of_wiring};
use stackgen_deploy::stack::cause::diagnose;
use stackgen_deploy::stack::wiring::{WiringHistory, wiring_history};
use stackgen_deploy::stack::{OwningStack, StackError, find_owner};
use stackgen_deploy::status::{StageStatus, StatusRequest, status_of_wiring};
use stackgen_deploy::{CreatedBy, DeployError, StageClient, StageVerifier, VerifyAttempt};

use super::{ExaminedAccount, Gatherer};
use crate::doctor::evidence::{LogRole, StackFacts};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::StageSettings;
use crate::doctor::reader::EvidenceReader;

impl<A: ExaminedAccount> Gatherer<'_, A> {
    pub(super) async fn wiring(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Option<ApiDescription>, DeployError> {
        // Functions, permissions and callers follow from the wiring.
        let described = ApiDescription::read(self.account, &self.request.api.id, self.ctx).await;
        let described = self.note(EvidencePart::Wiring, described);
        self.done(EvidencePart::Wiring, by);
        described
    }

    pub(super) async fn stage(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Option<StageSettings>, DeployError> {
        let (api, stage) = (&self.request.api.id, self.request.stage);
        let read = self.read(EvidencePart::Stage, || {
            self.account.stage_settings(api, stage)
        });
        let settings = read.await;
        self.done(EvidencePart::Stage, by);
        settings
    }

    pub(super) async fn status(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Option<StageStatus>, DeployError> {
        let Some(wiring) = by.wiring() else {
            self.done(EvidencePart::Status, by);
            return Ok(None);
        };
        let request = StatusRequest {
            api: self.request.api,
            stage: self.request.stage,
            templates: self.request.templates,
            // Code is compared by a check, also that of versions.
            built: &[],
            stack: self.request.stack,
        };
        let (account, ctx) = (self.account, self.ctx);
        let found = status_of_wiring(account, account, &request, wiring, ctx).await;
        let found = self.note(EvidencePart::Status, found);
        self.done(EvidencePart::Status, by);
        found
    }

    pub(super) async fn log_role(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Option<LogRole>, DeployError> {
        if !self.needs(EvidencePart::LogRole) {
            return Ok(None);
        }
        let role = self
            .read(EvidencePart::LogRole, || self.account.log_role())
            .await?;
        self.done(EvidencePart::LogRole, by);
        Ok(role.map(LogRole))
    }

    /// Finds the stack of the API.
    pub(super) async fn owner(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Option<OwningStack>, DeployError> {
        if !self.needs(EvidencePart::Stack) {
            return Ok(None);
        }
        let owner = find_owner(self.account, self.request.api, self.request.stack, self.ctx).await;
        let owner = self.note(EvidencePart::Stack, owner)?.flatten();
        self.done(EvidencePart::Stack, by);
        Ok(owner)
    }

    pub(super) async fn drift(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Option<StageDrift>, DeployError> {
        if !self.needs(EvidencePart::Drift) {
            return Ok(None);
        }
        let mut found = None;
        if let (Some(owner), Some(wiring)) = (by.owner(), by.wiring()) {
            let request = DriftRequest {
                api: self.request.api,
                stage: self.request.stage,
                stack: self.request.stack,
            };
            let (account, ctx) = (self.account, self.ctx);
            let drift = drift_of_wiring(account, account, &request, owner, wiring, ctx).await;
            found = self.note(EvidencePart::Drift, drift)?;
        }
        self.done(EvidencePart::Drift, by);
        Ok(found)
    }

    pub(super) async fn stack(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Option<StackFacts>, DeployError> {
        let Some(owner) = by.owner() else {
            return Ok(None);
        };
        let stack = owner.stack.clone();
        let cause = match stack.status.is_success() || stack.status.is_in_progress() {
            true => None,
            false => {
                let diagnosis = diagnose(self.account, &stack.name, self.ctx).await;
                let diagnosis = diagnosis.map_err(|error| match error {
                    StackError::Deploy(error) => error,
                    other => DeployError::StackTemplate {
                        stack: stack.name.to_string(),
                        reason: other.to_string(),
                    },
                });
                self.note(EvidencePart::Stack, diagnosis)?
                    .and_then(|found| found.cause)
            }
        };
        Ok(Some(StackFacts { stack, cause }))
    }

    /// Reads the wiring changes since the served deployment was created, if CloudFormation created it (row D20).
    pub(super) async fn history(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Option<WiringHistory>, DeployError> {
        if !self.needs(EvidencePart::History) {
            return Ok(None);
        }
        let status = by.status();
        let is_of_template =
            status.is_some_and(|status| status.created_by == Some(CreatedBy::Template));
        let deployment = status.and_then(|status| status.deployment.as_ref());
        let mut found = None;
        if let Some(deployment) = deployment.filter(|_| is_of_template)
            && let Some(owner) = by.owner()
        {
            let created = deployment.created;
            let history = wiring_history(self.account, owner, created, self.ctx).await;
            found = self.note(EvidencePart::History, history)?;
        }
        self.done(EvidencePart::History, by);
        Ok(found)
    }

    /// Opens a handshake as each declared caller.
    pub(super) async fn callers(
        &self,
        client: &impl StageClient,
        by: &EvidenceReader<'_>,
    ) -> Result<Vec<VerifyAttempt>, DeployError> {
        if !self.needs(EvidencePart::Callers) {
            return Ok(Vec::new());
        }
        let attempts = self.attempts(client, by).await;
        for reason in self.request.skipped_callers {
            self.note_reason(EvidencePart::Callers, reason);
        }
        self.done(EvidencePart::Callers, by);
        attempts
    }

    async fn attempts(
        &self,
        client: &impl StageClient,
        by: &EvidenceReader<'_>,
    ) -> Result<Vec<VerifyAttempt>, DeployError> {
        let Some(description) = by.wiring() else {
            return Ok(Vec::new());
        };
        let (api, stage, verify) = (self.request.api, self.request.stage, self.request.verify);
        let verifier =
            StageVerifier::resolve(self.account, api, stage, verify, description, self.ctx).await;
        let Some(verifier) = self.note(EvidencePart::Callers, verifier)? else {
            return Ok(Vec::new());
        };
        let attempts = verifier.callers.iter().map(|caller| async {
            let answer = client.attempt(&verifier.url, verifier.expectation.protocol, caller);
            let answer = self.ctx.interrupt.unless(answer).await?;
            let (judgement, meaning) = verifier.expectation.judge(caller, &answer);
            Ok(VerifyAttempt {
                caller: caller.name.clone(),
                answer,
                judgement,
                meaning,
            })
        });
        let attempts = futures_util::future::join_all(attempts).await;
        attempts.into_iter().collect()
    }
}
