//! Limits of sizes, rates and durations.

use std::time::Duration;

/// Capacity of a token bucket, and the time to refill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Capacity of a bucket.
    pub tokens: u32,
    /// Time in which an empty bucket fills up.
    pub per: Duration,
}

/// Maximum age of a connection; API Gateway closes it then (row M14).
pub const MAX_CONNECTION: Duration = Duration::from_secs(2 * 3600);

/// Maximum duration of a session, regardless of reconnects. Afterwards it is over, even if nobody ended it.
pub const MAX_SESSION: Duration = Duration::from_secs(24 * 3600);

/// Time from the end of a session until DynamoDB may expire its connections' records. It is longer than the maximum age
/// of a connection, so that no record expires while the session counts it.
pub const RECORD_RETENTION: Duration = Duration::from_secs(3 * 3600);

/// Time from the end of a session until DynamoDB may expire it. A week, because DynamoDB may delete connections'
/// records days late and the session should outlast them, and because users look up sessions after the end.
pub const SESSION_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// Maximum duration of a handshake. Until it ends, API Gateway answers posts with 410 (row C11). `$connect` takes at
/// most 29 seconds (row C8).
pub const MAX_HANDSHAKE: Duration = Duration::from_secs(30);

/// Age from which a connection is asked, once, to reconnect.
pub const REFRESH_AGE: Duration = Duration::from_secs(100 * 60);

/// Age from which every heartbeat is answered with a warning.
pub const WARNING_AGE: Duration = Duration::from_secs(105 * 60);

/// Maximum size of a control message, in bytes.
pub const MAX_CONTROL_MESSAGE: usize = 4 * 1024;

/// Minimum and maximum size of an audio chunk, in bytes before base64. In base64 and with all fields, the largest chunk
/// fits into one WebSocket frame of 32 KB (row M11).
pub const AUDIO_CHUNK: std::ops::RangeInclusive<usize> = 100..=24_000;

/// Maximum age of audio when it is sent; older audio is dropped.
pub const MAX_AUDIO_AGE: Duration = Duration::from_secs(5);

/// Maximum duration of a broadcast. Listeners that are not reached by then miss the message: functions have other work
/// to do, and API Gateway waits for 29 seconds at most (row C8).
pub const BROADCAST_DEADLINE: Duration = Duration::from_secs(5);

/// Time without heartbeat after which a speaker counts as gone, even if API Gateway sent no `$disconnect`. By then API
/// Gateway closes idle connections (row M13).
pub const SPEAKER_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Rate at which a user may create sessions.
pub const CREATE_RATE: Rate = Rate {
    tokens: 50,
    per: Duration::from_secs(3600),
};

/// Default rate at which one caller may join: three times a class of 40 people at once.
pub const JOIN_RATE: Rate = Rate {
    tokens: 120,
    per: Duration::from_secs(60),
};

/// Default rate at which one caller may look up sessions over HTTP.
pub const VIEW_RATE: Rate = Rate {
    tokens: 300,
    per: Duration::from_secs(60),
};

/// Default rate at which one caller may name sessions that do not exist.
pub const WRONG_ID_RATE: Rate = Rate {
    tokens: 120,
    per: Duration::from_secs(3600),
};

/// Default number of audio chunks that a speaker may send per second: chunks of 250 ms.
///
/// Each chunk is one post per listener. 500 listeners are 2,000 posts per second, which fit the smallest request limit
/// of an account, 2,500 per second (row L5), and leave some of it to the account's other APIs.
pub const AUDIO_CHUNKS_PER_SECOND: u32 = 4;

/// Returns the rate for this many audio chunks per second. The bucket holds the chunks of two seconds, because networks
/// deliver chunks in bursts.
pub const fn audio_rate(chunks_per_second: u32) -> Rate {
    Rate {
        tokens: chunks_per_second.saturating_mul(2),
        per: Duration::from_secs(2),
    }
}

/// Default number of posts per second over which a chunk is spread: what 500 listeners and four chunks per second need.
///
/// Without it, a chunk is a burst of a post per listener, and loses those that exceed the account's burst limit (row L5)
/// although they fit its rate.
pub const AUDIO_POSTS_PER_SECOND: u32 = 2_000;

/// Time between two posts of a control message, for the same reason.
pub const CONTROL_POST_INTERVAL: Duration = Duration::from_micros(500);

/// Number of posts of an audio message to one listener. A retry would come when the next chunk is due, and it would count
/// in the account's request limit (row L5).
pub const AUDIO_ATTEMPTS: u32 = 1;

/// Maximum number of posts of any other message to one connection.
pub const CONTROL_ATTEMPTS: u32 = 5;

/// Default number of messages, other than audio, that a connection may send within ten seconds. Clients send a heartbeat
/// every 30 seconds, and people press a button now and then.
pub const CONTROL_MESSAGES: u32 = 20;

/// Returns the rate for this many control messages within ten seconds.
pub const fn control_rate(messages: u32) -> Rate {
    Rate {
        tokens: messages,
        per: Duration::from_secs(10),
    }
}

/// Number of refused messages, since a connection last kept its rate, after which it is closed.
pub const MAX_REFUSED_MESSAGES: u32 = 100;

/// Time for which the audio handler remembers connections that it found closed. By then their records are removed and
/// have left the index.
pub const GONE_RETENTION: Duration = Duration::from_secs(600);

/// Time for which a connect ticket is valid.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30);

/// Time for which the key of a request to create a session is remembered. By then the session is over.
pub const CREATION_KEY_RETENTION: Duration = MAX_SESSION;

/// Behavior while the rate limit table is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitFailure {
    /// Allow all requests.
    Open,
    /// Refuse all requests.
    Closed,
}
