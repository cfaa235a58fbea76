//! Sessions and their connections.

use std::time::Duration;

use live_session_core::ports::{Admission, Capacity, ListenerPage, Store};
use live_session_core::testing::TestClock;
use live_session_core::{
    Connection, ConnectionId, Language, QualityTier, Role, Session, SessionId, Timestamp, UserId,
};

pub(crate) const NOW: Timestamp = TestClock::START;
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const OWNER: &str = "ada";

pub(crate) fn session_id(id: &str) -> SessionId {
    SessionId::try_from(id).unwrap()
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::try_from(name).unwrap()
}

pub(crate) fn language(tag: &str) -> Language {
    Language::try_from(tag).unwrap()
}

pub(crate) fn id(connection: &str) -> ConnectionId {
    ConnectionId::new(connection)
}

/// Returns Ada's session, created now.
pub(crate) fn session(id: &str) -> Session {
    Session::new(
        session_id(id),
        user(OWNER),
        language("en"),
        QualityTier::Standard,
        NOW,
    )
}

/// Returns an anonymous listener who hears German.
pub(crate) fn listener(connection: &str, session: &Session) -> Connection {
    Connection {
        connection_id: id(connection),
        session_id: session.session_id.clone(),
        role: Role::Listener,
        target_language: Some(language("de")),
        user_id: None,
        connected_at: NOW,
        ip_address: "203.0.113.7".to_owned(),
        last_seen_at: NOW,
        refresh_requested_at: None,
        ttl: Connection::ttl_in(session),
    }
}

/// Returns the session's speaker.
pub(crate) fn speaker(connection: &str, session: &Session) -> Connection {
    Connection {
        role: Role::Speaker,
        target_language: None,
        user_id: Some(session.speaker_id.clone()),
        ..listener(connection, session)
    }
}

/// Creates a session.
pub(crate) async fn created(store: &impl Store, id: &str) -> Session {
    let session = session(id);
    assert!(store.create(&session).await.unwrap());
    session
}

/// Creates a session with these anonymous listeners.
pub(crate) async fn with_listeners(store: &impl Store, id: &str, connections: &[&str]) -> Session {
    let session = created(store, id).await;
    for connection in connections {
        admitted(store, &listener(connection, &session)).await;
    }
    session
}

/// Returns the capacity for this many listeners, from any address.
pub(crate) fn capacity(listeners: u32) -> Capacity {
    Capacity {
        listeners,
        per_address: u32::MAX,
    }
}

/// Admits a listener.
pub(crate) async fn admitted(store: &impl Store, connection: &Connection) {
    let admission = store
        .admit_listener(connection, capacity(u32::MAX), NOW)
        .await
        .unwrap();
    assert_eq!(admission, Admission::Admitted);
}

/// Returns the session's listener count.
pub(crate) async fn count(store: &impl Store, session: &Session) -> u32 {
    let counts = store.listener_counts(&session.session_id).await.unwrap();
    assert_eq!(counts.total, counts.by_language.values().sum::<u32>());
    counts.total
}

/// Returns the stored session.
pub(crate) async fn stored(store: &impl Store, session: &Session) -> Session {
    store.session(&session.session_id).await.unwrap().unwrap()
}

/// Returns all pages of listeners.
pub(crate) async fn pages(
    store: &impl Store,
    session: &Session,
    of: Option<&str>,
) -> Vec<ListenerPage> {
    let (of, mut from, mut pages) = (of.map(language), None, Vec::new());
    loop {
        let page = store
            .listeners(&session.session_id, of.as_ref(), from)
            .await
            .unwrap();
        from = page.next.clone();
        pages.push(page);
        if from.is_none() {
            return pages;
        }
    }
}
