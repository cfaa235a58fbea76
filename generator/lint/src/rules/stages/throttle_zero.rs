use stackgen_model::{Resolved, Stage};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A throttle of a stage or a route is 0, which blocks everything.
    ///
    /// ## Why it hurts
    ///
    /// 0 does not mean "unlimited". With `ThrottlingBurstLimit: 0` or `ThrottlingRateLimit: 0` in
    /// `DefaultRouteSettings` every handshake failed with 429 `Too Many Requests` (row D18); in the settings of a route
    /// this applies to every message of the route. Templates that were converted from Terraform or Pulumi contain it,
    /// because these send an unset limit as 0.
    ///
    /// ## How to fix it
    ///
    /// Write limits above 0, or remove both: then the account's limits apply, by default 10,000 requests per second and
    /// a burst of 5,000 (row L5). Removing a limit does not reset it on an existing stage (row D12).
    id: "SG407",
    name: "throttle-zero",
    severity: Error,
    confidence: Medium,
    rows: ["D18", "L5", "D12"],
    fixable: false,
    example: "stages/throttle_zero.diff",
}

const LIMITS: [&str; 2] = ["ThrottlingBurstLimit", "ThrottlingRateLimit"];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    stages.flat_map(check_stage).collect()
}

fn check_stage(stage: &Stage) -> Vec<Finding> {
    let id = &stage.resource.logical_id;
    let of_all = stage.default_route_settings.as_ref();
    let of_all = of_all.and_then(|settings| {
        let blocked = format!("every handshake and message of stage {id}");
        finding(stage, &["DefaultRouteSettings"], settings, &blocked)
    });
    let routes = stage.route_settings.as_ref().and_then(Resolved::as_map);
    let of_routes = routes.into_iter().flatten().filter_map(|(key, settings)| {
        let blocked = format!("everything on route `{key}` of stage {id}");
        finding(stage, &["RouteSettings", key], settings, &blocked)
    });
    of_all.into_iter().chain(of_routes).collect()
}

/// Reports one finding per group of settings: burst and rate together are one mistake.
fn finding(stage: &Stage, path: &[&str], settings: &Resolved, blocked: &str) -> Option<Finding> {
    let is_zero = |limit: &&&str| settings.get(limit).is_some_and(is_zero);
    let zero: Vec<&str> = LIMITS.iter().filter(is_zero).copied().collect();
    let first = *zero.first()?;
    let path = [path, &[first]].concat();
    let message = format!("`{first}: 0` blocks {blocked}");
    let hint = "write a limit above 0, or remove both limits to use the account's";
    Some(Finding::new(&RULE, Location::of(&stage.resource, &path), message).hint(hint))
}

fn is_zero(value: &Resolved) -> bool {
    match value {
        Resolved::Float(rate) => *rate == 0.0,
        value => {
            let text = || value.as_literal()?.parse::<f64>().ok();
            value.as_int() == Some(0) || text() == Some(0.0)
        }
    }
}
