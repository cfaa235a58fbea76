//! Invariants of the tables.

use live_session_core::Timestamp;
use live_session_core::limits::{MAX_SESSION, RECORD_RETENTION};

use super::world::{CAPACITY, World};
use crate::support::database::Item;

impl World {
    /// Checks all items of the tables.
    pub(crate) async fn check(&self) {
        let tables = &self.database.tables;
        let sessions = self.database.scan(&tables.sessions).await;
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
            check_listeners(session, &of_session, self.now, &details);
            check_speaker(session, &of_session, self.now, &details);
        }
    }
}

/// Returns true if DynamoDB may have expired records of this session.
fn may_be_expired(session: &Item, now: Timestamp) -> bool {
    let created = Timestamp::from_millis(number(session, "createdAt"));
    created.after(MAX_SESSION).after(RECORD_RETENTION) < now
}

fn check_listeners(session: &Item, records: &[&Item], now: Timestamp, details: &str) {
    let listeners = records
        .iter()
        .filter(|record| text(record, "role") == "listener");
    let (listeners, count) = (listeners.count() as u64, number(session, "listenerCount"));
    match may_be_expired(session, now) {
        true => assert!(count >= listeners, "{count} is under {listeners} {details}"),
        false => assert_eq!(count, listeners, "{details}"),
    }
    assert!(count <= u64::from(CAPACITY), "{count} listeners {details}");
    if text(session, "status") == "ended" {
        assert_eq!(listeners, 0, "listeners in an ended session {details}");
    }
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
