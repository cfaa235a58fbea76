//! Streams of Kinesis.

use serde_json::{Value as Json, json};
use stackgen_gateway_stack::{ServiceResource, StoredResource};

use super::{existing_note, member, text, unless_refused};
use crate::outbound::service_client::{CallError, ServiceClient};

pub(super) async fn put(
    client: &ServiceClient,
    stream: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let name = &stream.name;
    let mut body = json!({ "StreamName": name });
    let shards = text(stream, "ShardCount").and_then(|count| count.parse::<u32>().ok());
    match (stream.properties.get("StreamModeDetails"), shards) {
        (Some(mode), None) => body["StreamModeDetails"] = mode.clone(),
        (_, shards) => body["ShardCount"] = shards.unwrap_or(1).into(),
    }
    let created = client.json("kinesis", "CreateStream", &body).await;
    let is_new = unless_refused(created, "ResourceInUseException")?.is_some();
    let body = json!({ "StreamName": name });
    let answer = client
        .json("kinesis", "DescribeStreamSummary", &body)
        .await?;
    let summary = &answer["StreamDescriptionSummary"];
    let mut stored = StoredResource::new(name).with("Arn", member(summary, "StreamARN"));
    if !is_new {
        stored.notes = differences(stream, shards, summary);
    }
    Ok(stored)
}

/// Returns notes on what a stream that exists keeps, although the template has something else.
fn differences(stream: &ServiceResource, shards: Option<u32>, summary: &Json) -> Vec<String> {
    let mode = |of: &Json| member(of, "StreamMode");
    let wanted = stream.properties.get("StreamModeDetails").map(mode);
    let found = mode(&summary["StreamModeDetails"]);
    let open = summary["OpenShardCount"].as_u64();
    let mut notes = Vec::new();
    if let Some(wanted) = wanted.filter(|wanted| !found.is_empty() && *wanted != found) {
        notes.push(existing_note(format_args!("the mode {found}"), wanted));
    }
    if let (Some(shards), Some(open)) = (shards, open)
        && u64::from(shards) != open
    {
        let setting = format_args!("its number of shards, {open}");
        notes.push(existing_note(setting, shards));
    }
    notes
}
