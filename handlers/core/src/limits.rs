//! How much and how long.

use std::time::Duration;

use crate::ports::Rate;

/// The longest that API Gateway keeps a connection open (row M14).
pub const MAX_CONNECTION: Duration = Duration::from_secs(2 * 3600);

/// How long a session may last, whoever connects and reconnects. After that it is over, ended or not.
pub const MAX_SESSION: Duration = Duration::from_secs(24 * 3600);

/// How long after its session's end, at the latest, a connection's record may be swept from the table: later than any
/// connection of the session can live. A table's time to live therefore never takes a record that is still counted.
pub const RECORD_GRACE: Duration = Duration::from_secs(3 * 3600);

/// How long after its end, at the latest, a session may be swept from the table: a week, so that its records go first
/// (DynamoDB takes a few days), and that people can look a session up for some time after it ended.
pub const SESSION_GRACE: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a connection may be about to open: until then a post to it says that it is gone (row C11). `$connect` takes
/// 29 seconds at most (row C8).
pub const OPENING: Duration = Duration::from_secs(30);

/// From this age on a connection is told, once, to make way for a new one.
pub const REFRESH_FROM: Duration = Duration::from_secs(100 * 60);

/// From this age on every heartbeat is answered with a warning.
pub const WARN_FROM: Duration = Duration::from_secs(105 * 60);

/// The longest control message, in bytes.
pub const MAX_CONTROL_MESSAGE: usize = 4 * 1024;

/// The shortest and the longest chunk of audio, in bytes before base64.
pub const AUDIO_CHUNK: std::ops::RangeInclusive<usize> = 100..=32 * 1024;

/// Audio that is older than this when its turn comes is not sent any more.
pub const MAX_AUDIO_AGE: Duration = Duration::from_secs(5);

/// How long telling an audience may take; who is not reached by then is not told. Functions have other things to do as
/// well, and API Gateway does not wait for long (row C8).
pub const TELL_WITHIN: Duration = Duration::from_secs(5);

/// After this time without a heartbeat a speaker is taken to have left, whatever API Gateway forgot to say: an idle
/// connection is closed by then (row M13).
pub const SILENT_AFTER: Duration = Duration::from_secs(10 * 60);

/// How often a user may create a session.
pub const CREATE_RATE: Rate = Rate {
    tokens: 50,
    per: Duration::from_secs(3600),
};

/// How often somebody may come in from one address.
pub const JOIN_RATE: Rate = Rate {
    tokens: 10,
    per: Duration::from_secs(60),
};

/// How many chunks of audio a speaker may send.
pub const AUDIO_RATE: Rate = Rate {
    tokens: 50,
    per: Duration::from_secs(1),
};

/// What happens while the table of rates does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitFailure {
    /// People are let through.
    Open,
    /// Nobody is.
    Closed,
}
