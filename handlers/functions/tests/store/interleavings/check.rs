//! Invariants of the tables.

use std::collections::BTreeMap;

use live_session_core::Timestamp;
use live_session_core::limits::{MAX_SESSION, RECORD_RETENTION};

use super::world::{CAPACITY, World};
use crate::support::database::Item;

impl World {
    /// Checks all items of the tables.
    pub(crate) async fn check(&self) {
        let tables = &self.database.tables;
        let sessions = self.database.scan(&tables.sessions).await;
        let (shards, sessions): (Vec<_>, Vec<_>) = sessions
            .into_iter()
            .partition(|item| text(item, "sessionId").contains('#'));
        let records = self.database.scan(&tables.connections).await;
        for record in &records {
            let session = text(record, "sessionId");
            let there = sessions.iter().any(|one| text(one, "sessionId") == session);
            assert!(there, "an orphan: {record:?}");
        }
        for session in &sessions {
            let id = text(session, "sessionId");
            let of_session: Vec<_> = records
                .iter()
                .filter(|record| text(record, "sessionId") == id)
                .collect();
            let details = format!("at {:?}: {session:#?}, {of_session:#?}", self.now);
            let shards = shards.iter().filter(|shard| {
                let shard = text(shard, "sessionId").split_once('#');
                shard.is_some_and(|(session, _)| session == id)
            });
            let shards: Vec<_> = shards.collect();
            check_listeners(session, &shards, &of_session, self.now, &details);
            check_speaker(session, &of_session, self.now, &details);
        }
    }
}

/// Returns true if DynamoDB may have expired records of this session.
fn may_be_expired(session: &Item, now: Timestamp) -> bool {
    let created = Timestamp::from_millis(number(session, "createdAt"));
    created.after(MAX_SESSION).after(RECORD_RETENTION) < now
}

fn check_listeners(
    session: &Item,
    shards: &[&Item],
    records: &[&Item],
    now: Timestamp,
    details: &str,
) {
    let details = format!("{shards:#?} {details}");
    if !may_be_expired(session, now) {
        check_groups(shards, records, &details);
    }
    let listeners = records
        .iter()
        .filter(|record| text(record, "role") == "listener");
    let counts = shards
        .iter()
        .filter(|shard| shard.contains_key("listenerCount"));
    let count = counts
        .map(|shard| number(shard, "listenerCount"))
        .sum::<u64>();
    let listeners = listeners.count() as u64;
    match may_be_expired(session, now) {
        true => assert!(count >= listeners, "{count} is under {listeners} {details}"),
        false => assert_eq!(count, listeners, "{details}"),
    }
    assert!(count <= u64::from(CAPACITY), "{count} listeners {details}");
    if text(session, "status") == "ended" {
        assert_eq!(listeners, 0, "listeners in an ended session {details}");
    }
}

/// Checks the numbers by language and by address, shard by shard.
fn check_groups(shards: &[&Item], records: &[&Item], details: &str) {
    let mut expected = BTreeMap::new();
    for record in records.iter().filter(|one| text(one, "role") == "listener") {
        let shard = format!(
            "{}#{:02}",
            text(record, "sessionId"),
            number(record, "shard")
        );
        for group in [
            format!("language:{}", text(record, "targetLanguage")),
            format!("address:{}", text(record, "ipAddress")),
        ] {
            *expected.entry((shard.clone(), group)).or_insert(0) += 1;
        }
    }
    let mut counted = BTreeMap::new();
    for shard in shards {
        for name in shard.keys().filter(|name| name.contains(':')) {
            let key = (text(shard, "sessionId").to_owned(), name.clone());
            counted.insert(key, number(shard, name));
        }
    }
    assert_eq!(counted, expected, "{details}");
}

fn check_speaker(session: &Item, records: &[&Item], now: Timestamp, details: &str) {
    let speaker = session
        .get("speakerConnectionId")
        .map(|id| id.as_s().unwrap());
    let state = session["broadcastState"].as_m().unwrap();
    assert_eq!(
        state["isActive"].as_bool(),
        Ok(&speaker.is_some()),
        "{details}"
    );
    if let Some(speaker) = speaker {
        let there = records.iter().any(|record| {
            text(record, "role") == "speaker" && text(record, "connectionId") == speaker
        });
        assert!(
            there || may_be_expired(session, now),
            "the speaker has no record {details}"
        );
    }
}

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

pub(crate) fn number(item: &Item, name: &str) -> u64 {
    item[name].as_n().unwrap().parse().unwrap()
}
