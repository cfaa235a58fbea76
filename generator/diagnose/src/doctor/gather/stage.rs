//! Reading the API, its stage and its stack.

use stackgen_deploy::account::ApiDescription;
use stackgen_deploy::drift::{DriftRequest, StageDrift, drift};
use stackgen_deploy::stack::cause::diagnose;
use stackgen_deploy::stack::wiring::{WiringHistory, wiring_history};
use stackgen_deploy::stack::{OwningStack, StackError, find_owner};
use stackgen_deploy::status::{StageStatus, StatusRequest, status};
use stackgen_deploy::{CreatedBy, DeployError, StageClient, StageVerifier, VerifyAttempt};

use super::{ExaminedAccount, Gatherer};
use crate::doctor::evidence::{DoctorEvidence, LogRole, StackFacts};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::StageSettings;

impl<A: ExaminedAccount> Gatherer<'_, A> {
    pub(super) async fn wiring(&self) -> Result<Option<ApiDescription>, DeployError> {
        // Functions, permissions and callers follow from the wiring.
        let described = ApiDescription::read(self.account, &self.request.api.id, self.ctx).await;
        let described = self.note(EvidencePart::Wiring, described);
        self.done(EvidencePart::Wiring);
        described
    }

    pub(super) async fn stage(&self) -> Result<Option<StageSettings>, DeployError> {
        let (api, stage) = (&self.request.api.id, self.request.stage);
        let read = self.read(EvidencePart::Stage, || {
            self.account.stage_settings(api, stage)
        });
        let settings = read.await;
        self.done(EvidencePart::Stage);
        settings
    }

    pub(super) async fn status(&self) -> Result<Option<StageStatus>, DeployError> {
        let request = StatusRequest {
            api: self.request.api,
            stage: self.request.stage,
            templates: self.request.templates,
            // Code is compared by a check, also that of versions.
            built: &[],
            stack: self.request.stack,
        };
        let found = status(self.account, self.account, &request, self.ctx).await;
        let found = self.note(EvidencePart::Status, found);
        self.done(EvidencePart::Status);
        found
    }

    pub(super) async fn log_role(&self) -> Result<Option<LogRole>, DeployError> {
        if !self.needs(EvidencePart::LogRole) {
            return Ok(None);
        }
        let role = self
            .read(EvidencePart::LogRole, || self.account.log_role())
            .await?;
        self.done(EvidencePart::LogRole);
        Ok(role.map(LogRole))
    }

    /// Finds the stack of the API.
    pub(super) async fn owner(&self) -> Result<Option<OwningStack>, DeployError> {
        let parts = [
            EvidencePart::Stack,
            EvidencePart::Drift,
            EvidencePart::Tables,
        ];
        if !parts.into_iter().any(|part| self.needs(part)) {
            return Ok(None);
        }
        let owner = find_owner(self.account, self.request.api, self.request.stack, self.ctx).await;
        Ok(self.note(EvidencePart::Stack, owner)?.flatten())
    }

    pub(super) async fn drift(
        &self,
        owner: Option<&OwningStack>,
    ) -> Result<Option<StageDrift>, DeployError> {
        if owner.is_none() || !self.needs(EvidencePart::Drift) {
            return Ok(None);
        }
        let request = DriftRequest {
            api: self.request.api,
            stage: self.request.stage,
            stack: self.request.stack,
        };
        let found = drift(self.account, self.account, &request, self.ctx).await;
        let found = match found {
            // A template that does not describe the API cannot be compared.
            Err(DeployError::StackTemplate { .. }) => Ok(None),
            other => self.note(EvidencePart::Drift, other),
        };
        self.done(EvidencePart::Drift);
        found
    }

    pub(super) async fn stack(
        &self,
        owner: Option<&OwningStack>,
    ) -> Result<Option<StackFacts>, DeployError> {
        let Some(owner) = owner.filter(|_| self.needs(EvidencePart::Stack)) else {
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
        self.done(EvidencePart::Stack);
        Ok(Some(StackFacts { stack, cause }))
    }

    /// Reads the wiring changes since the served deployment was created, if CloudFormation created it (row D20).
    pub(super) async fn history(
        &self,
        evidence: &DoctorEvidence,
        owner: Option<&OwningStack>,
    ) -> Result<Option<WiringHistory>, DeployError> {
        let status = evidence.status.as_ref();
        let is_of_template =
            status.is_some_and(|status| status.created_by == Some(CreatedBy::Template));
        let deployment = status.and_then(|status| status.deployment.as_ref());
        let (Some(deployment), Some(owner)) = (deployment.filter(|_| is_of_template), owner) else {
            return Ok(None);
        };
        let created = deployment.created;
        let history = wiring_history(self.account, owner, created, self.ctx).await;
        self.note(EvidencePart::Status, history)
    }

    /// Opens a handshake as each declared caller.
    pub(super) async fn callers(
        &self,
        client: &impl StageClient,
        evidence: &DoctorEvidence,
    ) -> Result<Vec<VerifyAttempt>, DeployError> {
        let Some(description) = evidence
            .wiring
            .as_ref()
            .filter(|_| self.needs(EvidencePart::Callers))
        else {
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
        self.done(EvidencePart::Callers);
        attempts.into_iter().collect()
    }
}
