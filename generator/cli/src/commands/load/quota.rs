//! Loads of accounts: their quotas, what they cost, and the question before they start.

use stackgen_cost::{AccountQuotas, Estimate, Load, LoadTarget, PriceList};
use stackgen_deploy::Interrupt;
use stackgen_probe::{LoadTestPlan, ProbeTarget, SendPacing};

use super::args::LoadShape;
use super::project::LoadProject;
use crate::account::confirmed;
use crate::error::CliError;
use crate::text::counted;
use crate::ui::Ui;

/// Region whose quotas are used if none is known.
const DEFAULT_REGION: &str = "us-east-1";

/// Assumed time to an answer of senders without a pause, in seconds.
const ASSUMED_ANSWER: f64 = 0.05;

/// Holds the ramp of a load of an account to the quota of new connections.
pub(super) fn hold_ramp(shape: &mut LoadShape, over_quota: bool, ui: &Ui) {
    let quota = AccountQuotas::of_region(DEFAULT_REGION).connections_per_second;
    if shape.ramp <= quota {
        return;
    }
    if over_quota {
        ui.note(
            &format!(
                "{:.0} connections a second exceed the account's default quota of {quota:.0} (row L6): API Gateway refuses the rest with 429",
                shape.ramp
            ),
            None,
        );
        return;
    }
    ui.note(
        &format!(
            "the ramp is held to {quota:.0} connections a second, the account's default quota (row L6)"
        ),
        Some("`--over-quota` opens them faster"),
    );
    shape.ramp = quota;
}

/// Asks before a load of an account, with an estimate of its price. Returns false if the user declines.
pub(super) async fn is_confirmed(
    plan: &LoadTestPlan,
    project: &LoadProject,
    target: &ProbeTarget,
    yes: bool,
    ui: &Ui,
) -> Result<bool, CliError> {
    let estimate = estimate(plan, project);
    for quota in estimate.exceeded() {
        let row = quota
            .row
            .map(|row| format!(" (row {row})"))
            .unwrap_or_default();
        ui.note(
            &format!(
                "the load exceeds a quota: {}{row}, {:.0} of {:.0} {}",
                quota.name, quota.used, quota.quota, quota.unit
            ),
            Some(quota.cure),
        );
    }
    let question = question(plan, &estimate, target.host(), project.target.is_some());
    if !yes && !ui.can_prompt() {
        return Err(CliError::input(question)
            .hint("this is not a local gateway: start the load with `--yes`"));
    }
    if yes {
        ui.aside(&question);
    }
    confirmed(yes, &format!("{question}\nStart?"), &Interrupt::never(), ui).await
}

fn question(plan: &LoadTestPlan, estimate: &Estimate, host: &str, is_complete: bool) -> String {
    let messages = estimate.requests.received * estimate.load.hours * 3600.0;
    let part = match is_complete {
        true => "",
        false => " for API Gateway alone",
    };
    let assumed = match plan.pacing {
        SendPacing::Think(pause) if pause.is_zero() => ", if answers take 50 ms",
        _ => "",
    };
    let connections = counted(plan.connections(), "connection");
    format!(
        "{connections}, about {messages:.0} messages to {host}{assumed}: about {:.2} USD{part}, without free tiers",
        estimate.total
    )
}

/// Estimates a run of the load.
fn estimate(plan: &LoadTestPlan, project: &LoadProject) -> Estimate {
    let seconds = (plan.ramp_time() + plan.duration).as_secs_f64();
    let senders = plan.senders.max(1);
    let total: f64 = plan.messages.iter().map(|message| message.weight).sum();
    let sizes = plan.messages.iter();
    let size: f64 = sizes
        .map(|it| it.text.len() as f64 * it.weight / total.max(f64::MIN_POSITIVE))
        .sum();
    let rate = match plan.pacing {
        SendPacing::Rate(rate) => rate,
        SendPacing::Think(pause) => {
            let each = pause.as_secs_f64() + ASSUMED_ANSWER;
            plan.in_flight as f64 / each
        }
    };
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let declared = project.load.unwrap_or_default();
    let load = Load {
        senders: number(senders),
        listeners: number(plan.listeners / senders),
        rate,
        // At most 128 KB.
        size: size.ceil() as u32,
        hours: (seconds / 3600.0).max(1.0 / 3600.0),
        join_seconds: (plan.connections() as f64 / plan.ramp).max(1.0),
        connection_minutes: (seconds / 60.0).clamp(1.0 / 60.0, 120.0),
        ..declared
    };
    let stack = project.target.clone().unwrap_or_else(|| LoadTarget {
        api: String::new(),
        route: String::new(),
        function: None,
        handshake_functions: Vec::new(),
        disconnect_function: None,
        throttle_rate: None,
        connect_rate: None,
        has_access_log: false,
        on_demand_tables: 0,
        provisioned_tables: 0,
    });
    let region = project.region.as_deref().unwrap_or(DEFAULT_REGION);
    let quotas = AccountQuotas::of_region(region);
    Estimate::new(load, stack, &quotas, &PriceList::embedded())
}
