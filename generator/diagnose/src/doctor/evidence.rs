//! The evidence: everything that the checks look at. What could not be read is absent, and listed with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use stackgen_deploy::account::{AccountRegion, ApiDescription};
use stackgen_deploy::drift::StageDrift;
use stackgen_deploy::stack::wiring::WiringHistory;
use stackgen_deploy::stack::{FailureCause, OwningStack, StackDescription};
use stackgen_deploy::status::StageStatus;
use stackgen_deploy::{
    ApiInfo, CalledVersion, FunctionName, OffsetDateTime, StageName, VerifyAttempt,
};

use super::part::EvidencePart;
use super::ports::{FunctionDetails, MetricSeries, SimulatedRight, StageSettings, TableDetails};

/// Everything that the checks look at.
#[derive(Clone, Debug)]
pub struct DoctorEvidence {
    /// The time of the examination.
    pub now: OffsetDateTime,
    /// Account and region.
    pub region: AccountRegion,
    /// The API.
    pub api: ApiInfo,
    /// The stage.
    pub stage_name: StageName,
    /// Declarations of the project.
    pub project: ProjectFacts,
    /// Routes, integrations and authorizers.
    pub wiring: Option<ApiDescription>,
    /// Settings of the stage.
    pub stage: Option<StageSettings>,
    /// The deployment that the stage serves, compared with the account and the project.
    pub status: Option<StageStatus>,
    /// Wiring changes of the stack since the served deployment was created.
    pub history: Option<WiringHistory>,
    /// The difference to the template in CloudFormation; absent without a stack, too.
    pub drift: Option<StageDrift>,
    /// The role by which API Gateway writes logs.
    pub log_role: Option<LogRole>,
    /// Functions that the API invokes, and those of the project.
    pub functions: BTreeMap<FunctionName, FunctionFacts>,
    /// Versions that the served deployment calls; `None` for one that does not exist.
    pub versions: BTreeMap<CalledVersion, Option<FunctionDetails>>,
    /// Resource policies of functions, versions and aliases: statements of the policy, none without one.
    pub policies: BTreeMap<QualifiedFunction, Option<String>>,
    /// Rights of roles.
    pub rights: BTreeMap<RoleRight, RightVerdict>,
    /// IDs of private API endpoints by VPC.
    pub private_endpoints: BTreeMap<String, Vec<String>>,
    /// Tables by name; `None` for one that does not exist.
    pub tables: BTreeMap<String, Option<TableFacts>>,
    /// A sample of the connection records.
    pub records: Vec<RecordSample>,
    /// Answers to handshakes as each declared caller.
    pub callers: Vec<VerifyAttempt>,
    /// Connections that closed lately.
    pub closes: ClosedConnections,
    /// Metrics of the last hours.
    pub metrics: Vec<MetricSeries>,
    /// The stack of the API with its resources.
    pub owner: Option<OwningStack>,
    /// The stack of the API, and why its last operation failed.
    pub stack: Option<StackFacts>,
    /// Evidence that could not be read.
    pub unread: Vec<UnreadEvidence>,
    /// Parts that were read, each with the parts that decided what to read. Other parts are unknown.
    pub gathered: BTreeMap<EvidencePart, BTreeSet<EvidencePart>>,
}

/// The role by which API Gateway writes logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRole(pub Option<String>);

/// A function, or a version or alias of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QualifiedFunction {
    /// The function.
    pub function: FunctionName,
    /// The version or alias.
    pub qualifier: Option<String>,
}

impl QualifiedFunction {
    /// Returns the ARN.
    pub fn arn(&self, region: &AccountRegion) -> String {
        let AccountRegion {
            partition,
            region,
            account,
        } = region;
        let name = &self.function;
        let qualifier = self.qualifier.as_ref().map(|one| format!(":{one}"));
        format!(
            "arn:{partition}:lambda:{region}:{account}:function:{name}{}",
            qualifier.unwrap_or_default()
        )
    }
}

/// A function of the API.
#[derive(Clone, Debug, Default)]
pub struct FunctionFacts {
    /// Its configuration; `None` if there is no such function.
    pub details: Option<FunctionDetails>,
    /// True if the configuration was read, or is known not to exist.
    pub is_known: bool,
    /// Reserved concurrent executions, if it reserves any.
    pub reserved: Option<u32>,
}

/// Declarations of a project.
#[derive(Clone, Debug, Default)]
pub struct ProjectFacts {
    /// Functions of the template by name.
    pub functions: BTreeMap<FunctionName, DeclaredFunction>,
    /// Tables of the template by name.
    pub tables: BTreeMap<String, DeclaredTable>,
    /// Callers that the project declares.
    pub callers: Vec<DeclaredCaller>,
    /// `CodeSha256` of functions that were built.
    pub built: BTreeMap<FunctionName, String>,
    /// True if anonymous callers are declared: `callers: mixed`.
    pub has_anonymous_callers: bool,
    /// Flags that select this stage in commands of stackgen: `--env prod`.
    pub selector: String,
    /// Flags that select the account in commands of the AWS CLI: `--profile prod`.
    pub aws_flags: String,
    /// True if a project file or a template declares the stack.
    pub is_known: bool,
}

/// A function of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredFunction {
    /// Names of its environment variables, with the values that the template determines.
    pub environment: BTreeMap<String, Option<String>>,
    /// True if it may post to connections.
    pub posts: bool,
}

/// A table of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredTable {
    /// The attribute with the expiry time.
    pub ttl: Option<String>,
    /// Names of its global secondary indexes.
    pub indexes: Vec<String>,
}

/// A caller that a project declares for verification: what it sends in a handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredCaller {
    /// The name.
    pub name: String,
    /// Names of query parameters.
    pub query: Vec<String>,
    /// Names of headers.
    pub headers: Vec<String>,
    /// True if the caller is expected to be refused with 401.
    pub expects_refusal: bool,
}

/// A right of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleRight {
    /// ARN of the role.
    pub role: String,
    /// IAM action.
    pub action: &'static str,
    /// ARN.
    pub resource: String,
}

/// Verdict on a right of a role, by its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightVerdict {
    /// IAM's simulation decided.
    Simulated(SimulatedRight),
    /// The role's policies decided: session policies, boundaries and policies of the organization are not known.
    Policies(super::policy::PolicyDecision),
}

/// A table of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// The table.
    pub details: TableDetails,
    /// The attribute with the expiry time; `None` if it could not be read, `Some(None)` if items do not expire.
    pub ttl: Option<Option<String>>,
}

/// Connection records of a table, some of which were compared with the connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordSample {
    /// The table.
    pub table: String,
    /// The name of the partition key.
    pub key: String,
    /// Number of records that were compared.
    pub compared: usize,
    /// Connection IDs of records whose connection does not exist.
    pub orphans: Vec<String>,
}

/// Connections that closed, as far as logs tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClosedConnections {
    /// The connections.
    pub closes: Vec<ClosedConnection>,
    /// True if a log contains all disconnects: an access log with `connectionId` and `eventType` or `routeKey`, or an
    /// execution log at level INFO.
    pub lists_disconnects: bool,
    /// True if a log has the ages of connections: `connectedAt`.
    pub has_ages: bool,
    /// True if a log of all disconnects has more lines than were read.
    pub is_cut_off: bool,
    /// True if any log has more lines than were read: codes can be missing.
    pub lacks_lines: bool,
}

/// A connection that closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClosedConnection {
    /// The close code that `$disconnect` got; `None` if no log contains it.
    pub code: Option<u16>,
    /// The age of the connection.
    pub age: Option<Duration>,
}

/// The stack of an API.
#[derive(Clone, Debug, PartialEq)]
pub struct StackFacts {
    /// The stack.
    pub stack: StackDescription,
    /// Why its last operation failed.
    pub cause: Option<FailureCause>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnreadEvidence {
    /// The part of the evidence.
    pub part: EvidencePart,
    /// Why.
    pub reason: UnreadReason,
    /// The IAM action and resource that are missing: `apigateway:GET on /account`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// The service's message, or what is missing.
    pub message: String,
}

/// Why something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UnreadReason {
    /// The caller lacks a permission.
    Denied,
    /// The endpoint does not have the service.
    NoService,
    /// The call failed.
    Failed,
}

impl DoctorEvidence {
    /// Creates evidence about nothing but the API, as if all parts had been looked for.
    pub fn new(
        api: ApiInfo,
        stage_name: StageName,
        region: AccountRegion,
        now: OffsetDateTime,
    ) -> Self {
        DoctorEvidence {
            now,
            region,
            api,
            stage_name,
            project: ProjectFacts::default(),
            wiring: None,
            stage: None,
            status: None,
            history: None,
            drift: None,
            log_role: None,
            functions: BTreeMap::new(),
            versions: BTreeMap::new(),
            policies: BTreeMap::new(),
            rights: BTreeMap::new(),
            private_endpoints: BTreeMap::new(),
            tables: BTreeMap::new(),
            records: Vec::new(),
            callers: Vec::new(),
            closes: ClosedConnections::default(),
            metrics: Vec::new(),
            owner: None,
            stack: None,
            unread: Vec::new(),
            gathered: EvidencePart::ALL
                .into_iter()
                .map(|part| (part, BTreeSet::new()))
                .collect(),
        }
    }

    /// Returns the parts among these, and among those that decided what to read of them, that were not read.
    pub(crate) fn lacking(
        &self,
        asked: impl IntoIterator<Item = EvidencePart>,
    ) -> BTreeSet<EvidencePart> {
        let mut waiting: Vec<_> = asked.into_iter().collect();
        let (mut seen, mut lacking) = (BTreeSet::new(), BTreeSet::new());
        while let Some(part) = waiting.pop() {
            if !seen.insert(part) {
                continue;
            }
            if self.is_lacking(part) {
                lacking.insert(part);
            }
            waiting.extend(self.gathered.get(&part).into_iter().flatten());
        }
        lacking
    }

    fn is_lacking(&self, part: EvidencePart) -> bool {
        let is_absent = match part {
            EvidencePart::Wiring => self.wiring.is_none(),
            EvidencePart::Stage => self.stage.is_none(),
            EvidencePart::Status => self.status.is_none(),
            EvidencePart::LogRole => self.log_role.is_none(),
            // The others may contain nothing.
            _ => false,
        };
        is_absent
            || !self.gathered.contains_key(&part)
            || self.unread.iter().any(|one| one.part == part)
    }
}
