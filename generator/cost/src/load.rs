//! The load of a WebSocket API.

use serde::Serialize;
use thiserror::Error;

/// Longest connection, in minutes: API Gateway closes older ones (row M14).
const LONGEST_CONNECTION: f64 = 120.0;

/// Largest message in bytes (row M11).
pub(crate) const LARGEST_MESSAGE: u32 = 128 * 1024;

/// Bytes of a frame beyond which API Gateway closes the connection (row M11).
const LARGEST_FRAME: u32 = 32 * 1024;

/// Bytes of a stored connection, for the default of [`Load::read_units`].
const CONNECTION_RECORD: f64 = 200.0;

/// Bytes that one read unit covers in an eventually consistent read: two times 4 KiB.
const BYTES_PER_READ_UNIT: f64 = 8192.0;

/// Clients, what they send, and what a message costs the functions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    /// Connections that send at the same time, each to listeners of its own.
    pub senders: u32,
    /// Connections that every message of a sender is posted to.
    pub listeners: u32,
    /// Messages that a sender sends per second.
    pub rate: f64,
    /// Size of a message in bytes, received and posted.
    pub size: u32,
    /// Hours of this load per month.
    pub hours: f64,
    /// Time in seconds within which all clients connect.
    pub join_seconds: f64,
    /// Time in minutes that a connection lasts.
    pub connection_minutes: f64,
    /// Invocations of the function per message: 1, or more if it invokes itself to share the work.
    pub invocations: u32,
    /// Duration of an invocation in milliseconds.
    pub invocation_millis: f64,
    /// Read units of DynamoDB per message; `None` for one eventually consistent query of the listeners' records.
    pub read_units: Option<f64>,
    /// Write units of DynamoDB per message.
    pub write_units: f64,
    /// Bytes that an invocation writes to its log group.
    pub log_bytes: u32,
    /// True if the function spreads the posts of a message over the time until the next message, so that they are no burst.
    pub paced: bool,
}

impl Default for Load {
    fn default() -> Self {
        Load {
            senders: 1,
            listeners: 0,
            rate: 1.0,
            size: 1024,
            hours: 730.0,
            join_seconds: 60.0,
            connection_minutes: 60.0,
            invocations: 1,
            invocation_millis: 100.0,
            read_units: None,
            write_units: 1.0,
            log_bytes: 500,
            paced: false,
        }
    }
}

/// A value that cannot be part of a load.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{key} is {value}, and must be {expected}")]
pub struct LoadError {
    /// The key as in stackgen.yaml.
    pub key: &'static str,
    /// The value.
    pub value: f64,
    /// The values that are possible.
    pub expected: &'static str,
}

impl Load {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Returns the first value that is negative, not finite, or beyond a limit of API Gateway.
    pub fn check(&self) -> Result<(), LoadError> {
        let reads = self.read_units.unwrap_or_default();
        let positive = [
            ("senders", f64::from(self.senders)),
            ("rate", self.rate),
            ("joinWithin", self.join_seconds),
            ("connectionTime", self.connection_minutes),
            ("invocations", f64::from(self.invocations)),
        ];
        let not_negative = [
            ("duration", self.invocation_millis),
            ("readUnits", reads),
            ("writeUnits", self.write_units),
        ];
        let error = |key, value, expected| LoadError {
            key,
            value,
            expected,
        };
        if let Some((key, value)) = positive.into_iter().find(|(_, value)| !is_positive(*value)) {
            return Err(error(key, value, "above 0"));
        }
        let is_negative = |(_, value): &(_, f64)| !value.is_finite() || *value < 0.0;
        if let Some((key, value)) = not_negative.into_iter().find(is_negative) {
            return Err(error(key, value, "0 or more"));
        }
        if self.size > LARGEST_MESSAGE {
            let value = f64::from(self.size);
            return Err(error("size", value, "at most 131072 (row M11)"));
        }
        // The longest month.
        if !is_positive(self.hours) || self.hours > 744.0 {
            return Err(error("hours", self.hours, "above 0 and at most 744"));
        }
        if self.connection_minutes > LONGEST_CONNECTION {
            let value = self.connection_minutes;
            return Err(error("connectionTime", value, "at most 120 (row M14)"));
        }
        Ok(())
    }

    /// Returns the number of frames that a message takes, because a larger frame closes the connection (row M11).
    pub fn frames_per_message(&self) -> u32 {
        self.size.div_ceil(LARGEST_FRAME).max(1)
    }

    /// Returns the open connections: senders and their listeners.
    pub fn connections(&self) -> f64 {
        f64::from(self.senders) * (f64::from(self.listeners) + 1.0)
    }

    /// Returns the messages that API Gateway receives per second.
    pub fn received_per_second(&self) -> f64 {
        f64::from(self.senders) * self.rate
    }

    /// Returns the posts to connections per second.
    pub fn posts_per_second(&self) -> f64 {
        self.received_per_second() * f64::from(self.listeners)
    }

    /// Returns the read units of DynamoDB per message.
    pub fn read_units_per_message(&self) -> f64 {
        self.read_units.unwrap_or_else(|| {
            let bytes = f64::from(self.listeners) * CONNECTION_RECORD;
            (bytes / BYTES_PER_READ_UNIT * 2.0).ceil() / 2.0
        })
    }

    /// Returns the seconds of this load per month.
    pub(crate) fn seconds_per_month(&self) -> f64 {
        self.hours * 3600.0
    }

    /// Returns the handshakes per month: connections that end are opened again.
    pub(crate) fn handshakes_per_month(&self) -> f64 {
        let minutes = self.hours * 60.0;
        self.connections() * (minutes / self.connection_minutes).max(1.0)
    }
}

fn is_positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}
