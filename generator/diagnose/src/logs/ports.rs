//! Interfaces to CloudWatch Logs, and to the settings that decide which logs exist.

use stackgen_deploy::{AccountResult, ApiId, FunctionName, StageName};
use stackgen_model::access_log::group_of;

/// A log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroupSummary {
    /// Name of the group.
    pub name: String,
    /// ARN of the group, without `:*` at its end.
    pub arn: String,
    /// Size of the stored events in bytes. CloudWatch Logs updates it with a delay.
    pub stored_bytes: u64,
    /// Days for which events are stored; `None` for ever.
    pub retention_days: Option<u32>,
    /// Creation of the group, in milliseconds since 1970.
    pub created: i64,
}

/// Request for one page of a group's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsRequest {
    /// Name or ARN of the group.
    pub group: String,
    /// First time of the range, in milliseconds since 1970.
    pub start: i64,
    /// Last time of the range; `None` for no end.
    pub end: Option<i64>,
    /// Filter pattern that events must match.
    pub pattern: Option<String>,
    /// Token that the previous page returned.
    pub token: Option<String>,
}

/// A page of a group's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsPage {
    /// The events. Neither the order of several streams nor that of pages is certain.
    pub events: Vec<StoredEvent>,
    /// Token of the next page. A page can be empty and still have one.
    pub next: Option<String>,
}

/// An event of a log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// ID that only this event of the account has. Events of live tail have none.
    pub id: Option<String>,
    /// Log stream.
    pub stream: String,
    /// Time of the event, in milliseconds since 1970.
    pub at: i64,
    /// Time at which CloudWatch Logs received it.
    pub ingested: i64,
    /// The line.
    pub message: String,
}

/// Events that live tail sent together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TailUpdate {
    /// Pairs of a group's name or ARN and an event.
    pub events: Vec<TailEvent>,
    /// True if CloudWatch Logs left out events, because more than 500 a second match.
    pub sampled: bool,
}

/// An event of live tail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailEvent {
    /// Name or ARN of the group.
    pub group: String,
    /// The event.
    pub event: StoredEvent,
}

/// An open session of live tail. Dropping it ends it.
pub trait LiveTailSession {
    /// Waits for the next update, which comes every second; `None` once the session ended, which it does after three hours.
    fn next(&mut self) -> impl Future<Output = AccountResult<Option<TailUpdate>>>;
}

/// A query of Logs Insights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsightsRequest {
    /// Names of the groups, at most 50.
    pub groups: Vec<String>,
    /// First second of the range, since 1970.
    pub start: i64,
    /// Last second of the range.
    pub end: i64,
    /// The query.
    pub query: String,
    /// Largest number of results, at most 10,000.
    pub limit: u32,
}

/// Status and results of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InsightsResults {
    /// The status.
    pub status: InsightsStatus,
    /// Each result as pairs of a field's name and value.
    pub rows: Vec<Vec<(String, String)>>,
    /// Size of the events that were scanned so far, which AWS bills.
    pub scanned_bytes: u64,
}

/// Status of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InsightsStatus {
    /// It waits or runs.
    #[default]
    Running,
    /// It is complete.
    Complete,
    /// It failed, was cancelled or timed out.
    Failed,
}

/// Calls to CloudWatch Logs. Like [`Account`](stackgen_deploy::Account), each method sends one operation once, and a list
/// sends it once per page.
pub trait LogService {
    /// An open session of live tail.
    type Session: LiveTailSession;

    /// Returns the log groups whose names begin with a prefix (DescribeLogGroups).
    fn log_groups(&self, prefix: &str)
    -> impl Future<Output = AccountResult<Vec<LogGroupSummary>>>;

    /// Returns one page of a group's events (FilterLogEvents).
    fn events(&self, request: &EventsRequest) -> impl Future<Output = AccountResult<EventsPage>>;

    /// Opens a session of live tail on at most ten groups, by their ARNs (StartLiveTail). AWS bills it by the minute.
    fn live_tail(&self, groups: &[String]) -> impl Future<Output = AccountResult<Self::Session>>;

    /// Starts a query of Logs Insights, and returns its ID (StartQuery). AWS bills the bytes that it scans.
    fn start_query(&self, request: &InsightsRequest)
    -> impl Future<Output = AccountResult<String>>;

    /// Returns status and results of a query (GetQueryResults).
    fn query_results(&self, id: &str) -> impl Future<Output = AccountResult<InsightsResults>>;

    /// Stops a query that runs (StopQuery).
    fn stop_query(&self, id: &str) -> impl Future<Output = AccountResult<()>>;
}

/// Log settings of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageLogSettings {
    /// ARN of the access log: of a log group or a delivery stream.
    pub access_log_arn: Option<String>,
    /// Format of the access log.
    pub access_log_format: Option<String>,
    /// Level of the execution log for routes without settings of their own.
    pub execution_level: ExecutionLevel,
    /// True if a route has another level than the default.
    pub execution_differs: bool,
}

impl StageLogSettings {
    /// True if a route has an execution log.
    pub fn has_execution_log(&self) -> bool {
        self.execution_level > ExecutionLevel::Off || self.execution_differs
    }

    /// Returns the name of the access log's group; `None` without one, and for a delivery stream.
    pub fn access_log_group(&self) -> Option<&str> {
        group_of(self.access_log_arn.as_deref()?)
    }
}

/// Level of an execution log (row L4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExecutionLevel {
    /// There is no execution log.
    #[default]
    Off,
    /// Only errors.
    Error,
    /// Every request.
    Info,
}

/// Log settings of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionLogSettings {
    /// Name of the log group.
    pub group: String,
    /// True for Lambda's JSON format.
    pub json: bool,
    /// Least level of the function's own lines, if Lambda filters them.
    pub application_level: Option<String>,
    /// Least level of Lambda's lines, if Lambda filters them: above INFO, there is no `START` and no `REPORT`.
    pub system_level: Option<String>,
}

/// Calls that read which logs exist.
pub trait LogSettingsReader {
    /// Returns the log settings of a stage (GetStage).
    fn stage_logs(
        &self,
        api: &ApiId,
        stage: &StageName,
    ) -> impl Future<Output = AccountResult<StageLogSettings>>;

    /// Returns the log settings of a function (GetFunctionConfiguration).
    fn function_logs(
        &self,
        function: &FunctionName,
    ) -> impl Future<Output = AccountResult<FunctionLogSettings>>;
}
