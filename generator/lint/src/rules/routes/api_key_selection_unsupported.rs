use stackgen_model::{Api, Text};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `ApiKeySelectionExpression` has a value that API Gateway does not support.
    ///
    /// ## Why it hurts
    ///
    /// There are two values (row A15): `$request.header.x-api-key` and `$context.authorizer.usageIdentifierKey`. API
    /// Gateway does not read a key from a query parameter or another header, and a caller of a route that requires a
    /// key gets 403.
    ///
    /// ## How to fix it
    ///
    /// Write one of the two values. Browsers cannot set headers: let the authorizer return the key as
    /// `usageIdentifierKey` for them.
    id: "SG217",
    name: "api-key-selection-unsupported",
    severity: Error,
    confidence: High,
    rows: ["A15"],
    fixable: false,
    example: "routes/api_key_selection_unsupported.diff",
}

const SUPPORTED: &[&str] = &[
    "$request.header.x-api-key",
    "$context.authorizer.usageIdentifierKey",
];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().filter_map(check_api).collect()
}

fn check_api(api: &Api) -> Option<Finding> {
    let resource = api.resource.as_ref()?;
    let expression = api.api_key_selection_expression.as_ref();
    let expression = expression.and_then(Text::as_literal)?;
    // Header names are case-insensitive.
    if SUPPORTED
        .iter()
        .any(|one| one.eq_ignore_ascii_case(expression))
    {
        return None;
    }
    let message = format!("API Gateway does not read API keys from `{expression}`");
    let location = Location::of(resource, &["ApiKeySelectionExpression"]);
    let finding = Finding::new(&RULE, location, message);
    Some(finding.hint(format!("write `{}` or `{}`", SUPPORTED[0], SUPPORTED[1])))
}
