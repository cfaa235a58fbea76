//! The estimate for people.

use std::fmt::Write;

use stackgen_cost::{Breaking, Estimate, Load, PriceList, QuotaUse};

use crate::style::{BOLD, DIM, RED};
use crate::text::{REPORT, grouped, wrap};

/// Writes the report.
pub(super) fn report(estimate: &Estimate, region: &str, prices: &PriceList) -> String {
    let mut text = heading(estimate, region);
    text += &requests(estimate);
    text += &quotas(estimate);
    text += &breaking(estimate);
    text += &charges(estimate, prices);
    text += &assumptions(estimate, region, prices);
    text
}

fn heading(estimate: &Estimate, region: &str) -> String {
    let (load, stack) = (&estimate.load, &estimate.stack);
    let function = match &stack.function {
        Some(function) => {
            let architecture = if function.is_arm { "arm64" } else { "x86_64" };
            format!(
                ", which invokes {} ({} MiB, {architecture})",
                function.id, function.memory_mib
            )
        }
        None => ", which invokes no function of the template".to_owned(),
    };
    let text = format!(
        "{} in {region}: {}, {} each, {} a second of {}, {} hours a month",
        stack.api,
        counted(f64::from(load.senders), "sender"),
        counted(f64::from(load.listeners), "listener"),
        counted(load.rate, "message"),
        counted(f64::from(load.size), "byte"),
        number(load.hours),
    );
    let route = format!("Messages go to route {}{function}.", stack.route);
    format!("{BOLD}{text}{BOLD:#}\n{}\n", wrap("", "", &route, REPORT))
}

fn requests(estimate: &Estimate) -> String {
    let rates = &estimate.requests;
    let mut text = format!("{BOLD}Requests per second{BOLD:#}\n");
    for (name, rate) in [
        ("messages received", rates.received),
        ("posts to connections", rates.posts),
        ("handshakes, while clients join", rates.handshakes),
    ] {
        let _ = writeln!(text, "  {name:<32} {:>12}", number(rate));
    }
    text + "\n"
}

fn quotas(estimate: &Estimate) -> String {
    let mut text = format!("{BOLD}Quotas and limits{BOLD:#}\n");
    for quota in &estimate.quotas {
        text += &quota_line(quota);
        if quota.is_exceeded() {
            text += &wrap("        ", "        ", quota.cure, REPORT);
        }
    }
    text + "\n"
}

fn quota_line(quota: &QuotaUse) -> String {
    let share = percent(quota.share());
    let row = quota.row.map(|row| format!(" ({row})")).unwrap_or_default();
    let line = format!(
        "{share:>6}  {}{row}: {} of {} {}",
        quota.name,
        number(quota.used),
        number(quota.quota),
        quota.unit
    );
    match quota.is_exceeded() {
        true => format!("{RED}{line}{RED:#}\n"),
        false => format!("{line}\n"),
    }
}

fn breaking(estimate: &Estimate) -> String {
    let mut text = format!("{BOLD}What fails first{BOLD:#}\n");
    let exceeded = estimate.exceeded().next().is_some();
    let listeners = estimate.more_listeners.as_ref();
    let messages = estimate.more_messages.as_ref();
    for (limit, what) in [(listeners, "listener"), (messages, "message")] {
        text += &match (limit, what) {
            (None, _) => String::new(),
            (Some(limit), "listener") => {
                let at = format!("at {} a second", counted(estimate.load.rate, "message"));
                limit_line(limit, &counted(limit.up_to, "listener"), &at)
            }
            (Some(limit), _) => {
                let most = (limit.up_to * 100.0).floor() / 100.0;
                let most = format!("{} a second", counted(most, "message"));
                let at = format!(
                    "with {}",
                    counted(f64::from(estimate.load.listeners), "listener")
                );
                limit_line(limit, &most, &at)
            }
        };
    }
    if exceeded {
        text += &format!("  {RED}The load exceeds them.{RED:#}\n");
    }
    text + "\n"
}

fn limit_line(limit: &Breaking, most: &str, at: &str) -> String {
    let line = format!("Up to {most} {at}; then the first limit is: {}", limit.name);
    wrap("  ", "    ", &line, REPORT)
}

fn charges(estimate: &Estimate, prices: &PriceList) -> String {
    let heading = format!("Charges a month, in {}", prices.currency);
    let mut text = format!("{BOLD}{heading}{BOLD:#}\n");
    for charge in &estimate.charges {
        let item = format!("{}, {}", charge.service, charge.item);
        let quantity = format!("{} {}", large(charge.quantity), charge.unit);
        let _ = writeln!(
            text,
            "  {item:<34} {quantity:>44} {:>14}",
            money(charge.amount)
        );
    }
    let total = money(estimate.total);
    let _ = writeln!(text, "  {BOLD}{:<79} {total:>14}{BOLD:#}", "Total");
    let other = format!(
        "AppSync Events would charge {} for the messages and connections, in place of the first two lines and of the function \
         that posts.",
        money(estimate.app_sync_events)
    );
    text + &wrap("  ", "  ", &other, REPORT) + "\n"
}

fn assumptions(estimate: &Estimate, region: &str, prices: &PriceList) -> String {
    let load = &estimate.load;
    let mut lines = vec![format!(
        "prices of {} from {}, without free tiers and discounts; `--prices` takes those of another Region",
        prices.region, prices.date
    )];
    if region != prices.region {
        lines[0] = format!(
            "{} (this stack is in {region}, whose prices differ)",
            lines[0]
        );
    }
    lines.push(invocations(load));
    if load.frames_per_message() > 1 {
        lines.push(format!(
            "clients split a message into {} of at most 32 KiB; a larger one closes the connection (row M11)",
            counted(f64::from(load.frames_per_message()), "frame")
        ));
    }
    let stack = &estimate.stack;
    if stack.on_demand_tables > 0 {
        lines.push(format!(
            "a message needs {} and {} of DynamoDB (`--read-units`, `--write-units`)",
            counted(load.read_units_per_message(), "read unit"),
            counted(load.write_units, "write unit"),
        ));
    }
    if stack.provisioned_tables > 0 {
        let tables = counted(stack.provisioned_tables as f64, "table");
        lines.push(format!(
            "{tables} with provisioned capacity: their price is not included"
        ));
    }
    lines.push(format!(
        "connections last {} minutes, and all clients connect within {} seconds (`--connection-time`, `--join-within`)",
        number(load.connection_minutes),
        number(load.join_seconds)
    ));
    lines.push("other APIs of the account send nothing; they share its quotas".to_owned());
    lines.push("storage, KMS keys, alarms and dashboards are not included".to_owned());
    let mut text = format!("{DIM}Assumptions{DIM:#}\n");
    for line in lines {
        text += &format!("{DIM}{}{DIM:#}", wrap("  - ", "    ", &line, REPORT));
    }
    text
}

fn invocations(load: &Load) -> String {
    format!(
        "a message takes {} of {} ms and {} of logs each (`--invocations`, `--duration`, `--log-bytes`)",
        counted(f64::from(load.invocations), "invocation"),
        number(load.invocation_millis),
        counted(f64::from(load.log_bytes), "byte"),
    )
}

fn counted(count: f64, noun: &str) -> String {
    let plural = if count == 1.0 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

fn percent(share: f64) -> String {
    match share {
        share if !share.is_finite() => "over".to_owned(),
        share if share > 0.0 && share < 0.01 => "<1%".to_owned(),
        // Exactly used is not exceeded, and slightly exceeded is not 100%.
        share if share > 1.0 && share < 1.01 => format!("{:.1}%", share * 100.0),
        share => format!("{:.0}%", share * 100.0),
    }
}

/// Writes a number with thousands separators and at most two decimals.
fn number(value: f64) -> String {
    let rounded = format!("{value:.2}");
    let (whole, fraction) = rounded.split_once('.').unwrap_or((&rounded, ""));
    match fraction.trim_end_matches('0') {
        "" => grouped(whole),
        fraction => format!("{}.{fraction}", grouped(whole)),
    }
}

fn large(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{} billion", number(value / 1e9)),
        value if value >= 1e6 => format!("{} million", number(value / 1e6)),
        value if value >= 100.0 => number(value.round()),
        value => number(value),
    }
}

fn money(amount: f64) -> String {
    let text = format!("{amount:.2}");
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    format!("{}.{cents}", grouped(whole))
}
