//! Builds the target with which a route names an integration.

use stackgen_model::{LogicalId, Route};

use crate::Edit;
use crate::fix;

/// Resource type of integrations.
pub(crate) const INTEGRATION: &str = "AWS::ApiGatewayV2::Integration";

/// Returns the target for an integration, as the argument of a `Sub`, and the edit that writes it.
pub(crate) fn corrected_target(route: &Route, integration: &LogicalId) -> (String, Option<Edit>) {
    let text = format!("integrations/${{{integration}}}");
    let edit = fix::replace(
        &route.resource,
        &["Target"],
        stackgen_cfn::sub(text.as_str()),
    );
    (text, edit)
}
