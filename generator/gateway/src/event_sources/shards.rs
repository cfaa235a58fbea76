//! Shards of a stream of Kinesis, and the positions of a mapping in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value as Json, json};
use stackgen_gateway_stack::StreamStart;

/// A shard.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shard {
    pub(super) id: String,
    /// Shards whose records come before those of this one.
    parents: Vec<String>,
}

impl Shard {
    /// Reads an entry of `ListShards`.
    pub(super) fn read(entry: &Json) -> Option<Self> {
        let parents = ["ParentShardId", "AdjacentParentShardId"].iter();
        let parents = parents.filter_map(|name| entry[*name].as_str());
        Some(Shard {
            id: entry["ShardId"].as_str()?.to_owned(),
            parents: parents.map(str::to_owned).collect(),
        })
    }
}

/// Position of a mapping in a shard.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ShardPosition {
    /// Start of the mapping.
    Start(StreamStart),
    /// Record that was delivered last.
    After(String),
}

impl ShardPosition {
    /// Returns the members of a call of `GetShardIterator`.
    pub(super) fn of_iterator(&self) -> Json {
        match self {
            ShardPosition::Start(StreamStart::Latest) => json!({ "ShardIteratorType": "LATEST" }),
            ShardPosition::Start(StreamStart::Oldest) => {
                json!({ "ShardIteratorType": "TRIM_HORIZON" })
            }
            ShardPosition::Start(StreamStart::At(seconds)) => {
                json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": seconds })
            }
            ShardPosition::After(sequence) => json!({
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": sequence,
            }),
        }
    }
}

/// Positions of a mapping, by shard. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct ShardPositions(Arc<Mutex<BTreeMap<String, ShardPosition>>>);

impl ShardPositions {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, ShardPosition>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, shard: &str) -> Option<ShardPosition> {
        self.all().get(shard).cloned()
    }

    pub(super) fn set(&self, shard: &str, position: ShardPosition) {
        self.all().insert(shard.to_owned(), position);
    }

    /// Adds the shards that have no position: `start` for the first ones. A shard that comes later is read from its first
    /// record on.
    pub(super) fn add(&self, shards: &[Shard], start: StreamStart) {
        let mut all = self.all();
        let start = match all.is_empty() {
            true => start,
            false => StreamStart::Oldest,
        };
        for shard in shards {
            let position = || ShardPosition::Start(start);
            all.entry(shard.id.clone()).or_insert_with(position);
        }
    }
}

/// Shards that are being read, and those that are read to their end.
#[derive(Debug, Default)]
pub(super) struct ShardsRead {
    open: BTreeSet<String>,
    closed: BTreeSet<String>,
}

impl ShardsRead {
    /// Returns the shards to start with: those whose parents are read to their end.
    pub(super) fn next(&mut self, listed: &[Shard]) -> Vec<String> {
        let is_listed = |id: &String| listed.iter().any(|shard| shard.id == *id);
        let waits = |shard: &Shard| {
            let mut parents = shard.parents.iter();
            parents.any(|id| self.open.contains(id) || (is_listed(id) && !self.closed.contains(id)))
        };
        let new = listed.iter().filter(|shard| {
            !self.open.contains(&shard.id) && !self.closed.contains(&shard.id) && !waits(shard)
        });
        let new: Vec<String> = new.map(|shard| shard.id.clone()).collect();
        self.open.extend(new.iter().cloned());
        new
    }

    pub(super) fn close(&mut self, id: String) {
        self.open.remove(&id);
        self.closed.insert(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: &[&str]) -> Shard {
        Shard {
            id: id.to_owned(),
            parents: parents.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn the_shards_of_an_answer_have_their_parents() {
        let merged = json!({ "ShardId": "c", "ParentShardId": "a", "AdjacentParentShardId": "b" });
        assert_eq!(Shard::read(&merged), Some(shard("c", &["a", "b"])));
        assert_eq!(
            Shard::read(&json!({ "ShardId": "a" })),
            Some(shard("a", &[]))
        );
    }

    #[test]
    fn a_shard_is_read_once_and_after_its_parents() {
        let mut read = ShardsRead::default();
        let before = [shard("a", &[]), shard("b", &["gone"])];
        assert_eq!(read.next(&before), ["a", "b"]);
        assert!(read.next(&before).is_empty());
        let split = [shard("a", &[]), shard("b", &[]), shard("c", &["a"])];
        assert!(read.next(&split).is_empty());
        // An emulator may list a closed shard no longer, which is still being read.
        assert!(read.next(&split[1..]).is_empty());
        read.close("a".to_owned());
        assert_eq!(read.next(&split), ["c"]);
        assert!(read.next(&split).is_empty());
    }

    #[test]
    fn a_shard_that_comes_later_is_read_from_its_first_record() {
        let positions = ShardPositions::default();
        positions.add(&[shard("a", &[])], StreamStart::Latest);
        positions.add(&[shard("a", &[]), shard("b", &["a"])], StreamStart::Latest);
        let start = |start| Some(ShardPosition::Start(start));
        assert_eq!(positions.get("a"), start(StreamStart::Latest));
        assert_eq!(positions.get("b"), start(StreamStart::Oldest));
    }
}
