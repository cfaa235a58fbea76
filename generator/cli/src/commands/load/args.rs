//! Flags of `stackgen load`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use stackgen_cost::Load;
use stackgen_probe::SendPacing;

use crate::values::duration;

/// Messages of `stackgen load`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Messages")]
pub(super) struct MessageArgs {
    /// Message, as text or `@FILE`, and its weight among the messages (default: 1); repeatable
    #[arg(long = "send", value_name = "[WEIGHT=]TEXT|@FILE")]
    pub(super) sends: Vec<String>,

    /// Route that gets generated messages, and its weight (default: `route` under `load`); repeatable
    #[arg(long = "route", value_name = "[WEIGHT=]ROUTE")]
    pub(super) routes: Vec<String>,

    /// Bytes of generated messages (default: `size` under `load`, else 64)
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=131_072))]
    pub(super) size: Option<u32>,

    /// The server does not answer to the connection: count no message as lost
    #[arg(long)]
    pub(super) no_answer: bool,

    /// Longest wait for an answer; messages that wait longer are lost
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(super) timeout: Duration,
}

/// Connections and pace of `stackgen load`. `senders`, `listeners` and `rate` replace keys of the same name under
/// `load` in stackgen.yaml.
#[derive(Args, Debug)]
#[command(
    next_help_heading = "Load (senders, listeners and rate replace keys under `load` in stackgen.yaml)"
)]
pub(super) struct ShapeArgs {
    /// Connections that send (default: 1)
    #[arg(long, visible_alias = "connections", value_name = "N")]
    senders: Option<u32>,

    /// Connections for each sender that only listen (default: 0)
    #[arg(long, value_name = "N")]
    listeners: Option<u32>,

    /// Messages that a sender sends per second (default: 1)
    #[arg(long, value_name = "MESSAGES", conflicts_with = "think", value_parser = per_second)]
    rate: Option<f64>,

    /// Pause of a sender after each answer, in place of a rate; 0s for none
    #[arg(long, value_name = "DURATION", value_parser = pause)]
    think: Option<Duration>,

    /// Connections to open per second (default: all within `joinWithin` under `load`, at most 500)
    #[arg(long, value_name = "CONNECTIONS", value_parser = per_second)]
    ramp: Option<f64>,

    /// Time to send once all connections were started
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(super) duration: Duration,

    /// Messages of a connection that may wait for answers (default: 1 with `--think`, else 100)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    in_flight: Option<u16>,
}

/// Output of `stackgen load`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(super) struct ReportFileArgs {
    /// File for the report as a web page without scripts
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,

    /// File for the report as JSON, in addition to the output
    #[arg(long, value_name = "FILE")]
    pub(super) json_file: Option<PathBuf>,
}

/// Number and pace of connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LoadShape {
    pub(super) senders: usize,
    pub(super) listeners: usize,
    pub(super) ramp: f64,
    pub(super) is_ramp_given: bool,
    pub(super) pacing: SendPacing,
    pub(super) in_flight: usize,
}

impl ShapeArgs {
    /// Returns the shape, with the values of the declared load where flags are missing.
    pub(super) fn shape(&self, declared: Option<&Load>) -> LoadShape {
        let default = Load {
            join_seconds: 10.0,
            ..Load::default()
        };
        let declared = declared.copied().unwrap_or(default);
        let senders = self.senders.unwrap_or(declared.senders) as usize;
        let each = self.listeners.unwrap_or(declared.listeners) as usize;
        let listeners = senders.saturating_mul(each);
        let within = (senders + listeners) as f64 / declared.join_seconds;
        LoadShape {
            senders,
            listeners,
            ramp: self.ramp.unwrap_or(within.clamp(10.0, 500.0)),
            is_ramp_given: self.ramp.is_some(),
            pacing: match self.think {
                Some(time) => SendPacing::Think(time),
                None => SendPacing::Rate(self.rate.unwrap_or(declared.rate)),
            },
            in_flight: match self.in_flight {
                Some(number) => usize::from(number),
                None if self.think.is_some() => 1,
                None => 100,
            },
        }
    }
}

impl ReportFileArgs {
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.html, &self.json_file]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }
}

/// Parses a number a second. A lower one would be a pause of hours, or of more than a [`Duration`] holds.
fn per_second(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number
        .filter(|number| *number >= 0.001)
        .ok_or_else(|| "write a number of at least 0.001".to_owned())
}

fn pause(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" | "0ms" => Ok(Duration::ZERO),
        text => duration(text),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        shape: ShapeArgs,
    }

    fn shape(line: &str, declared: Option<&Load>) -> LoadShape {
        let words = ["load"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().shape.shape(declared)
    }

    #[test]
    fn flags_replace_what_stackgen_yaml_declares() {
        let declared = Load {
            senders: 2,
            listeners: 500,
            rate: 4.0,
            join_seconds: 20.0,
            ..Load::default()
        };
        let of_file = shape("", Some(&declared));
        assert_eq!((of_file.senders, of_file.listeners), (2, 1000));
        assert_eq!(
            (of_file.ramp, of_file.pacing),
            (50.1, SendPacing::Rate(4.0))
        );
        let given = shape(
            "--senders 3 --listeners 0 --think 0s --ramp 7",
            Some(&declared),
        );
        assert_eq!((given.senders, given.listeners, given.ramp), (3, 0, 7.0));
        assert_eq!(
            (given.pacing, given.in_flight),
            (SendPacing::Think(Duration::ZERO), 1)
        );
        let default = shape("", None);
        assert_eq!(
            (default.senders, default.ramp, default.in_flight),
            (1, 10.0, 100)
        );
        assert_eq!(shape("--connections 100000", None).ramp, 500.0);
    }

    #[test]
    fn rates_are_at_least_one_in_a_thousand_seconds() {
        let parsed = |line: [&str; 2]| {
            let words = ["load"].into_iter().chain(line);
            Line::try_parse_from(words).map(|line| line.shape.shape(None))
        };
        assert_eq!(parsed(["--ramp", "0.001"]).unwrap().ramp, 0.001);
        for flag in ["--rate", "--ramp"] {
            for value in ["1e-20", "0", "nan", "inf"] {
                let error = parsed([flag, value]).unwrap_err().to_string();
                assert!(
                    error.contains("write a number of at least 0.001"),
                    "{error}"
                );
            }
        }
    }
}
