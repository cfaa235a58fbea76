//! Changes of tables, and records of Kinesis, as records of a function's event.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::delivery::BatchRecord;

/// Converts a record of `GetRecords`. Its region and the ARN are those of the mapping.
pub(super) fn record(mut json: Json, stream_arn: &str) -> BatchRecord {
    let region = stream_arn.split(':').nth(3).unwrap_or_default();
    json["awsRegion"] = region.into();
    json["eventSourceARN"] = stream_arn.into();
    let change = &mut json["dynamodb"];
    // Functions get whole seconds.
    if let Some(seconds) = change["ApproximateCreationDateTime"].as_f64() {
        #[allow(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
        let seconds = seconds as i64;
        change["ApproximateCreationDateTime"] = seconds.into();
    }
    let id = change["SequenceNumber"].as_str().unwrap_or_default();
    BatchRecord {
        id: id.to_owned(),
        json,
    }
}

/// Converts a record of a shard of Kinesis.
pub(super) fn data_record(
    record: &Json,
    shard: &str,
    stream_arn: &str,
    role: Option<&str>,
) -> BatchRecord {
    let sequence = record["SequenceNumber"].as_str().unwrap_or_default();
    let region = stream_arn.split(':').nth(3).unwrap_or_default();
    let json = json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": sequence,
            "data": record["Data"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("{shard}:{sequence}"),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role,
        "awsRegion": region,
        "eventSourceARN": stream_arn,
    });
    BatchRecord {
        id: sequence.to_owned(),
        json,
    }
}

/// Returns the record of Kinesis that filters see: its data is an object if it is the JSON text of one.
pub(super) fn filtered(record: &BatchRecord) -> Json {
    let mut json = record.json.clone();
    let data = json["kinesis"]["data"].as_str().unwrap_or_default();
    let data = STANDARD.decode(data).unwrap_or_default();
    if let Ok(data @ (Json::Object(_) | Json::Array(_))) = serde_json::from_slice(&data) {
        json["data"] = data;
    }
    json
}

/// Returns the time of a change or a record in seconds since 1970.
pub(super) fn created(record: &BatchRecord) -> i64 {
    let change = &record.json["dynamodb"]["ApproximateCreationDateTime"];
    let arrival = &record.json["kinesis"]["approximateArrivalTimestamp"];
    #[allow(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
    let arrival = arrival.as_f64().map(|seconds| seconds as i64);
    change.as_i64().or(arrival).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_kinesis_has_the_members_that_aws_documents() {
        let arn = "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream";
        let sequence = "49590338271490256608559692538361571095921575989136588898";
        let record = data_record(
            &json!({
                "SequenceNumber": sequence,
                "ApproximateArrivalTimestamp": 1_545_084_650.987,
                "Data": "eyJhIjoxfQ==",
                "PartitionKey": "1",
            }),
            "shardId-000000000006",
            arn,
            Some("arn:aws:iam::123456789012:role/lambda-role"),
        );
        assert_eq!(
            (record.id.as_str(), created(&record)),
            (sequence, 1_545_084_650)
        );
        insta::assert_snapshot!(serde_json::to_string_pretty(&record.json).unwrap(), @r#"
        {
          "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "1",
            "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
            "data": "eyJhIjoxfQ==",
            "approximateArrivalTimestamp": 1545084650.987
          },
          "eventSource": "aws:kinesis",
          "eventVersion": "1.0",
          "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
          "eventName": "aws:kinesis:record",
          "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
          "awsRegion": "us-east-2",
          "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"
        }
        "#);
        assert_eq!(filtered(&record)["data"], json!({ "a": 1 }));
    }

    #[test]
    fn a_record_has_the_members_that_aws_documents() {
        let arn =
            "arn:aws:dynamodb:us-west-2:123456789012:table/notes/stream/2026-01-01T00:00:00.000";
        let record = record(
            json!({
                "eventID": "c4ca4238",
                "eventName": "INSERT",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "dynoxide",
                "dynamodb": {
                    "Keys": { "Id": { "N": "101" } },
                    "NewImage": { "Id": { "N": "101" }, "Message": { "S": "New item!" } },
                    "SequenceNumber": "100000000000000000111",
                    "SizeBytes": 26,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                    "ApproximateCreationDateTime": 1_428_537_600.0,
                },
            }),
            arn,
        );
        assert_eq!(record.id, "100000000000000000111");
        assert_eq!(created(&record), 1_428_537_600);
        let expected = r#"{"eventID":"c4ca4238","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"Keys":{"Id":{"N":"101"}},"NewImage":{"Id":{"N":"101"},"Message":{"S":"New item!"}},"SequenceNumber":"100000000000000000111","SizeBytes":26,"StreamViewType":"NEW_AND_OLD_IMAGES","ApproximateCreationDateTime":1428537600},"eventSourceARN":"arn:aws:dynamodb:us-west-2:123456789012:table/notes/stream/2026-01-01T00:00:00.000"}"#;
        assert_eq!(record.json.to_string(), expected);
    }
}
