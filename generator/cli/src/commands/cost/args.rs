//! Flags of the load.

use std::time::Duration;

use clap::Args;
use stackgen_cost::Load;

use crate::values::duration;

/// Load of the API. Each flag replaces the key of the same name under `load` in stackgen.yaml.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Load (each replaces the key under `load` in stackgen.yaml)")]
pub(crate) struct LoadArgs {
    /// Route that receives the messages (default: the first that does not begin with `$`, else `$default`)
    #[arg(long, value_name = "ROUTE")]
    pub(crate) route: Option<String>,

    /// Connections that send at the same time, each to listeners of its own (default: 1)
    #[arg(long, value_name = "N")]
    senders: Option<u32>,

    /// Connections that each message is posted to (default: 0)
    #[arg(long, value_name = "N")]
    listeners: Option<u32>,

    /// Messages that a sender sends per second (default: 1)
    #[arg(long, value_name = "MESSAGES", value_parser = positive)]
    rate: Option<f64>,

    /// Bytes of a message (default: 1024)
    #[arg(long, value_name = "BYTES")]
    size: Option<u32>,

    /// Hours of this load per month (default: 730, a whole month)
    #[arg(long, value_name = "HOURS", value_parser = positive)]
    hours: Option<f64>,

    /// Time within which all clients connect (default: 1m)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    join_within: Option<Duration>,

    /// Time that a connection lasts, at most 2h (default: 1h)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    connection_time: Option<Duration>,

    /// Invocations of the function per message (default: 1)
    #[arg(long, value_name = "N")]
    invocations: Option<u32>,

    /// Duration of an invocation (default: 100ms)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,

    /// Read units of DynamoDB per message (default: one query of 200 bytes per listener)
    #[arg(long, value_name = "UNITS", value_parser = not_negative)]
    read_units: Option<f64>,

    /// Write units of DynamoDB per message (default: 1)
    #[arg(long, value_name = "UNITS", value_parser = not_negative)]
    write_units: Option<f64>,

    /// Bytes that an invocation writes to its log group (default: 500)
    #[arg(long, value_name = "BYTES")]
    log_bytes: Option<u32>,

    /// The function spreads the posts of a message over the time until the next message
    #[arg(long)]
    paced: bool,
}

impl LoadArgs {
    /// Returns true if no flag describes a load.
    pub(crate) fn is_empty(&self) -> bool {
        let described = [
            self.senders.is_some(),
            self.listeners.is_some(),
            self.rate.is_some(),
            self.size.is_some(),
            self.hours.is_some(),
        ];
        !described.contains(&true)
    }

    /// Returns the declared load with the values that flags replace.
    pub(crate) fn over(&self, declared: Load) -> Load {
        let seconds = |flag: Option<Duration>| flag.map(|flag| flag.as_secs_f64());
        Load {
            senders: self.senders.unwrap_or(declared.senders),
            listeners: self.listeners.unwrap_or(declared.listeners),
            rate: self.rate.unwrap_or(declared.rate),
            size: self.size.unwrap_or(declared.size),
            hours: self.hours.unwrap_or(declared.hours),
            join_seconds: seconds(self.join_within).unwrap_or(declared.join_seconds),
            connection_minutes: seconds(self.connection_time)
                .map_or(declared.connection_minutes, |time| time / 60.0),
            invocations: self.invocations.unwrap_or(declared.invocations),
            invocation_millis: seconds(self.duration)
                .map_or(declared.invocation_millis, |time| time * 1000.0),
            read_units: self.read_units.or(declared.read_units),
            write_units: self.write_units.unwrap_or(declared.write_units),
            log_bytes: self.log_bytes.unwrap_or(declared.log_bytes),
            paced: self.paced || declared.paced,
        }
    }
}

/// Parses a number above 0.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    number(text, |number| number > 0.0, "write a number above 0")
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text, |number| number >= 0.0, "write 0 or a number above it")
}

fn number(text: &str, fits: fn(f64) -> bool, advice: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number
        .filter(|number| fits(*number))
        .ok_or_else(|| advice.to_owned())
}
