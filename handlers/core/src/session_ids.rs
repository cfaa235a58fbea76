//! Session IDs: words that people recognize, and a secret that nobody guesses.

use thiserror::Error;

use crate::SessionId;
use crate::values::{BASE32, SECRET_LENGTH};

const ADJECTIVES: &[&str] = &[
    "able", "amber", "ample", "awake", "bold", "brave", "bright", "brisk", "calm", "candid",
    "clear", "clever", "crisp", "daring", "eager", "early", "earnest", "fair", "faithful", "fine",
    "firm", "fond", "frank", "free", "fresh", "gentle", "glad", "golden", "good", "grand",
    "grateful", "happy", "hardy", "honest", "humble", "jolly", "joyful", "keen", "kind", "lively",
    "loyal", "lucid", "mellow", "merciful", "merry", "mighty", "modest", "neat", "noble",
    "patient", "peaceful", "plain", "polite", "proud", "quick", "quiet", "ready", "royal",
    "serene", "silver", "sincere", "smart", "steady", "still", "sunny", "sure", "swift", "tender",
    "tidy", "true", "upright", "vivid", "warm", "wise", "witty", "worthy",
];

const NOUNS: &[&str] = &[
    "acorn", "anchor", "apple", "arrow", "beacon", "birch", "bridge", "brook", "candle", "canyon",
    "cedar", "cloud", "comet", "coral", "dawn", "delta", "eagle", "ember", "falcon", "fern",
    "field", "forest", "fountain", "garden", "grace", "grove", "harbor", "harvest", "heron",
    "hill", "hope", "island", "ivy", "journey", "lake", "lantern", "lark", "leaf", "light", "lily",
    "maple", "meadow", "melody", "mercy", "mirror", "morning", "mountain", "oak", "ocean", "olive",
    "orchard", "otter", "pearl", "pebble", "pine", "planet", "prairie", "promise", "rain", "reef",
    "ridge", "river", "robin", "rose", "shore", "song", "sparrow", "spring", "star", "stone",
    "summit", "sun", "thunder", "tide", "truth", "valley", "violet", "voice", "wave", "willow",
    "wind", "wonder",
];

/// The operating system's random number generator failed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the random number generator failed")]
pub struct NoRandomness;

/// Returns random bytes of AWS-LC's generator, which the operating system and the CPU seed.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Source of random bytes.
#[derive(Clone, Debug)]
enum RandomSource {
    /// AWS-LC's generator, which the operating system and the CPU seed.
    System,
    /// Repeatable bytes.
    #[cfg(any(test, feature = "testing"))]
    Seeded(fastrand::Rng),
}

/// Generates session IDs that cannot be guessed.
#[derive(Clone, Debug)]
pub struct SessionIdGenerator {
    source: RandomSource,
}

impl Default for SessionIdGenerator {
    fn default() -> Self {
        SessionIdGenerator {
            source: RandomSource::System,
        }
    }
}

impl SessionIdGenerator {
    /// Returns a generator for tests: the same seed yields the same IDs.
    #[cfg(any(test, feature = "testing"))]
    pub fn seeded(seed: u64) -> Self {
        SessionIdGenerator {
            source: RandomSource::Seeded(fastrand::Rng::with_seed(seed)),
        }
    }

    /// Returns the next ID: one of about 5.6 million readable parts, and 65 random bits, which together make 2 to the 87
    /// IDs.
    ///
    /// # Errors
    ///
    /// Fails if the operating system supplies no random bytes.
    pub fn next_id(&mut self) -> Result<SessionId, NoRandomness> {
        let adjective = ADJECTIVES[self.index(ADJECTIVES.len())?];
        let noun = NOUNS[self.index(NOUNS.len())?];
        let number = 100 + self.index(900)?;
        let bytes: [u8; SECRET_LENGTH] = self.bytes()?;
        let secret = bytes.map(|byte| char::from(BASE32[usize::from(byte % 32)]));
        let secret = String::from_iter(secret);
        let id = SessionId::try_from(format!("{adjective}-{noun}-{number}-{secret}"));
        Ok(id.expect("two lists of lower-case words, three digits and base32"))
    }

    /// Returns an index below `len`. The bias of the remainder is below 2 to the minus 54.
    fn index(&mut self, len: usize) -> Result<usize, NoRandomness> {
        let random = u64::from_le_bytes(self.bytes()?);
        Ok((random % len as u64) as usize)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], NoRandomness> {
        match &mut self.source {
            RandomSource::System => random_bytes(),
            #[cfg(any(test, feature = "testing"))]
            RandomSource::Seeded(random) => {
                let mut bytes = [0; N];
                random.fill(&mut bytes);
                Ok(bytes)
            }
        }
    }
}
