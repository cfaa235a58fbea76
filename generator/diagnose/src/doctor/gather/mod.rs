//! Gathering the evidence: each part is read once, parts that do not depend on each other at the same time. What may not be
//! read is noted, and the rest goes on.

mod connections;
mod functions;
mod logs;
mod metrics;
mod stage;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::stack::{FunctionQuotas, GatewaySettings, StackName, StackService};
use stackgen_deploy::status::TemplateSnapshot;
use stackgen_deploy::{
    Account, AccountErrorKind, AccountResult, ApiInfo, DeployError, OperationContext, StageClient,
    StageName, VerifyRequest,
};

use super::evidence::{DoctorEvidence, ProjectFacts, UnreadEvidence, UnreadReason};
use super::part::EvidencePart;
use super::ports::DoctorAccount;
use super::reader::EvidenceReader;

/// Request to examine a stage.
#[derive(Clone, Copy, Debug)]
pub struct DoctorRequest<'a> {
    /// The API.
    pub api: &'a ApiInfo,
    /// The stage.
    pub stage: &'a StageName,
    /// Account and region.
    pub region: &'a AccountRegion,
    /// Declarations of the project.
    pub project: &'a ProjectFacts,
    /// Templates of the project, see [`StatusRequest`](stackgen_deploy::status::StatusRequest).
    pub templates: &'a [TemplateSnapshot],
    /// The stack of the project, in case the API names none.
    pub stack: Option<&'a StackName>,
    /// The callers.
    pub verify: &'a VerifyRequest,
    /// Reasons for which declared callers are left out: a credential that could not be got.
    pub skipped_callers: &'a [String],
    /// The parts to read, with those that they follow.
    pub parts: &'a BTreeSet<EvidencePart>,
    /// The span of logs and metrics.
    pub since: Duration,
    /// True if the endpoint is an emulator, which may lack services.
    pub is_emulator: bool,
}

/// An account that can be examined.
pub trait ExaminedAccount:
    Account + DoctorAccount + FunctionQuotas + GatewaySettings + StackService
{
}

impl<A: Account + DoctorAccount + FunctionQuotas + GatewaySettings + StackService> ExaminedAccount
    for A
{
}

/// Reader of the evidence.
struct Gatherer<'a, A> {
    account: &'a A,
    request: DoctorRequest<'a>,
    ctx: OperationContext<'a>,
    /// Called when a part of the evidence was read.
    progress: &'a dyn Fn(EvidencePart),
    /// Parts that were read, each with the parts that decided what to read.
    gathered: RefCell<BTreeMap<EvidencePart, BTreeSet<EvidencePart>>>,
    unread: RefCell<BTreeSet<UnreadEvidence>>,
}

/// Reads the evidence. `progress` is called when a part was read.
///
/// # Errors
///
/// [`DeployError::Interrupted`].
pub async fn gather(
    account: &impl ExaminedAccount,
    client: &impl StageClient,
    request: DoctorRequest<'_>,
    ctx: OperationContext<'_>,
    progress: &dyn Fn(EvidencePart),
) -> Result<DoctorEvidence, DeployError> {
    let gatherer = Gatherer {
        account,
        request,
        ctx,
        progress,
        gathered: RefCell::default(),
        unread: RefCell::default(),
    };
    let api = request.api.clone();
    let mut evidence = DoctorEvidence::new(
        api,
        request.stage.clone(),
        request.region.clone(),
        (ctx.now)(),
    );
    evidence.project = request.project.clone();
    gatherer.api(&mut evidence).await?;
    gatherer.stack_and_functions(client, &mut evidence).await?;
    gatherer.follow(&mut evidence).await?;
    evidence.gathered = gatherer.gathered.into_inner();
    evidence.unread = gatherer.unread.into_inner().into_iter().collect();
    Ok(evidence)
}

impl<A: ExaminedAccount> Gatherer<'_, A> {
    /// Reads what depends on nothing, and what the stage serves.
    async fn api(&self, evidence: &mut DoctorEvidence) -> Result<(), DeployError> {
        let (wiring, stage, log_role, owner) = {
            let [first, second, third, fourth] = [(); 4].map(|()| EvidenceReader::new(evidence));
            tokio::join!(
                self.wiring(&first),
                self.stage(&second),
                self.log_role(&third),
                self.owner(&fourth),
            )
        };
        evidence.wiring = wiring?;
        evidence.stage = stage?;
        evidence.log_role = log_role?;
        evidence.owner = owner?;
        let status = self.status(&EvidenceReader::new(evidence)).await?;
        evidence.status = status;
        Ok(())
    }

    /// Reads what depends on the API and its stack.
    async fn stack_and_functions(
        &self,
        client: &impl StageClient,
        evidence: &mut DoctorEvidence,
    ) -> Result<(), DeployError> {
        let (functions, drift, stack, history, tables, callers) = {
            let readers = [(); 6].map(|()| EvidenceReader::new(evidence));
            tokio::join!(
                self.functions(&readers[0]),
                self.drift(&readers[1]),
                self.stack(&readers[2]),
                self.history(&readers[3]),
                self.tables(&readers[4]),
                self.callers(client, &readers[5]),
            )
        };
        let functions = functions?;
        evidence.functions = functions.functions;
        evidence.versions = functions.versions;
        evidence.policies = functions.policies;
        evidence.drift = drift?;
        evidence.stack = stack?;
        evidence.history = history?;
        evidence.tables = tables?;
        evidence.callers = callers?;
        Ok(())
    }

    /// Reads what depends on functions and tables.
    async fn follow(&self, evidence: &mut DoctorEvidence) -> Result<(), DeployError> {
        let (rights, endpoints, records, closes, metrics) = {
            let readers = [(); 5].map(|()| EvidenceReader::new(evidence));
            tokio::join!(
                self.rights(&readers[0]),
                self.private_endpoints(&readers[1]),
                self.records(&readers[2]),
                self.closes(&readers[3]),
                self.metrics(&readers[4]),
            )
        };
        evidence.rights = rights?;
        evidence.private_endpoints = endpoints?;
        evidence.records = records?;
        evidence.closes = closes?;
        evidence.metrics = metrics?;
        Ok(())
    }
}

impl<A> Gatherer<'_, A> {
    fn needs(&self, part: EvidencePart) -> bool {
        self.request.parts.contains(&part)
    }

    /// Makes a call. What could not be read is noted, and absent.
    async fn read<T, F>(
        &self,
        part: EvidencePart,
        call: impl FnMut() -> F,
    ) -> Result<Option<T>, DeployError>
    where
        F: Future<Output = AccountResult<T>>,
    {
        let result = self.ctx.read(call).await;
        self.note(part, result)
    }

    /// Makes a call. Something that does not exist is `Some(None)`.
    async fn find<T, F>(
        &self,
        part: EvidencePart,
        call: impl FnMut() -> F,
    ) -> Result<Option<Option<T>>, DeployError>
    where
        F: Future<Output = AccountResult<T>>,
    {
        match self.ctx.read(call).await {
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {
                Ok(Some(None))
            }
            other => Ok(self.note(part, other)?.map(Some)),
        }
    }

    /// Notes what could not be read. An interrupt ends the examination.
    fn note<T>(
        &self,
        part: EvidencePart,
        result: Result<T, DeployError>,
    ) -> Result<Option<T>, DeployError> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(DeployError::Interrupted) => Err(DeployError::Interrupted),
            Err(error) => {
                self.unread
                    .borrow_mut()
                    .insert(self.unread_part(part, &error));
                Ok(None)
            }
        }
    }

    fn unread_part(&self, part: EvidencePart, error: &DeployError) -> UnreadEvidence {
        use AccountErrorKind::{AccessDenied, Garbled, NotFound, Refused, Unclear};
        let (reason, permission) = match error {
            DeployError::Account(error) if error.kind == AccessDenied => {
                (UnreadReason::Denied, Some(error.permission.clone()))
            }
            DeployError::Account(error)
                if self.request.is_emulator
                    && matches!(error.kind, Garbled | NotFound | Refused | Unclear) =>
            {
                (UnreadReason::NoService, None)
            }
            _ => (UnreadReason::Failed, None),
        };
        UnreadEvidence {
            part,
            reason,
            permission,
            message: error.to_string(),
        }
    }

    /// Records that a part cannot be read for a reason that no call reports.
    fn note_reason(&self, part: EvidencePart, message: impl Into<String>) {
        self.unread.borrow_mut().insert(UnreadEvidence {
            part,
            reason: UnreadReason::Failed,
            permission: None,
            message: message.into(),
        });
    }

    /// Records that a part was read, as far as it can be. `by` has the evidence that decided what to read.
    fn done(&self, part: EvidencePart, by: &EvidenceReader<'_>) {
        self.gathered.borrow_mut().insert(part, by.asked());
        (self.progress)(part);
    }
}
