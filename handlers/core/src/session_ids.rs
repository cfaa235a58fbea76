//! Session IDs that people can read aloud, and type from a slide.

use crate::SessionId;

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

/// Generates random session IDs.
#[derive(Clone, Debug)]
pub struct SessionIdGenerator {
    random: fastrand::Rng,
}

impl SessionIdGenerator {
    /// Returns a generator. The same seed yields the same IDs; without a seed they are random.
    pub fn new(seed: Option<u64>) -> Self {
        SessionIdGenerator {
            random: seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
        }
    }

    /// Returns the next of about 5.6 million possible IDs. It may be in use already.
    pub fn next_id(&mut self) -> SessionId {
        let random = &mut self.random;
        let adjective = ADJECTIVES[random.usize(..ADJECTIVES.len())];
        let noun = NOUNS[random.usize(..NOUNS.len())];
        let number = random.u16(100..=999);
        SessionId::try_from(format!("{adjective}-{noun}-{number}"))
            .expect("two lists of lower-case words and a number of three digits")
    }
}
