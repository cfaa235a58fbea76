//! Mistakes in tables and log groups.

use crate::template::Template;
use crate::{Mistake, mistake};

pub const MISTAKES: &[Mistake] = &[
    mistake(
        "connections without TTL",
        "connections-without-ttl",
        &[|it| {
            let table = table(it)?;
            it.properties(&table)
                .shift_remove("TimeToLiveSpecification")
                .map(|_| ())
        }],
    ),
    mistake(
        "no recovery",
        "table-without-recovery",
        &[|it| {
            let table = table(it)?;
            let recovery = it
                .properties(&table)
                .shift_remove("PointInTimeRecoverySpecification")?;
            (recovery["PointInTimeRecoveryEnabled"] == true).then_some(())
        }],
    ),
    mistake(
        "logs for ever",
        "log-group-without-retention",
        &[|it| {
            let logs = it.find(|it| it["Type"] == "AWS::Logs::LogGroup")?;
            it.properties(&logs)
                .shift_remove("RetentionInDays")
                .map(|_| ())
        }],
    ),
];

fn table(it: &Template) -> Option<String> {
    it.find(|it| it["Type"] == "AWS::DynamoDB::Table" && it.to_string().contains("connectionId"))
}
