//! Reading metrics.

use stackgen_deploy::DeployError;

use super::{ExaminedAccount, Gatherer};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::{MetricName, MetricSeries, MetricSpan};
use crate::doctor::reader::EvidenceReader;

impl<A: ExaminedAccount> Gatherer<'_, A> {
    pub(super) async fn metrics(
        &self,
        evidence: &EvidenceReader<'_>,
    ) -> Result<Vec<MetricSeries>, DeployError> {
        if !self.needs(EvidencePart::Metrics) {
            return Ok(Vec::new());
        }
        let of_stage =
            ["IntegrationError", "ExecutionError", "ClientError"].map(|name| MetricName {
                namespace: "AWS/ApiGateway",
                name,
                dimensions: vec![
                    ("ApiId", evidence.api().id.to_string()),
                    ("Stage", evidence.stage_name().to_string()),
                ],
            });
        let of_functions = evidence.existing().flat_map(|(function, _)| {
            ["Throttles", "Errors"].map(|name| MetricName {
                namespace: "AWS/Lambda",
                name,
                dimensions: vec![("FunctionName", function.to_string())],
            })
        });
        let metrics: Vec<_> = of_stage.into_iter().chain(of_functions).collect();
        let span = MetricSpan {
            from: evidence.now() - self.request.since,
            // The end is exclusive, and the newest period still grows.
            to: evidence.now() + MetricSpan::PERIOD,
        };
        let read = self.read(EvidencePart::Metrics, || {
            self.account.metric_sums(&metrics, span)
        });
        let found = read.await?;
        self.done(EvidencePart::Metrics, evidence);
        Ok(found.unwrap_or_default())
    }
}
