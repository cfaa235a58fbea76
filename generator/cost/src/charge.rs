//! Charges of a month.

use serde::Serialize;

use crate::price::tiered;
use crate::{FunctionCost, Load, LoadTarget, PriceList};

const MILLION: f64 = 1e6;
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// Bytes that API Gateway counts as one message (row L7).
const MESSAGE_UNIT: f64 = 32.0 * 1024.0;

/// Bytes that AppSync Events counts as one operation.
const APPSYNC_UNIT: f64 = 5.0 * 1024.0;

/// Duration in milliseconds of an invocation that a handshake or the end of a connection makes.
pub(crate) const HANDSHAKE_MILLIS: f64 = 50.0;

/// Bytes of a line of the access log.
const ACCESS_LOG_LINE: f64 = 400.0;

/// A part of the bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// The service.
    pub service: &'static str,
    /// What it charges for.
    pub item: &'static str,
    /// Quantity per month.
    pub quantity: f64,
    /// Unit of the quantity.
    pub unit: &'static str,
    /// The charge, in the currency of the price list.
    pub amount: f64,
}

/// Returns the charges of a month at a load, without free tiers. Storage, KMS, alarms and dashboards are not included,
/// because the load does not determine them.
pub fn charges(load: &Load, stack: &LoadTarget, prices: &PriceList) -> Vec<Charge> {
    let mut charges = api_gateway(load, prices).to_vec();
    charges.extend(lambda(load, stack, prices));
    if stack.on_demand_tables > 0 {
        charges.extend(dynamodb(load, stack, prices));
    }
    charges.push(logs(load, stack, prices));
    charges.retain(|charge| charge.quantity > 0.0);
    charges
}

fn api_gateway(load: &Load, prices: &PriceList) -> [Charge; 3] {
    let seconds = load.seconds_per_month();
    let sent = load.posts_per_second() * seconds;
    let received = load.received_per_second() * seconds;
    let messages = (sent + received) * units(load.size, MESSAGE_UNIT);
    let minutes = load.connections() * load.hours * 60.0;
    let transfer = sent * f64::from(load.size) / GIB;
    [
        Charge {
            service: "API Gateway",
            item: "messages",
            quantity: messages,
            unit: "messages of up to 32 KiB",
            amount: tiered(&prices.websocket_messages_per_million, messages, MILLION),
        },
        Charge {
            service: "API Gateway",
            item: "connection time",
            quantity: minutes,
            unit: "minutes",
            amount: minutes / MILLION * prices.websocket_minutes_per_million,
        },
        Charge {
            service: "Data transfer",
            item: "to the internet",
            quantity: transfer,
            unit: "GiB",
            amount: tiered(&prices.transfer_per_gib, transfer, 1.0),
        },
    ]
}

fn lambda(load: &Load, stack: &LoadTarget, prices: &PriceList) -> Vec<Charge> {
    let per_message = load.received_per_second() * load.seconds_per_month();
    let invocations = per_message * f64::from(load.invocations);
    let handshakes = load.handshakes_per_month();
    let gib_seconds = |function: &FunctionCost, count: f64, millis: f64| {
        let price = if function.is_arm {
            prices.lambda_gib_second_arm
        } else {
            prices.lambda_gib_second_x86
        };
        let quantity = count * millis / 1000.0 * f64::from(function.memory_mib) / 1024.0;
        (quantity, quantity * price)
    };
    let mut requests = handshakes * stack.connection_functions().count() as f64;
    let mut durations: Vec<_> = stack
        .connection_functions()
        .map(|function| gib_seconds(function, handshakes, HANDSHAKE_MILLIS))
        .collect();
    if let Some(function) = &stack.function {
        requests += invocations;
        durations.push(gib_seconds(function, invocations, load.invocation_millis));
    }
    vec![
        Charge {
            service: "Lambda",
            item: "invocations",
            quantity: requests,
            unit: "invocations",
            amount: requests / MILLION * prices.lambda_requests_per_million,
        },
        Charge {
            service: "Lambda",
            item: "duration",
            quantity: durations.iter().map(|(quantity, _)| quantity).sum(),
            unit: "GiB seconds",
            amount: durations.iter().map(|(_, amount)| amount).sum(),
        },
    ]
}

fn dynamodb(load: &Load, stack: &LoadTarget, prices: &PriceList) -> [Charge; 2] {
    let messages = load.received_per_second() * load.seconds_per_month();
    let reads = messages * load.read_units_per_message();
    // A connection's record is written and deleted.
    let records = if stack.connection_functions().next().is_none() {
        0.0
    } else {
        2.0
    };
    let writes = messages * load.write_units + load.handshakes_per_month() * records;
    [
        Charge {
            service: "DynamoDB",
            item: "reads",
            quantity: reads,
            unit: "read units",
            amount: reads / MILLION * prices.dynamodb_read_units_per_million,
        },
        Charge {
            service: "DynamoDB",
            item: "writes",
            quantity: writes,
            unit: "write units",
            amount: writes / MILLION * prices.dynamodb_write_units_per_million,
        },
    ]
}

fn logs(load: &Load, stack: &LoadTarget, prices: &PriceList) -> Charge {
    let messages = load.received_per_second() * load.seconds_per_month();
    let handshakes = load.handshakes_per_month();
    let of_messages = match &stack.function {
        Some(_) => messages * f64::from(load.invocations),
        None => 0.0,
    };
    let of_handshakes = handshakes * stack.connection_functions().count() as f64;
    // A connection has two lines of its own: `$connect` and `$disconnect`.
    let lines = if stack.has_access_log {
        messages + handshakes * 2.0
    } else {
        0.0
    };
    let invocations = (of_messages + of_handshakes) * f64::from(load.log_bytes);
    let quantity = (invocations + lines * ACCESS_LOG_LINE) / GIB;
    Charge {
        service: "CloudWatch Logs",
        item: "ingestion",
        quantity,
        unit: "GiB",
        amount: quantity * prices.logs_per_gib,
    }
}

/// Returns the charge of AppSync Events for the same messages: operations and connection time, without data transfer,
/// which costs the same, and without handlers.
pub fn appsync_charge(load: &Load, prices: &PriceList) -> f64 {
    let seconds = load.seconds_per_month();
    let messages = (load.posts_per_second() + load.received_per_second()) * seconds;
    let operations = messages * units(load.size, APPSYNC_UNIT) + load.handshakes_per_month();
    let minutes = load.connections() * load.hours * 60.0;
    operations / MILLION * prices.appsync_operations_per_million
        + minutes / MILLION * prices.appsync_minutes_per_million
}

/// Returns the units that a message counts as: at least one.
fn units(bytes: u32, unit: f64) -> f64 {
    (f64::from(bytes) / unit).ceil().max(1.0)
}
