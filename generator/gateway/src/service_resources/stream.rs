//! Streams of Kinesis.

use serde_json::json;
use stackgen_gateway_stack::{ServiceResource, StoredResource};

use super::{member, text, unless_refused};
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
    unless_refused(created, "ResourceInUseException")?;
    let body = json!({ "StreamName": name });
    let answer = client
        .json("kinesis", "DescribeStreamSummary", &body)
        .await?;
    let arn = member(&answer["StreamDescriptionSummary"], "StreamARN");
    Ok(StoredResource::new(name).with("Arn", arn))
}
