//! Interface to an account for what only `stackgen doctor` reads. `stackgen-aws` implements it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::logs::StageLogSettings;
use stackgen_deploy::{AccountResult, ApiId, FunctionName, OffsetDateTime, StageName};

/// Settings of a stage, which take effect without a deployment (row D2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageSettings {
    /// Throttles of all routes, then of single routes by their keys.
    pub routes: Vec<RouteThrottle>,
    /// Settings of the logs.
    pub logs: StageLogSettings,
}

/// Throttles of a route.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteThrottle {
    /// The route key; `None` for the default of all routes.
    pub route: Option<String>,
    /// Requests per second.
    pub rate: Option<f64>,
    /// Requests at once.
    pub burst: Option<i32>,
}

/// Configuration of a function or of a version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionDetails {
    /// `Active`, `Pending`, `Inactive`, `Failed`.
    pub state: Option<String>,
    /// Lambda's reason for the state.
    pub state_reason: Option<String>,
    /// `Successful`, `InProgress`, `Failed`.
    pub last_update: Option<String>,
    /// Lambda's reason for the status of the last update.
    pub last_update_reason: Option<String>,
    /// SHA-256 of the zip file in base64.
    pub code_sha256: Option<String>,
    /// ARN of the execution role.
    pub role: Option<String>,
    /// The environment variables.
    pub environment: BTreeMap<String, VariableValue>,
    /// ID of the VPC, if the function runs in one.
    pub vpc: Option<String>,
    /// The log group.
    pub log_group: Option<String>,
    /// Timeout in seconds.
    pub timeout_seconds: Option<i32>,
}

/// Value of an environment variable, which may be secret: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct VariableValue(pub String);

impl fmt::Debug for VariableValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VariableValue")
    }
}

/// Decision of IAM's simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatedRight {
    /// The policies allow the action.
    Allowed,
    /// The policies do not allow the action.
    Denied,
    /// The decision depends on keys of a request's context, which a simulation does not have.
    Conditional,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableDetails {
    /// `ACTIVE`, `CREATING`, …
    pub status: String,
    /// Name of the partition key.
    pub partition_key: String,
    /// Name of the sort key.
    pub sort_key: Option<String>,
    /// Statuses of the global secondary indexes by name.
    pub indexes: BTreeMap<String, String>,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedLine {
    /// The time.
    pub at: OffsetDateTime,
    /// The text.
    pub message: String,
}

/// Lines that a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundLines {
    /// The newest lines of those that were read.
    pub lines: Vec<LoggedLine>,
    /// True if the search left matching lines out, or ended before the newest ones.
    pub is_cut_off: bool,
}

/// A search in a log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSearch {
    /// The log group.
    pub group: String,
    /// Filter pattern of CloudWatch Logs.
    pub pattern: String,
    /// The earliest time.
    pub since: OffsetDateTime,
    /// The largest number of lines.
    pub limit: usize,
}

/// A metric, summed up over time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName {
    /// `AWS/ApiGateway`, `AWS/Lambda`.
    pub namespace: &'static str,
    /// `IntegrationError`.
    pub name: &'static str,
    /// Dimensions with their values.
    pub dimensions: Vec<(&'static str, String)>,
}

/// A sum of a metric over one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricPoint {
    /// The beginning of the period.
    pub at: OffsetDateTime,
    /// The sum.
    pub sum: f64,
}

/// Sums of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSeries {
    /// The metric.
    pub metric: MetricName,
    /// The sums by period.
    pub points: Vec<MetricPoint>,
}

/// Span of time and period for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricSpan {
    /// The beginning.
    pub from: OffsetDateTime,
    /// The end.
    pub to: OffsetDateTime,
}

impl MetricSpan {
    /// Length of one period. Deployments divide time at this precision.
    pub const PERIOD: Duration = Duration::from_secs(300);
}

/// Calls to an account that change nothing, apart from the last two. Like [`Account`](stackgen_deploy::Account), each
/// method sends one operation once, or once for each page.
pub trait DoctorAccount {
    /// Returns the settings of a stage.
    fn stage_settings(
        &self,
        api: &ApiId,
        stage: &StageName,
    ) -> impl Future<Output = AccountResult<StageSettings>>;

    /// Returns the configuration of a function, or of one of its versions or aliases.
    fn function_details(
        &self,
        name: &FunctionName,
        qualifier: Option<&str>,
    ) -> impl Future<Output = AccountResult<FunctionDetails>>;

    /// Returns the resource policy of a function, or of one of its versions or aliases; `None` without one.
    fn function_policy(
        &self,
        name: &FunctionName,
        qualifier: Option<&str>,
    ) -> impl Future<Output = AccountResult<Option<String>>>;

    /// Returns the decision of IAM's simulation on an action of a role on a resource.
    fn simulate_right(
        &self,
        role: &str,
        action: &str,
        resource: &str,
    ) -> impl Future<Output = AccountResult<SimulatedRight>>;

    /// Returns the policy documents of a role, its own and those that are attached.
    fn role_policies(&self, role: &str) -> impl Future<Output = AccountResult<Vec<String>>>;

    /// Returns a table.
    fn table(&self, name: &str) -> impl Future<Output = AccountResult<TableDetails>>;

    /// Returns the attribute by which a table deletes expired items; `None` if it deletes none.
    fn time_to_live(&self, table: &str) -> impl Future<Output = AccountResult<Option<String>>>;

    /// Returns partition keys of some items of a table.
    fn some_keys(
        &self,
        table: &str,
        key: &str,
        limit: i32,
    ) -> impl Future<Output = AccountResult<Vec<String>>>;

    /// Returns true if a connection exists. `endpoint` is the management API of the stage.
    fn connection_exists(
        &self,
        endpoint: &str,
        connection: &str,
    ) -> impl Future<Output = AccountResult<bool>>;

    /// Returns the newest lines of a log group that match.
    fn log_lines(&self, search: &LogSearch) -> impl Future<Output = AccountResult<FoundLines>>;

    /// Returns sums of metrics.
    fn metric_sums(
        &self,
        metrics: &[MetricName],
        span: MetricSpan,
    ) -> impl Future<Output = AccountResult<Vec<MetricSeries>>>;

    /// Returns IDs of the endpoints of a VPC that resolve the names of API Gateway's hosts to private addresses.
    fn private_api_endpoints(&self, vpc: &str) -> impl Future<Output = AccountResult<Vec<String>>>;

    /// Sets the role by which API Gateway writes logs.
    fn set_log_role(&self, role: &str) -> impl Future<Output = AccountResult<()>>;

    /// Deletes an item of a table whose primary key is one partition key.
    fn delete_record(
        &self,
        table: &str,
        key: &str,
        value: &str,
    ) -> impl Future<Output = AccountResult<()>>;
}
