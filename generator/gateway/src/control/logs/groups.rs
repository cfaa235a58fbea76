//! Operations on log groups and log streams.

use serde::Deserialize;
use serde_json::{Value, json};
use stackgen_gateway_common::logs::LogStreamInfo;

use super::{LogsResult, LogsService, invalid, page};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GroupInput {
    log_group_name: String,
    log_stream_name: String,
    retention_in_days: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DescribeInput {
    log_group_name: String,
    log_group_identifier: Option<String>,
    log_group_name_prefix: String,
    log_group_name_pattern: String,
    log_stream_name_prefix: String,
    order_by: Option<String>,
    descending: bool,
    next_token: Option<String>,
    limit: Option<usize>,
}

impl LogsService {
    pub(super) fn create_group(&self, group: &GroupInput) -> LogsResult {
        if group.log_group_name.is_empty() {
            return Err(invalid("logGroupName is missing"));
        }
        self.logs.create_group(&group.log_group_name)?;
        Ok(json!({}))
    }

    pub(super) fn delete_group(&self, group: &GroupInput) -> LogsResult {
        self.logs.delete_group(&group.log_group_name)?;
        Ok(json!({}))
    }

    pub(super) fn retain(&self, group: &GroupInput) -> LogsResult {
        self.logs
            .set_retention(&group.log_group_name, group.retention_in_days)?;
        Ok(json!({}))
    }

    pub(super) fn create_stream(&self, group: &GroupInput) -> LogsResult {
        if group.log_stream_name.is_empty() {
            return Err(invalid("logStreamName is missing"));
        }
        self.logs
            .create_stream(&group.log_group_name, &group.log_stream_name)?;
        Ok(json!({}))
    }

    pub(super) fn describe_groups(&self, input: &DescribeInput) -> LogsResult {
        let groups = self.logs.groups().into_iter();
        let matching = groups.filter(|group| {
            group.name.starts_with(&input.log_group_name_prefix)
                && group.name.contains(&input.log_group_name_pattern)
        });
        let shown = matching.map(|group| {
            let arn = self.arn(&group.name);
            let mut shown = json!({
                "logGroupName": group.name,
                "creationTime": group.created,
                "metricFilterCount": 0,
                "arn": format!("{arn}:*"),
                "logGroupArn": arn,
                "storedBytes": group.bytes,
                "logGroupClass": "STANDARD",
            });
            if let Some(days) = group.retention_in_days {
                shown["retentionInDays"] = json!(days);
            }
            shown
        });
        let (shown, next) = page(shown.collect(), input.next_token.as_deref(), input.limit)?;
        Ok(with_token(json!({ "logGroups": shown }), next))
    }

    pub(super) fn describe_streams(&self, input: &DescribeInput) -> LogsResult {
        let group = input.log_group_identifier.as_deref();
        let group = group_name(group.unwrap_or(&input.log_group_name));
        let mut streams = self.logs.streams(group)?;
        streams.retain(|stream| stream.name.starts_with(&input.log_stream_name_prefix));
        if input.order_by.as_deref() == Some("LastEventTime") {
            streams.sort_by_key(|stream| stream.last);
        }
        if input.descending {
            streams.reverse();
        }
        let arn = self.arn(group);
        let shown = streams.iter().map(|stream| describe_stream(&arn, stream));
        let (shown, next) = page(shown.collect(), input.next_token.as_deref(), input.limit)?;
        Ok(with_token(json!({ "logStreams": shown }), next))
    }

    fn arn(&self, group: &str) -> String {
        let scope = &self.scope;
        format!(
            "arn:{}:logs:{}:{}:log-group:{group}",
            scope.partition, scope.region, scope.account
        )
    }
}

fn describe_stream(group: &str, stream: &LogStreamInfo) -> Value {
    let mut shown = json!({
        "logStreamName": &*stream.name,
        "creationTime": stream.created,
        "arn": format!("{group}:log-stream:{}", stream.name),
        "storedBytes": 0,
    });
    let moments = [
        ("firstEventTimestamp", stream.first),
        ("lastEventTimestamp", stream.last),
        ("lastIngestionTime", stream.ingested),
    ];
    for (name, moment) in moments {
        if let Some(moment) = moment {
            shown[name] = json!(moment);
        }
    }
    shown
}

/// Returns the name of a log group, given its name or its ARN.
pub(super) fn group_name(identifier: &str) -> &str {
    match identifier.split_once(":log-group:") {
        Some((arn, name)) if arn.starts_with("arn:") => name.strip_suffix(":*").unwrap_or(name),
        _ => identifier,
    }
}

pub(super) fn with_token(mut body: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        body["nextToken"] = json!(next);
    }
    body
}
