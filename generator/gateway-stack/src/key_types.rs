//! Resource types of API keys and usage plans.

pub(super) const KEY: &str = "AWS::ApiGateway::ApiKey";
pub(super) const PLAN: &str = "AWS::ApiGateway::UsagePlan";
const MEMBER: &str = "AWS::ApiGateway::UsagePlanKey";

/// Returns true for keys, usage plans, and keys of usage plans.
pub(super) fn is_key(kind: &str) -> bool {
    [KEY, PLAN, MEMBER].contains(&kind)
}

/// Returns the properties of a type that the gateway uses.
pub(super) fn properties(kind: &str) -> &'static [&'static str] {
    match kind {
        KEY => &["Enabled", "Name", "Value"],
        PLAN => &["ApiStages", "Quota", "Throttle"],
        _ => &["KeyId", "UsagePlanId"],
    }
}
