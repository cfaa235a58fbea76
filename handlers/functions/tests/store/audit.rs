//! Tests of the audit: counts that differ from the records, and listeners who join and leave meanwhile.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use live_session::dynamo::DynamoStore;
use live_session_core::limits::{MAX_SESSION, RECORD_RETENTION};
use live_session_core::ports::{Audit, ConnectionAudit, ConnectionStore, SessionStore};
use live_session_core::{Connection, Session};
use tokio::time::Instant;

use crate::support::database::{Database, Item, patient_settings};
use crate::support::faults::Fault::{Denied, Through};
use crate::support::faults::Faults;
use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";
const ALL: usize = 10_000;

async fn with_many(database: &Database) -> (DynamoStore, Session) {
    let store = database.store(patient_settings());
    let session = created(&store, ID).await;
    for number in 0..40 {
        let listener = Connection {
            ip_address: format!("198.51.100.{}", number % 7),
            target_language: Some(language(["de", "fr", "es"][number % 3])),
            ..listener(&format!("{number}="), &session)
        };
        admitted(&store, &listener).await;
    }
    let speaker = speaker("s=", &session);
    store.admit_speaker(&speaker, NOW).await.unwrap();
    (store, session)
}

async fn audited(store: &DynamoStore, limit: usize) -> Audit {
    let until = Instant::now() + HOUR;
    store.audit(limit, NOW, until).await.unwrap()
}

fn is_shard(item: &Item) -> bool {
    item["sessionId"].as_s().unwrap().contains('#')
}

/// Returns the shards without their versions, in order.
async fn shards(database: &Database) -> Vec<Vec<(String, AttributeValue)>> {
    let items = database.scan(&database.tables.sessions).await;
    let shards = items.into_iter().filter(is_shard);
    let mut shards: Vec<Vec<_>> = shards
        .map(|mut shard| {
            shard.remove("version");
            let mut shard: Vec<_> = shard.into_iter().collect();
            shard.sort_by(|(one, _), (other, _)| one.cmp(other));
            shard
        })
        .collect();
    shards.sort_by_key(|shard| format!("{shard:?}"));
    shards
}

#[tokio::test]
async fn an_audit_returns_every_record_and_changes_nothing_that_is_right() {
    let database = Database::start().await;
    let (store, _) = with_many(&database).await;
    let before = shards(&database).await;
    let audit = audited(&store, ALL).await;
    assert_eq!((audit.is_complete, audit.corrected), (true, 0));
    assert_eq!(audit.connections.len(), 41);
    assert_eq!(shards(&database).await, before);
}

#[tokio::test]
async fn counts_that_differ_from_the_records_are_corrected() {
    let database = Database::start().await;
    let (store, session) = with_many(&database).await;
    let right = shards(&database).await;
    // As by hand: wrong numbers, others' addresses, and numbers that are missing.
    for (number, mut shard) in (0..).zip(database.scan(&database.tables.sessions).await) {
        if is_shard(&shard) && shard.contains_key("listenerCount") {
            match number % 3 {
                0 => drop(shard.insert(
                    "listenerCount".to_owned(),
                    AttributeValue::N("99".to_owned()),
                )),
                1 => drop(shard.insert(
                    "address:203.0.113.9".to_owned(),
                    AttributeValue::N("3".to_owned()),
                )),
                _ => shard.retain(|name, _| !name.contains(':')),
            }
            database.put(&database.tables.sessions, shard).await;
        }
    }
    assert_ne!(shards(&database).await, right);
    let audit = audited(&store, ALL).await;
    assert!(audit.corrected > 5, "{}", audit.corrected);
    assert_eq!(shards(&database).await, right);
    assert_eq!(count(&store, &session).await, 40);
    assert_eq!(audited(&store, ALL).await.corrected, 0);
}

#[tokio::test]
async fn counts_without_any_record_become_zero() {
    let database = Database::start().await;
    let (store, session) = with_many(&database).await;
    for record in database.scan(&database.tables.connections).await {
        let id = record["connectionId"].as_s().unwrap();
        database
            .expire_item(&database.tables.connections, "connectionId", id)
            .await;
    }
    assert_eq!(count(&store, &session).await, 40);
    assert!(audited(&store, ALL).await.corrected > 0);
    assert_eq!(count(&store, &session).await, 0);
}

#[tokio::test]
async fn an_audit_that_does_not_read_everything_corrects_nothing() {
    let database = Database::start().await;
    let (store, _) = with_many(&database).await;
    let before = shards(&database).await;
    let audit = audited(&store, 10).await;
    assert_eq!((audit.is_complete, audit.connections.len()), (false, 10));
    // A record that cannot be read keeps the others from being corrected, but not from being returned.
    let mut record = database.scan(&database.tables.connections).await.remove(0);
    record.insert("role".to_owned(), AttributeValue::S("admin".to_owned()));
    database.put(&database.tables.connections, record).await;
    let audit = audited(&store, ALL).await;
    assert_eq!((audit.is_complete, audit.connections.len()), (false, 40));
    assert_eq!(shards(&database).await, before);
}

#[tokio::test]
async fn an_audit_skips_the_shards_of_ended_sessions() {
    let database = Database::start().await;
    let (store, session) = with_many(&database).await;
    let ids = [
        "calm-river-100-k7dq2m9x4hw3t",
        "bold-stone-200-k7dq2m9x4hw3t",
    ];
    for id in ids {
        let ended = created(&store, id).await;
        let owner = user(OWNER);
        let begun = store.begin_end(&ended.session_id, &owner, NOW).await;
        begun.unwrap().unwrap();
        assert_eq!(store.finish_end(&ended.session_id, NOW).await, Ok(true));
    }
    let all = shards(&database).await;
    let open = all.iter();
    let open = open.filter(|shard| shard.iter().all(|(name, _)| name != "closed"));
    let (open, all) = (open.count(), all.len());
    assert!(open <= 16 && all == open + 32, "{open} of {all}");
    // It has room for the records and the open shards alone.
    let audit = audited(&store, 41).await;
    assert_eq!((audit.is_complete, audit.corrected), (true, 0));
    // A session that is about to end, and whose shards still count listeners, is compared.
    let owner = user(OWNER);
    let begun = store.begin_end(&session.session_id, &owner, NOW).await;
    begun.unwrap().unwrap();
    for record in database.scan(&database.tables.connections).await {
        let id = record["connectionId"].as_s().unwrap();
        let table = &database.tables.connections;
        database.expire_item(table, "connectionId", id).await;
    }
    assert!(audited(&store, 41).await.corrected > 0);
    assert_eq!(count(&store, &session).await, 0);
}

#[tokio::test]
async fn an_audit_skips_the_shards_of_sessions_that_are_over_and_were_not_ended() {
    let database = Database::start().await;
    let (store, session) = with_many(&database).await;
    let all = shards(&database).await.len();
    let until = Instant::now() + HOUR;
    let over = session.created_at.after(MAX_SESSION);
    let audit = async |now, limit| store.audit(limit, now, until).await.unwrap();
    for record in database.scan(&database.tables.connections).await {
        let listener = id(record["connectionId"].as_s().unwrap());
        store.remove(&listener, NOW).await.unwrap();
    }
    for (now, is_complete) in [
        (over.before(MINUTE), false),
        (over.after(MINUTE), true),
        (over.after(RECORD_RETENTION), true),
    ] {
        let audit = audit(now, all - 1).await;
        assert_eq!((audit.is_complete, audit.corrected), (is_complete, 0));
    }
    // A number that is wrong is corrected, also after the end.
    let mut wrong = database.scan(&database.tables.sessions).await;
    wrong.retain(is_shard);
    let mut wrong = wrong.remove(0);
    let nine = AttributeValue::N("9".to_owned());
    wrong.insert("listenerCount".to_owned(), nine);
    database.put(&database.tables.sessions, wrong).await;
    assert_eq!(audit(over.after(MINUTE), 1).await.corrected, 1);
    assert_eq!(count(&store, &session).await, 0);
}

/// Makes the number of listeners in each shard wrong. Returns the number of shards.
async fn break_all(database: &Database) -> usize {
    let mut number = 0;
    for mut shard in database.scan(&database.tables.sessions).await {
        if is_shard(&shard) {
            let wrong = AttributeValue::N("99".to_owned());
            shard.insert("listenerCount".to_owned(), wrong);
            database.put(&database.tables.sessions, shard).await;
            number += 1;
        }
    }
    number
}

#[tokio::test]
async fn an_audit_without_time_reads_the_records_and_corrects_nothing() {
    let database = Database::start().await;
    let (store, _) = with_many(&database).await;
    break_all(&database).await;
    let before = shards(&database).await;
    let audit = store.audit(ALL, NOW, Instant::now()).await.unwrap();
    assert_eq!((audit.is_complete, audit.connections.len()), (false, 41));
    assert_eq!((audit.corrected, shards(&database).await), (0, before));
}

#[tokio::test]
async fn a_correction_that_fails_leaves_its_shard_alone_to_the_next_audit() {
    let database = Database::start().await;
    with_many(&database).await;
    let wrong = break_all(&database).await;
    let faults = Faults::default();
    let store = database.faulty_store(patient_settings(), &faults);
    // Both scans, and for the first shard: the session, and the write.
    faults.plan([Through, Through, Through, Denied]);
    let audit = audited(&store, ALL).await;
    assert_eq!((audit.is_complete, audit.connections.len()), (false, 41));
    assert_eq!(audit.corrected as usize, wrong - 1);
    let audit = audited(&store, ALL).await;
    assert_eq!((audit.is_complete, audit.corrected), (true, 1));
}

#[tokio::test]
async fn an_audit_reads_a_limited_number_of_shards() {
    let database = Database::start().await;
    let (store, _) = with_many(&database).await;
    for record in database.scan(&database.tables.connections).await {
        let listener = id(record["connectionId"].as_s().unwrap());
        store.remove(&listener, NOW).await.unwrap();
    }
    // There are no records, but open shards.
    let shards = shards(&database).await.len();
    assert!(shards > 5, "{shards}");
    for (limit, is_complete) in [(shards, true), (shards - 1, false)] {
        let audit = audited(&store, limit).await;
        assert_eq!(audit.is_complete, is_complete, "{limit}");
        assert_eq!((audit.connections.len(), audit.corrected), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_beside_joins_and_leaves_makes_no_count_wrong() {
    let database = Database::start().await;
    let (store, session) = with_many(&database).await;
    let crowd = (0..8).map(|group| {
        let (store, session) = (store.clone(), session.clone());
        tokio::spawn(async move {
            for number in 0..25 {
                let name = format!("{group}-{number}=");
                let joining = listener(&name, &session);
                admitted(&store, &joining).await;
                let new = listener(&format!("new-{name}"), &session);
                store
                    .exchange_listener(&joining.connection_id, &new, NOW)
                    .await
                    .unwrap();
                let french = language("fr");
                store
                    .change_language(&new.connection_id, &french, NOW)
                    .await
                    .unwrap();
                if number % 3 > 0 {
                    store.remove(&new.connection_id, NOW).await.unwrap();
                }
            }
        })
    });
    let audits = tokio::spawn({
        let store = store.clone();
        async move {
            let mut corrected = 0;
            for _ in 0..30 {
                corrected += audited(&store, ALL).await.corrected;
            }
            corrected
        }
    });
    for joined in join_all(crowd).await {
        joined.unwrap();
    }
    assert_eq!(audits.await.unwrap(), 0, "nothing was wrong");
    assert_eq!(audited(&store, ALL).await.corrected, 0);
    assert_eq!(count(&store, &session).await, 40 + 8 * 9);
}
