//! Calls to CloudWatch Logs, and to the settings that decide which logs exist.

use aws_sdk_apigatewayv2::operation::get_stage::GetStageOutput;
use aws_sdk_apigatewayv2::types::{LoggingLevel, RouteSettings};
use aws_sdk_cloudwatchlogs::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_cloudwatchlogs::operation::start_live_tail::StartLiveTailOutput;
use aws_sdk_cloudwatchlogs::types::error::StartLiveTailResponseStreamError;
use aws_sdk_cloudwatchlogs::types::{
    LiveTailSessionLogEvent, LiveTailSessionUpdate, LogGroup, QueryStatus, ResultField,
    StartLiveTailResponseStream,
};
use aws_smithy_runtime_api::client::result::SdkError;
use stackgen_deploy::{AccountError, AccountResult};
use stackgen_deploy::{ApiId, FunctionName, StageName};
use stackgen_diagnose::logs::{
    EventsPage, EventsRequest, ExecutionLevel, FunctionLogSettings, InsightsRequest,
    InsightsResults, InsightsStatus, LiveTailSession, LogGroupSummary, LogService,
    LogSettingsReader, StageLogSettings, StoredEvent, TailEvent, TailUpdate,
};

use crate::Aws;
use crate::operation::{AwsOperation, causes};
use crate::pages::pages;
use crate::permissions::AwsCall;

/// Largest number of events of a page, which CloudWatch Logs sets.
const PAGE_SIZE: i32 = 10_000;

/// Prefix of the host name to which the SDK sends StartLiveTail. Other servers than AWS have no such name.
const TAIL_HOST_PREFIX: &str = "://stream-";

impl LogService for Aws {
    type Session = AwsLiveTail;

    async fn log_groups(&self, prefix: &str) -> AccountResult<Vec<LogGroupSummary>> {
        let resource = format_args!("log groups {prefix}*");
        let operation = AwsOperation::on(AwsCall::DescribeLogGroups, resource);
        let found = pages(&operation, |token| async {
            let request = self.logs.describe_log_groups().set_next_token(token);
            let page = request.log_group_name_prefix(prefix).send().await;
            let page = operation.result(page)?;
            Ok((page.log_groups.unwrap_or_default(), page.next_token))
        });
        Ok(found.await?.iter().filter_map(group).collect())
    }

    async fn events(&self, request: &EventsRequest) -> AccountResult<EventsPage> {
        let operation = on_group(AwsCall::FilterLogEvents, &request.group);
        let filter = self.logs.filter_log_events().limit(PAGE_SIZE);
        let filter = filter
            .log_group_identifier(&request.group)
            .start_time(request.start)
            .set_end_time(request.end)
            .set_filter_pattern(request.pattern.clone())
            .set_next_token(request.token.clone());
        let page = operation.result(filter.send().await)?;
        let events = page.events.unwrap_or_default().into_iter();
        let events = events.map(|event| StoredEvent {
            id: event.event_id,
            stream: event.log_stream_name.unwrap_or_default(),
            at: event.timestamp.unwrap_or_default(),
            ingested: event.ingestion_time.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
        });
        let next = page.next_token.filter(|token| !token.is_empty());
        if next.is_some() && next == request.token {
            return Err(operation.endless());
        }
        Ok(EventsPage {
            events: events.collect(),
            next,
        })
    }

    async fn live_tail(&self, groups: &[String]) -> AccountResult<AwsLiveTail> {
        let operation = on_group(AwsCall::StartLiveTail, &groups.join(", "));
        let request = self.logs.start_live_tail();
        let request = request.set_log_group_identifiers(Some(groups.to_vec()));
        let has_own_endpoint = self.endpoint_url.is_some();
        let request = request.customize().mutate_request(move |request| {
            if has_own_endpoint {
                let uri = request.uri().replacen(TAIL_HOST_PREFIX, "://", 1);
                // Cannot fail: only the host differs from a valid URI.
                let _ = request.set_uri(uri);
            }
        });
        // A group without events is no stalled stream.
        let patient =
            Builder::new().stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let opened = operation.result(request.config_override(patient).send().await)?;
        Ok(AwsLiveTail { opened, operation })
    }

    async fn start_query(&self, request: &InsightsRequest) -> AccountResult<String> {
        let operation = on_group(AwsCall::StartQuery, &request.groups.join(", "));
        let query = self.logs.start_query();
        let query = query
            .set_log_group_names(Some(request.groups.clone()))
            .start_time(request.start)
            .end_time(request.end)
            .query_string(&request.query)
            .limit(i32::try_from(request.limit).unwrap_or(PAGE_SIZE));
        let started = operation.result(query.send().await)?;
        started.query_id.ok_or_else(|| operation.lacks("queryId"))
    }

    async fn query_results(&self, id: &str) -> AccountResult<InsightsResults> {
        let operation = AwsOperation::unlimited(AwsCall::GetQueryResults);
        let mut results = InsightsResults::default();
        let rows = pages(&operation, |token| {
            let request = self.logs.get_query_results().query_id(id);
            let sent = request.set_next_token(token).send();
            async {
                let page = operation.result(sent.await)?;
                let scanned = page.statistics().map_or(0.0, |found| found.bytes_scanned());
                let rows = page.results().iter().map(|row| fields(row)).collect();
                let status = query_status(page.status());
                Ok((vec![(status, scanned, rows)], page.next_token))
            }
        });
        for (status, scanned, rows) in rows.await? {
            let rows: Vec<_> = rows;
            results.status = status;
            results.scanned_bytes = whole(scanned);
            results.rows.extend(rows);
        }
        Ok(results)
    }

    async fn stop_query(&self, id: &str) -> AccountResult<()> {
        let operation = AwsOperation::unlimited(AwsCall::StopQuery);
        let request = self.logs.stop_query().query_id(id);
        operation.result(request.send().await).map(drop)
    }
}

impl LogSettingsReader for Aws {
    async fn stage_logs(&self, api: &ApiId, stage: &StageName) -> AccountResult<StageLogSettings> {
        let path = format!("/apis/{api}/stages/{stage}");
        let operation = AwsOperation::gateway(AwsCall::GetStage, path);
        let request = self.gateway.get_stage().api_id(api.as_str());
        let found = operation.result(request.stage_name(stage.as_str()).send().await)?;
        Ok(log_settings(&found))
    }

    async fn function_logs(&self, function: &FunctionName) -> AccountResult<FunctionLogSettings> {
        let operation = AwsOperation::lambda(AwsCall::GetFunctionConfiguration, function);
        let request = self.lambda.get_function_configuration();
        let found = operation.result(request.function_name(function.as_str()).send().await)?;
        let logging = found.logging_config();
        let group = logging.and_then(|logging| logging.log_group());
        let usual = || format!("/aws/lambda/{function}");
        Ok(FunctionLogSettings {
            group: group.map_or_else(usual, str::to_owned),
            json: logging
                .and_then(|logging| logging.log_format())
                .is_some_and(|format| format.as_str() == "JSON"),
            application_level: logging
                .and_then(|logging| logging.application_log_level())
                .map(|level| level.as_str().to_owned()),
            system_level: logging
                .and_then(|logging| logging.system_log_level())
                .map(|level| level.as_str().to_owned()),
        })
    }
}

/// Returns the log settings of a stage.
pub(crate) fn log_settings(found: &GetStageOutput) -> StageLogSettings {
    let access = found.access_log_settings();
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let default = found.default_route_settings();
    let execution_level = level(default);
    let routes = found.route_settings().into_iter().flatten();
    let mut routes = routes.map(|(_, settings)| level(Some(settings)));
    StageLogSettings {
        access_log_arn: access.and_then(|access| text(access.destination_arn())),
        access_log_format: access.and_then(|access| text(access.format())),
        execution_level,
        execution_differs: routes.any(|level| level != execution_level),
    }
}

/// A session of live tail.
#[derive(Debug)]
pub struct AwsLiveTail {
    opened: StartLiveTailOutput,
    operation: AwsOperation,
}

impl LiveTailSession for AwsLiveTail {
    async fn next(&mut self) -> AccountResult<Option<TailUpdate>> {
        loop {
            match self.opened.response_stream.recv().await {
                Ok(Some(StartLiveTailResponseStream::SessionUpdate(found))) => {
                    return Ok(Some(update(found)));
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(SdkError::ServiceError(error)) if is_timeout(error.err()) => return Ok(None),
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }
}

impl AwsLiveTail {
    fn broken(&self, error: &(dyn std::error::Error + 'static)) -> AccountError {
        self.operation.unclear(causes(error))
    }
}

fn is_timeout(error: &StartLiveTailResponseStreamError) -> bool {
    error.is_session_timeout_exception()
}

fn on_group(call: AwsCall, group: &str) -> AwsOperation {
    AwsOperation::on(call, format_args!("log group {group}"))
}

fn group(found: &LogGroup) -> Option<LogGroupSummary> {
    let name = found.log_group_name()?;
    let arn = found.log_group_arn().or(found.arn()).unwrap_or(name);
    Some(LogGroupSummary {
        name: name.to_owned(),
        arn: arn.strip_suffix(":*").unwrap_or(arn).to_owned(),
        stored_bytes: found
            .stored_bytes()
            .and_then(|bytes| u64::try_from(bytes).ok())
            .unwrap_or_default(),
        retention_days: found
            .retention_in_days()
            .and_then(|days| u32::try_from(days).ok()),
        created: found.creation_time().unwrap_or_default(),
    })
}

fn update(found: LiveTailSessionUpdate) -> TailUpdate {
    let sampled = found.session_metadata.is_some_and(|data| data.sampled);
    let events = found.session_results.unwrap_or_default().into_iter();
    TailUpdate {
        events: events.map(tail_event).collect(),
        sampled,
    }
}

fn tail_event(found: LiveTailSessionLogEvent) -> TailEvent {
    TailEvent {
        group: found.log_group_identifier.unwrap_or_default(),
        event: StoredEvent {
            id: None,
            stream: found.log_stream_name.unwrap_or_default(),
            at: found.timestamp.unwrap_or_default(),
            ingested: found.ingestion_time.unwrap_or_default(),
            message: found.message.unwrap_or_default(),
        },
    }
}

fn fields(row: &[ResultField]) -> Vec<(String, String)> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let fields = row.iter();
    fields
        .map(|field| (text(field.field()), text(field.value())))
        .collect()
}

fn query_status(status: Option<&QueryStatus>) -> InsightsStatus {
    match status {
        Some(QueryStatus::Complete) => InsightsStatus::Complete,
        Some(QueryStatus::Cancelled | QueryStatus::Failed | QueryStatus::Timeout) => {
            InsightsStatus::Failed
        }
        _ => InsightsStatus::Running,
    }
}

fn level(settings: Option<&RouteSettings>) -> ExecutionLevel {
    match settings.and_then(RouteSettings::logging_level) {
        Some(LoggingLevel::Info) => ExecutionLevel::Info,
        Some(LoggingLevel::Error) => ExecutionLevel::Error,
        _ => ExecutionLevel::Off,
    }
}

/// Returns a number of bytes. Logs Insights counts in floating point.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it saturates"
)]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}
