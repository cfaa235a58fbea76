//! Lines of logs.

use serde_json::{Value, json};
use stackgen_deploy::{AccountResult, OffsetDateTime};
use stackgen_diagnose::doctor::{LogSearch, LoggedLine};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService};

/// Largest number of pages of one search. CloudWatch Logs returns empty pages, too.
const MOST_PAGES: usize = 20;

impl Aws {
    /// Returns matching lines, the newest of those that were read.
    pub(super) async fn read_log_lines(
        &self,
        search: &LogSearch,
    ) -> AccountResult<Vec<LoggedLine>> {
        let call = AwsCall::FilterLogEvents;
        let operation = AwsOperation::on(call, format_args!("log group {}", search.group));
        let (mut lines, mut token) = (Vec::new(), Value::Null);
        for _ in 0..MOST_PAGES {
            let mut body = json!({
                "logGroupName": search.group,
                "filterPattern": search.pattern,
                "startTime": search.since.unix_timestamp() * 1_000,
            });
            if !token.is_null() {
                body["nextToken"] = token;
            }
            let request = SignedRequest::json("Logs_20140328.FilterLogEvents", "1.1", &body);
            let answer = self
                .send_signed(SignedService::CloudWatchLogs, call, &operation, request)
                .await?;
            let page: Value = serde_json::from_str(&answer).map_err(|_| operation.lacks("JSON"))?;
            let events = page["events"].as_array().into_iter().flatten();
            lines.extend(events.filter_map(line));
            token = page["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        let surplus = lines.len().saturating_sub(search.limit);
        Ok(lines.split_off(surplus))
    }
}

fn line(event: &Value) -> Option<LoggedLine> {
    let nanos = i128::from(event["timestamp"].as_i64()?) * 1_000_000;
    Some(LoggedLine {
        at: OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?,
        message: event["message"].as_str()?.to_owned(),
    })
}
