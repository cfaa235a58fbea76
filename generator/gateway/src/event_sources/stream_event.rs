//! Changes of tables as records of a function's event.

use serde_json::Value as Json;

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

/// Returns the time of a change in seconds since 1970.
pub(super) fn created(record: &BatchRecord) -> i64 {
    let time = &record.json["dynamodb"]["ApproximateCreationDateTime"];
    time.as_i64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
