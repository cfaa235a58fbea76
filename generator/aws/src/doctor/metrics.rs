//! Metrics of CloudWatch.

use stackgen_deploy::{AccountResult, OffsetDateTime};
use stackgen_diagnose::doctor::{MetricName, MetricPoint, MetricSeries, MetricSpan};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService};

const VERSION: &str = "2010-08-01";

/// Largest number of metrics of one call.
const MOST_METRICS: usize = 100;

impl Aws {
    pub(super) async fn read_metric_sums(
        &self,
        metrics: &[MetricName],
        span: MetricSpan,
    ) -> AccountResult<Vec<MetricSeries>> {
        let call = AwsCall::GetMetricData;
        let operation = AwsOperation::unlimited(call);
        let mut series = Vec::new();
        for metrics in metrics.chunks(MOST_METRICS) {
            let request =
                SignedRequest::query(VERSION, "GetMetricData", &parameters(metrics, span));
            let answer = self
                .send_signed(SignedService::CloudWatch, call, &operation, request)
                .await?;
            let document =
                roxmltree::Document::parse(&answer).map_err(|_| operation.lacks("XML"))?;
            let results = document
                .descendants()
                .find(|node| node.tag_name().name() == "MetricDataResults");
            let results = results.ok_or_else(|| operation.lacks("MetricDataResults"))?;
            for result in results
                .children()
                .filter(|node| node.tag_name().name() == "member")
            {
                series.extend(one_series(result, metrics));
            }
        }
        Ok(series)
    }
}

fn parameters(metrics: &[MetricName], span: MetricSpan) -> Vec<(String, String)> {
    let mut all = vec![
        ("StartTime".to_owned(), iso8601(span.from)),
        ("EndTime".to_owned(), iso8601(span.to)),
        ("ScanBy".to_owned(), "TimestampAscending".to_owned()),
    ];
    for (index, metric) in metrics.iter().enumerate() {
        let query = format!("MetricDataQueries.member.{}", index + 1);
        let mut add = |name: String, value: String| all.push((format!("{query}.{name}"), value));
        add("Id".to_owned(), format!("m{index}"));
        add("MetricStat.Stat".to_owned(), "Sum".to_owned());
        add(
            "MetricStat.Period".to_owned(),
            MetricSpan::PERIOD.as_secs().to_string(),
        );
        add(
            "MetricStat.Metric.Namespace".to_owned(),
            metric.namespace.to_owned(),
        );
        add(
            "MetricStat.Metric.MetricName".to_owned(),
            metric.name.to_owned(),
        );
        for (at, (name, value)) in metric.dimensions.iter().enumerate() {
            let dimension = format!("MetricStat.Metric.Dimensions.member.{}", at + 1);
            add(format!("{dimension}.Name"), (*name).to_owned());
            add(format!("{dimension}.Value"), value.clone());
        }
    }
    all
}

fn one_series(result: roxmltree::Node<'_, '_>, metrics: &[MetricName]) -> Option<MetricSeries> {
    let child = |name: &str| {
        result
            .children()
            .find(|node| node.tag_name().name() == name)
    };
    let index: usize = child("Id")?.text()?.strip_prefix('m')?.parse().ok()?;
    let texts = |name: &str| {
        let members = child(name).into_iter().flat_map(|node| node.children());
        members.filter_map(|node| node.text().map(str::trim).filter(|text| !text.is_empty()))
    };
    let points = texts("Timestamps")
        .zip(texts("Values"))
        .filter_map(|(at, sum)| {
            Some(MetricPoint {
                at: time(at)?,
                sum: sum.parse().ok()?,
            })
        });
    Some(MetricSeries {
        metric: metrics.get(index)?.clone(),
        points: points.collect(),
    })
}

fn iso8601(time: OffsetDateTime) -> String {
    let time = aws_smithy_types::DateTime::from_secs(time.unix_timestamp());
    time.fmt(aws_smithy_types::date_time::Format::DateTime)
        .unwrap_or_default()
}

fn time(text: &str) -> Option<OffsetDateTime> {
    let format = aws_smithy_types::date_time::Format::DateTimeWithOffset;
    let time = aws_smithy_types::DateTime::from_str(text, format).ok()?;
    OffsetDateTime::from_unix_timestamp(time.secs()).ok()
}
