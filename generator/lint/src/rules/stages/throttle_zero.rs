use stackgen_model::{Resolved, Stage};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A throttle of a stage or a route is set to 0, which lets nothing through.
    ///
    /// ## Why it hurts
    ///
    /// 0 is no way to say "unlimited": with `ThrottlingBurstLimit: 0` or `ThrottlingRateLimit: 0` in
    /// `DefaultRouteSettings`, every handshake was seen to be refused with 429 `Too Many Requests` (row D18); in the
    /// settings of a route it is every message of that route. Templates that were made from Terraform or Pulumi have it,
    /// where a limit that is not written is sent as 0.
    ///
    /// ## How to fix it
    ///
    /// Write limits above 0, or neither of them: the account's limits hold then, 10,000 requests a second and 5,000 at
    /// once unless they were raised (row L5). A limit that is only removed from a stage that exists stays (row D12).
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
        let who = format!("every handshake and message of stage {id}");
        finding(stage, &["DefaultRouteSettings"], settings, &who)
    });
    let routes = stage.route_settings.as_ref().and_then(Resolved::as_map);
    let of_routes = routes.into_iter().flatten().filter_map(|(key, settings)| {
        let who = format!("everything on route `{key}` of stage {id}");
        finding(stage, &["RouteSettings", key], settings, &who)
    });
    of_all.into_iter().chain(of_routes).collect()
}

/// One for a group of settings: burst and rate together are one mistake.
fn finding(stage: &Stage, path: &[&str], settings: &Resolved, who: &str) -> Option<Finding> {
    let is_zero = |limit: &&&str| settings.get(limit).is_some_and(is_zero);
    let zero: Vec<&str> = LIMITS.iter().filter(is_zero).copied().collect();
    let first = *zero.first()?;
    let path = [path, &[first]].concat();
    let message = format!("`{first}: 0` refuses {who}");
    let hint = "write a limit above 0, or leave both limits out for the account's";
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
