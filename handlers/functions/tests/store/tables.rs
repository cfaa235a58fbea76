//! Tests of the items' form, and of malformed items.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use live_session::dynamo::schema;
use live_session_core::limits::Rate;
use live_session_core::ports::{
    BroadcastChange, Bucket, ConnectionStore, RateLimiter, SessionRefusal, SessionStore,
    StoreError, TakeResult, TicketStore,
};
use live_session_core::{Connection, Role, Volume};

use crate::support::database::{Database, Item, patient_settings};
use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

fn names(item: &Item) -> BTreeSet<&str> {
    item.keys().map(String::as_str).collect()
}

fn number(item: &Item, name: &str) -> u64 {
    item[name]
        .as_n()
        .expect("it is a number")
        .parse()
        .expect("it is a whole one")
}

/// Creates a session with all attributes and a speaker. Returns its item.
async fn with_speaker(database: &Database) -> Item {
    let store = database.store(patient_settings());
    let session = created(&store, ID).await;
    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    database.scan(&database.tables.sessions).await.remove(0)
}

#[tokio::test]
async fn a_sessions_item_matches_the_schema() {
    let database = Database::start().await;
    let item = with_speaker(&database).await;
    assert_eq!(
        names(&item),
        BTreeSet::from_iter(schema::SESSIONS.attributes.iter().copied())
    );
    let state = item["broadcastState"].as_m().expect("it is a map");
    assert_eq!(names(state), BTreeSet::from(schema::BROADCAST_STATE));
    // A day until the session's end and a week until expiry, in seconds. Other times are in milliseconds.
    assert_eq!(number(&item, "expiresAt"), NOW.as_seconds() + 8 * 24 * 3600);
    assert_eq!(number(&item, "createdAt"), NOW.as_millis());
}

#[tokio::test]
async fn a_connections_item_matches_the_schema() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let session = created(&store, ID).await;
    let listener = Connection {
        user_id: Some(user("bob")),
        ..listener("a=", &session)
    };
    admitted(&store, &listener).await;
    assert_eq!(store.request_refresh(&id("a="), NOW).await, Ok(true));
    let item = database.scan(&database.tables.connections).await.remove(0);
    assert_eq!(
        names(&item),
        BTreeSet::from_iter(schema::CONNECTIONS.attributes.iter().copied())
    );
    // A day until the session's end, and three hours until expiry.
    assert_eq!(number(&item, "ttl"), NOW.as_seconds() + 27 * 3600);
}

#[tokio::test]
async fn a_buckets_item_matches_the_schema() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let rate = Rate {
        tokens: 10,
        per: MINUTE,
    };
    let bucket = Bucket::new("join", "ip", "2001:db8::7");
    assert_eq!(store.take(&bucket, rate, NOW).await, Ok(TakeResult::Taken));
    let item = database.scan(database.rate_limits()).await.remove(0);
    assert_eq!(
        names(&item),
        BTreeSet::from_iter(schema::RATE_LIMITS.attributes.iter().copied())
    );
    assert_eq!(
        item["identifier"],
        AttributeValue::S("join:ip:2001:db8::7".to_owned())
    );
    assert_eq!(
        number(&item, "emptyAt"),
        NOW.before(Duration::from_secs(54)).as_millis() * 1000,
        "it has gained nine tokens since"
    );
    // The bucket is full again before it expires.
    assert!(number(&item, "expiresAt") * 1000 >= NOW.after(MINUTE).as_millis());
}

fn corrupt<T: std::fmt::Debug>(answer: Result<T, StoreError>, names: &str) {
    match answer {
        Err(StoreError::Corrupt { reason, .. }) => assert!(reason.contains(names), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_read_is_corrupt() {
    let database = Database::start().await;
    let good = with_speaker(&database).await;
    let store = database.store(patient_settings());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let wrong = [
        ("createdAt", text("yesterday")),
        ("status", text("isActive")),
        ("speakerId", AttributeValue::Ss(vec!["ada".to_owned()])),
        ("broadcastState", AttributeValue::Bool(true)),
    ];
    for (name, value) in wrong {
        let mut item = good.clone();
        item.insert(name.to_owned(), value);
        database.put(&database.tables.sessions, item).await;
        corrupt(store.session(&session_id(ID)).await, name);
    }
    let mut item = good;
    item.remove("speakerId");
    database.put(&database.tables.sessions, item).await;
    corrupt(store.session(&session_id(ID)).await, "speakerId");
    corrupt(
        store.begin_end(&session_id(ID), &user(OWNER), NOW).await,
        "speakerId",
    );
    let admission = store.admit_speaker(&speaker("t=", &session(ID)), NOW).await;
    corrupt(admission, "speakerId");
}

#[tokio::test]
async fn a_connection_that_cannot_be_read_is_corrupt() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let session = with_listeners(&store, ID, &["a="]).await;
    let mut item = database.scan(&database.tables.connections).await.remove(0);
    item.insert("role".to_owned(), AttributeValue::S("admin".to_owned()));
    database.put(&database.tables.connections, item).await;
    corrupt(store.connection(&id("a=")).await, "role");
    corrupt(store.touch(&id("a="), NOW).await, "role");
    corrupt(store.remove(&id("a="), NOW).await, "role");
    corrupt(
        store
            .admit_listener(&listener("a=", &session), capacity(500), NOW)
            .await,
        "role",
    );
    assert_eq!(count(&store, &session).await, 1);

    let mut item = database.scan(&database.tables.connections).await.remove(0);
    let yesterday = AttributeValue::S("yesterday".to_owned());
    item.insert("connectedAt".to_owned(), yesterday);
    database.put(&database.tables.connections, item).await;
    let listeners = store.listeners(&session.session_id, None, None).await;
    corrupt(listeners, "connectedAt");
}

#[tokio::test]
async fn a_bucket_that_cannot_be_read_is_corrupt() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let item = Item::from([
        (
            "identifier".to_owned(),
            AttributeValue::S("join:ip:a".to_owned()),
        ),
        ("emptyAt".to_owned(), AttributeValue::S("now".to_owned())),
    ]);
    database.put(database.rate_limits(), item).await;
    let rate = Rate {
        tokens: 10,
        per: MINUTE,
    };
    corrupt(
        store.take(&Bucket::new("join", "ip", "a"), rate, NOW).await,
        "emptyAt",
    );
}

#[tokio::test]
async fn connections_of_a_deleted_session_leave_without_recreating_it() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let session = with_listeners(&store, ID, &["a=", "b=", "c="]).await;
    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    database.expire_session(ID).await;

    for (connection, role) in [("a=", Role::Listener), ("s=", Role::Speaker)] {
        let removed = store.remove(&id(connection), NOW).await.unwrap().unwrap();
        assert_eq!(
            (removed.connection.role, removed.was_speaking),
            (role, false)
        );
        assert_eq!(store.remove(&id(connection), NOW).await, Ok(None));
    }
    let all = ["a=", "b=", "c="].map(id);
    assert_eq!(
        store.remove_listeners(&session.session_id, &all, NOW).await,
        Ok(2)
    );
    assert!(database.scan(&database.tables.connections).await.is_empty());
    assert!(database.scan(&database.tables.sessions).await.is_empty());
}

#[tokio::test]
async fn a_count_is_not_lowered_below_zero() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let session = with_listeners(&store, ID, &["a=", "b=", "c=", "d="]).await;
    // Only an edit by hand could write these counts.
    let miscount = async |count: u32| {
        for mut item in database.scan(&database.tables.sessions).await {
            if item.contains_key("listenerCount") {
                let count = AttributeValue::N(count.to_string());
                item.retain(|name, _| !name.contains(':'));
                item.insert("listenerCount".to_owned(), count);
                database.put(&database.tables.sessions, item).await;
            }
        }
    };
    miscount(0).await;
    assert!(store.remove(&id("a="), NOW).await.unwrap().is_some());
    assert_eq!(total(&store, &session).await, 0);
    let rest = ["b=", "c=", "d="].map(id);
    assert_eq!(
        store
            .remove_listeners(&session.session_id, &rest, NOW)
            .await,
        Ok(3)
    );
    assert_eq!(total(&store, &session).await, 0);
    assert!(database.scan(&database.tables.connections).await.is_empty());
}

async fn total(
    store: &impl live_session_core::ports::Store,
    session: &live_session_core::Session,
) -> u32 {
    let counts = store.listener_counts(&session.session_id).await.unwrap();
    counts.total
}

#[tokio::test]
async fn a_shards_item_matches_the_schema() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let session = with_listeners(&store, ID, &["a="]).await;
    store
        .begin_end(&session.session_id, &user(OWNER), NOW)
        .await
        .unwrap()
        .unwrap();
    let items = database.scan(&database.tables.sessions).await;
    let is_shard = |item: &&Item| item["sessionId"].as_s().unwrap().contains('#');
    let shards: Vec<_> = items.iter().filter(is_shard).collect();
    assert_eq!(shards.len(), 16);
    let taken = shards
        .iter()
        .find(|shard| shard.contains_key("listenerCount"));
    let mut expected = BTreeSet::from(schema::SHARD);
    expected.extend(["address:203.0.113.7", "language:de"]);
    assert_eq!(names(taken.unwrap()), expected);
    // It expires with its session, and not before.
    for shard in &shards {
        assert_eq!(number(shard, "expiresAt"), session.expires_at);
    }
}

#[tokio::test]
async fn a_shard_does_not_grow_with_those_who_left() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let session = created(&store, ID).await;
    for number in 0..40 {
        let listener = Connection {
            ip_address: format!("198.51.100.{number}"),
            ..listener(&format!("{number}="), &session)
        };
        admitted(&store, &listener).await;
        let tag = language(&format!("de-{number:02}"));
        let changed = store
            .change_language(&listener.connection_id, &tag, NOW)
            .await;
        assert!(changed.unwrap().is_some());
        store
            .remove(&listener.connection_id, NOW)
            .await
            .unwrap()
            .unwrap();
    }
    for item in database.scan(&database.tables.sessions).await {
        assert!(item.keys().all(|name| !name.contains(':')), "{item:?}");
    }
}

#[tokio::test]
async fn a_missing_table_is_named() {
    let database = Database::start().await;
    let mut tables = database.tables.clone();
    tables.sessions = "Sessions-elsewhere".to_owned();
    let store =
        live_session::dynamo::DynamoStore::new(&database.client, tables, patient_settings());
    let error = store.session(&session_id(ID)).await.unwrap_err();
    assert!(
        error.to_string().contains("ResourceNotFoundException"),
        "{error}"
    );
}

#[tokio::test]
async fn a_bucket_follows_its_rate() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let bucket = Bucket::new("join", "ip", "a");
    let take = async |tokens| {
        store
            .take(
                &bucket,
                Rate {
                    tokens,
                    per: MINUTE,
                },
                NOW,
            )
            .await
            .unwrap()
    };
    assert_eq!(take(10).await, TakeResult::Taken);
    // It has been filling for 54 seconds: enough for nine of ten tokens, and too little for the only one.
    assert_eq!(
        take(1).await,
        TakeResult::Empty {
            retry_after: Duration::from_secs(6)
        }
    );
    assert_eq!(take(10).await, TakeResult::Taken);
    // With a rate of zero there is never a token.
    assert_eq!(
        take(0).await,
        TakeResult::Empty {
            retry_after: MINUTE
        }
    );
    let never = Bucket::new("join", "ip", "b");
    let rate = Rate {
        tokens: 0,
        per: MINUTE,
    };
    assert_eq!(
        store.take(&never, rate, NOW).await,
        Ok(TakeResult::Empty {
            retry_after: MINUTE
        })
    );
}

#[tokio::test]
async fn a_refusal_is_decided_from_a_single_moment() {
    // The connection is in another session, and the session is over. The record decides.
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let session = with_listeners(&store, ID, &["a="]).await;
    store
        .begin_end(&session.session_id, &user(OWNER), NOW)
        .await
        .unwrap()
        .unwrap();
    use live_session_core::ports::Admission;
    let there = Admission::AlreadyJoined(listener("a=", &session));
    assert_eq!(
        store
            .admit_listener(&listener("a=", &session), capacity(0), NOW)
            .await,
        Ok(there)
    );
    let refused = store
        .admit_listener(&listener("b=", &session), capacity(0), NOW)
        .await;
    let ending = SessionRefusal::WrongStatus(live_session_core::SessionStatus::Ending);
    assert_eq!(refused, Ok(Admission::Refused(ending)));
}

#[tokio::test]
async fn a_rate_with_fractions_of_milliseconds_is_not_exceeded() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let bucket = Bucket::new("audio", "user", "ada");
    let rate = Rate {
        tokens: 3,
        per: Duration::from_secs(1),
    };
    let mut taken = 0;
    for millis in [0, 0, 0, 334, 667, 1000, 1333] {
        let now = NOW.after(Duration::from_millis(millis));
        taken += u32::from(store.take(&bucket, rate, now).await == Ok(TakeResult::Taken));
    }
    // Three at first, and almost four more by then.
    assert_eq!(taken, 3 + 3);
}

#[tokio::test]
async fn a_volume_too_small_for_dynamodb_becomes_zero() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let session = created(&store, ID).await;
    let volume = Volume::try_from(f64::MIN_POSITIVE).unwrap();
    let change = BroadcastChange {
        volume: Some(volume),
        ..Default::default()
    };
    let state = store
        .set_broadcast_state(&session.session_id, change, NOW)
        .await;
    assert_eq!(state.unwrap().unwrap().volume.get(), 0.0);
}

#[tokio::test]
async fn a_tickets_item_matches_the_schema() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let ticket = live_session_core::Ticket {
        session_id: session_id(ID),
        role: Role::Speaker,
        user_id: user(OWNER),
        valid_until: NOW,
        expires_at: 1,
    };
    let hash = live_session_core::TicketHash::of("secret");
    store.put_ticket(&hash, &ticket).await.unwrap();
    let table = database.tables.tickets.as_deref().unwrap();
    let item = database.scan(table).await.remove(0);
    assert_eq!(
        names(&item),
        BTreeSet::from_iter(schema::TICKETS.attributes.iter().copied())
    );
    assert_eq!(item["ticketHash"].as_s().unwrap(), hash.as_str());
}

#[tokio::test]
async fn a_reserved_ids_item_matches_the_schema_and_contains_neither_user_nor_key() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    let key = live_session_core::CreationKey::try_from("my-key").unwrap();
    let reserved = store
        .reserve_id(&user(OWNER), &key, &session_id(ID), NOW)
        .await;
    assert_eq!(reserved, Ok(session_id(ID)));
    let item = database.scan(database.rate_limits()).await.remove(0);
    assert_eq!(names(&item), BTreeSet::from(schema::RESERVED_ID));
    let identifier = item["identifier"].as_s().unwrap();
    assert!(identifier.starts_with("create:key:"));
    assert!(!identifier.contains("my-key") && !identifier.contains(OWNER));
}

#[tokio::test]
async fn a_heartbeat_changes_nothing_that_the_index_contains() {
    let database = Database::start().await;
    let store = database.store(patient_settings());
    with_listeners(&store, ID, &["a="]).await;
    let listed = async || {
        let query = database
            .client
            .query()
            .table_name(&database.tables.connections);
        let query = query
            .index_name(schema::LISTENERS.name)
            .key_condition_expression("sessionId = :id");
        let query = query.expression_attribute_values(":id", AttributeValue::S(ID.to_owned()));
        query.send().await.unwrap().items.unwrap().remove(0)
    };
    let before = listed().await;
    let keys = ["connectionId", "sessionId", "targetLanguage"];
    let included = schema::LISTENERS.included.iter().copied();
    assert_eq!(names(&before), BTreeSet::from_iter(included.chain(keys)));
    store.touch(&id("a="), NOW.after(MINUTE)).await.unwrap();
    assert_eq!(listed().await, before);
}
