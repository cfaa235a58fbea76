//! The estimate: rates, quotas, charges, and what fails first.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::charge::HANDSHAKE_MILLIS;
use crate::load::LARGEST_MESSAGE;
use crate::{
    AccountQuotas, Charge, Load, LoadTarget, PriceList, QuotaUse, appsync_charge, charges,
};

/// Read units per second of one partition, from
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>.
const PARTITION_READS: f64 = 3000.0;

/// Write units per second of one partition, from the same page.
const PARTITION_WRITES: f64 = 1000.0;

/// Most listeners that are tried when searching for what fails first.
const MOST_LISTENERS: u32 = 10_000_000;

/// Requests, quotas and charges of a stack at a load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// The load.
    pub load: Load,
    /// The stack.
    pub stack: LoadTarget,
    /// Requests per second.
    pub requests: RequestRates,
    /// Every quota with its use, the most used first.
    pub quotas: Vec<QuotaUse>,
    /// What fails first with more listeners; `None` if nothing does.
    pub more_listeners: Option<Breaking>,
    /// What fails first with more messages per second.
    pub more_messages: Option<Breaking>,
    /// The charges of a month.
    pub charges: Vec<Charge>,
    /// Sum of the charges.
    pub total: f64,
    /// Charge of AppSync Events for the same messages.
    pub app_sync_events: f64,
}

/// Requests per second that count towards the account's quota (row L5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRates {
    /// Messages that clients send.
    pub received: f64,
    /// Posts to connections.
    pub posts: f64,
    /// Handshakes while clients join.
    pub handshakes: f64,
}

/// The quota that fails first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Breaking {
    /// The largest value that still fits.
    pub up_to: f64,
    /// The quota that the next value exceeds.
    pub quota: &'static str,
    /// The same in words.
    pub name: String,
}

impl Estimate {
    /// Computes the estimate.
    pub fn new(
        load: Load,
        stack: LoadTarget,
        quotas: &AccountQuotas,
        prices: &PriceList,
    ) -> Estimate {
        let mut uses = quota_uses(&load, &stack, quotas);
        uses.sort_by(|a, b| b.share().total_cmp(&a.share()));
        let charges = charges(&load, &stack, prices);
        Estimate {
            requests: RequestRates::new(&load),
            more_listeners: more_listeners(&load, &stack, quotas),
            more_messages: more_messages(&load, &stack, quotas),
            total: charges.iter().map(|charge| charge.amount).sum(),
            app_sync_events: appsync_charge(&load, prices),
            quotas: uses,
            charges,
            load,
            stack,
        }
    }

    /// Returns the quotas that the load exceeds.
    pub fn exceeded(&self) -> impl Iterator<Item = &QuotaUse> {
        self.quotas.iter().filter(|quota| quota.is_exceeded())
    }
}

impl RequestRates {
    fn new(load: &Load) -> Self {
        RequestRates {
            received: load.received_per_second(),
            posts: load.posts_per_second(),
            handshakes: load.connections() / load.join_seconds,
        }
    }
}

/// Returns every quota and limit with what a load uses of it, without those that it does not use.
pub fn quota_uses(load: &Load, stack: &LoadTarget, quotas: &AccountQuotas) -> Vec<QuotaUse> {
    let mut uses = account_uses(load, quotas);
    uses.extend(stage_uses(load, stack));
    uses.extend(function_uses(load, stack, quotas));
    if stack.on_demand_tables + stack.provisioned_tables > 0 {
        uses.extend(table_uses(load));
    }
    uses.retain(|usage| usage.used > 0.0);
    uses
}

fn account_uses(load: &Load, quotas: &AccountQuotas) -> Vec<QuotaUse> {
    let rates = RequestRates::new(load);
    vec![
        QuotaUse {
            id: "requests",
            name: "requests of the account".to_owned(),
            used: rates.received + rates.posts,
            quota: quotas.requests_per_second,
            unit: "per second",
            row: Some("L5"),
            cure: "send fewer and larger messages, or raise the quota in Service Quotas",
        },
        QuotaUse {
            id: "burst",
            name: "posts of one message against the account's burst".to_owned(),
            used: if load.paced {
                0.0
            } else {
                f64::from(load.listeners)
            },
            quota: quotas.burst,
            unit: "at once",
            row: Some("L5"),
            cure: "spread the posts of a message over the time until the next one",
        },
        QuotaUse {
            id: "connections",
            name: "new connections of the account".to_owned(),
            used: rates.handshakes,
            quota: quotas.connections_per_second,
            unit: "per second",
            row: Some("L6"),
            cure: "let clients connect over a longer time, with a random delay",
        },
        QuotaUse {
            id: "message-size",
            name: "size of a message".to_owned(),
            used: f64::from(load.size),
            quota: f64::from(LARGEST_MESSAGE),
            unit: "bytes",
            row: Some("M11"),
            cure: "send smaller messages",
        },
    ]
}

fn stage_uses(load: &Load, stack: &LoadTarget) -> Vec<QuotaUse> {
    let rates = RequestRates::new(load);
    let messages = stack.throttle_rate.map(|quota| QuotaUse {
        id: "route-throttle",
        name: format!("throttle of route {}", stack.route),
        used: rates.received,
        quota,
        unit: "per second",
        row: Some("L5"),
        cure: "raise the throttle of the stage or the route",
    });
    let handshakes = stack.connect_rate.map(|quota| QuotaUse {
        id: "connect-throttle",
        name: "throttle of $connect".to_owned(),
        used: rates.handshakes,
        quota,
        unit: "per second",
        row: Some("L5"),
        cure: "raise the throttle of the stage or of $connect",
    });
    messages.into_iter().chain(handshakes).collect()
}

fn function_uses(load: &Load, stack: &LoadTarget, quotas: &AccountQuotas) -> Vec<QuotaUse> {
    let mut uses = concurrency_uses(load, stack, quotas);
    uses.extend(stack.function.as_ref().map(|function| QuotaUse {
        id: "timeout",
        name: format!("timeout of {}", function.id),
        used: load.invocation_millis / 1000.0,
        quota: f64::from(function.timeout_seconds),
        unit: "seconds",
        row: None,
        cure: "share the posts among more invocations",
    }));
    uses
}

/// Returns the concurrent invocations while clients connect and send: of each function that reserves some, and of the account.
fn concurrency_uses(load: &Load, stack: &LoadTarget, quotas: &AccountQuotas) -> Vec<QuotaUse> {
    let messages = load.received_per_second() * f64::from(load.invocations);
    let of_messages = messages * load.invocation_millis / 1000.0;
    let of_handshakes = RequestRates::new(load).handshakes * HANDSHAKE_MILLIS / 1000.0;
    // Connections do not end while clients join, so `$disconnect` is not among them.
    let handshakes = stack.handshake_functions.iter();
    let invoked = stack
        .function
        .iter()
        .map(|function| (function, of_messages))
        .chain(handshakes.map(|function| (function, of_handshakes)));
    let mut of_account = 0.0;
    let mut reserved: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (function, at_once) in invoked {
        match function.reserved_concurrency {
            Some(quota) => {
                let entry = reserved.entry(&function.id).or_default();
                *entry = (entry.0 + at_once, f64::from(quota));
            }
            None => of_account += at_once,
        }
    }
    let usage = |name: String, used: f64, quota: f64| QuotaUse {
        id: "concurrency",
        name,
        used,
        quota,
        unit: "at once",
        row: None,
        cure: "shorten invocations, or raise the concurrency in Service Quotas",
    };
    let mut uses = vec![usage(
        "concurrent invocations of the account".to_owned(),
        of_account,
        quotas.concurrent_invocations,
    )];
    for (id, (used, quota)) in reserved {
        uses.push(usage(format!("reserved concurrency of {id}"), used, quota));
    }
    uses
}

fn table_uses(load: &Load) -> [QuotaUse; 2] {
    // The connections of one sender's listeners have one partition key.
    let messages = load.rate;
    [
        QuotaUse {
            id: "partition-reads",
            name: "reads of one partition".to_owned(),
            used: messages * load.read_units_per_message(),
            quota: PARTITION_READS,
            unit: "per second",
            row: None,
            cure: "cache the list of listeners, or store less per connection",
        },
        QuotaUse {
            id: "partition-writes",
            name: "writes of one partition".to_owned(),
            used: messages * load.write_units,
            quota: PARTITION_WRITES,
            unit: "per second",
            row: None,
            cure: "write less per message, or split the item",
        },
    ]
}

fn first_exceeded(load: &Load, stack: &LoadTarget, quotas: &AccountQuotas) -> Option<QuotaUse> {
    let uses = quota_uses(load, stack, quotas);
    let exceeded = uses.into_iter().filter(QuotaUse::is_exceeded);
    exceeded.max_by(|a, b| a.share().total_cmp(&b.share()))
}

/// Searches the largest number of listeners that fits. Every use rises with the listeners or does not depend on them.
fn more_listeners(load: &Load, stack: &LoadTarget, quotas: &AccountQuotas) -> Option<Breaking> {
    let failure = |listeners| first_exceeded(&Load { listeners, ..*load }, stack, quotas);
    failure(MOST_LISTENERS)?;
    let (mut fits, mut fails) = (0, MOST_LISTENERS);
    if let Some(quota) = failure(fits) {
        // It fails with no listener at all: more of them is not what fails.
        return Some(Breaking::new(0.0, quota));
    }
    while fails - fits > 1 {
        let middle = fits + (fails - fits) / 2;
        match failure(middle) {
            Some(_) => fails = middle,
            None => fits = middle,
        }
    }
    failure(fails).map(|quota| Breaking::new(f64::from(fits), quota))
}

/// Returns the largest rate that fits. Every use is linear in the rate; handshakes also use something without any message.
fn more_messages(load: &Load, stack: &LoadTarget, quotas: &AccountQuotas) -> Option<Breaking> {
    let at = |rate| {
        let load = Load { rate, ..*load };
        quota_uses(&load, stack, quotas)
    };
    let limits = at(1.0).into_iter().zip(at(2.0)).filter_map(|(one, two)| {
        let per_message = two.used - one.used;
        let without_messages = one.used - per_message;
        let most = match per_message > 0.0 {
            true => (one.quota - without_messages) / per_message,
            // More messages do not change it: it is exceeded at every rate, or at none.
            false if one.is_exceeded() => 0.0,
            false => return None,
        };
        Some(Breaking::new(most.max(0.0), one))
    });
    limits.min_by(|a, b| a.up_to.total_cmp(&b.up_to))
}

impl Breaking {
    fn new(up_to: f64, quota: QuotaUse) -> Self {
        Breaking {
            up_to,
            quota: quota.id,
            name: quota.name,
        }
    }
}
