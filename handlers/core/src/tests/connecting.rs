use proptest::prelude::*;

use super::{
    SETTINGS, World, down, handshake, id, language, listener, listener_count, minutes, owner,
    session, session_id, speaker, world_with_session,
};
use crate::ports::{Capacity, SessionStore};
use crate::testing::memory_ports;
use crate::{
    CallerLimits, Clock, ConnectError, Connection, Handshake, InvalidValue, JoinError,
    JoinSettings, JoinedConnection, RateLimitError, RateLimitFailure, Role, SessionStatus, connect,
};

async fn refused(world: &World, handshake: Handshake) -> (u16, &'static str) {
    let error = connect(world, SETTINGS, handshake).await.unwrap_err();
    (error.status(), error.reason())
}

#[tokio::test]
async fn a_listener_who_joins_has_a_record_and_is_counted() {
    let world = world_with_session().await;
    let JoinedConnection {
        connection,
        session: before,
    } = listener(&world, "one").await;
    assert_eq!(before, session(&world).await);
    assert_eq!(listener_count(&world).await, 1);
    let expected = Connection {
        connection_id: id("one"),
        session_id: session_id(),
        role: Role::Listener,
        target_language: Some(language("de")),
        user_id: None,
        connected_at: before.created_at,
        ip_address: "ip-of-one".to_owned(),
        last_seen_at: before.created_at,
        refresh_requested_at: None,
        ttl: before.ends_at().after(minutes(180)).as_seconds(),
    };
    assert_eq!(connection, expected);
    assert_eq!(world.store.connections(), [expected]);
    assert_eq!(
        world.broadcaster.take(),
        [],
        "nothing is posted from inside $connect (row C11)"
    );
}

#[tokio::test]
async fn the_owner_is_the_speaker_and_is_not_counted() {
    let world = world_with_session().await;
    let connection = speaker(&world, "mic").await.connection;
    assert_eq!(
        (connection.role, connection.target_language),
        (Role::Speaker, None)
    );
    let session = session(&world).await;
    assert_eq!(listener_count(&world).await, 0);
    assert_eq!(session.speaker_connection_id, Some(id("mic")));
    assert!(session.broadcast_state.is_active);
}

#[tokio::test]
async fn another_user_is_a_listener() {
    let world = world_with_session().await;
    let eve = Handshake {
        user_id: Some("eve".try_into().unwrap()),
        ..handshake(&world, "eve")
    };
    let joined = connect(&world, SETTINGS, eve).await.unwrap();
    assert_eq!(joined.connection.role, Role::Listener);
    assert_eq!(joined.connection.user_id.unwrap().as_str(), "eve");
}

#[tokio::test]
async fn a_listener_without_a_language_hears_the_source_language() {
    let world = world_with_session().await;
    for (name, named) in [("none", None), ("empty", Some(String::new()))] {
        let handshake = Handshake {
            target_language: named,
            ..handshake(&world, name)
        };
        let joined = connect(&world, SETTINGS, handshake).await.unwrap();
        assert_eq!(joined.connection.target_language, Some(language("en")));
    }
}

#[tokio::test]
async fn a_malformed_handshake_is_400() {
    let world = world_with_session().await;
    let missing = Handshake {
        session_id: None,
        ..handshake(&world, "a")
    };
    assert_eq!(refused(&world, missing).await, (400, "sessionIdMissing"));
    let empty = Handshake {
        session_id: Some(String::new()),
        ..handshake(&world, "a")
    };
    assert_eq!(refused(&world, empty).await, (400, "sessionIdMissing"));
    let malformed = Handshake {
        session_id: Some("x".to_owned()),
        ..handshake(&world, "a")
    };
    assert_eq!(refused(&world, malformed).await, (400, "malformed"));
    let language = Handshake {
        target_language: Some("german".to_owned()),
        ..handshake(&world, "a")
    };
    let error = connect(&world, SETTINGS, language).await.unwrap_err();
    assert!(matches!(
        error,
        ConnectError::InvalidParameter(InvalidValue {
            field: "targetLanguage",
            ..
        })
    ));
    assert_eq!(world.store.connections(), []);
}

#[tokio::test]
async fn a_missing_session_is_404() {
    let ports = memory_ports();
    assert_eq!(
        refused(&ports, handshake(&ports, "a")).await,
        (404, "noSession")
    );
}

#[tokio::test]
async fn a_session_that_is_not_active_is_403() {
    let world = world_with_session().await;
    let now = session(&world).await.created_at;
    let paused = world
        .store
        .set_status(&session_id(), &owner(), SessionStatus::Paused, now)
        .await;
    assert_eq!(paused.unwrap().unwrap().status, SessionStatus::Paused);
    assert_eq!(
        refused(&world, handshake(&world, "a")).await,
        (403, "notActive")
    );
    let resumed = world
        .store
        .set_status(&session_id(), &owner(), SessionStatus::Active, now)
        .await;
    assert!(resumed.unwrap().is_ok());
    listener(&world, "a").await;
    world.clock.advance(minutes(24 * 60));
    assert_eq!(
        refused(&world, handshake(&world, "late")).await,
        (403, "notActive"),
        "past its end"
    );
}

#[tokio::test]
async fn the_eleventh_from_one_address_in_a_minute_is_429_and_the_speaker_is_not_counted() {
    let world = world_with_session().await;
    let wide = JoinSettings {
        capacity: Capacity {
            listeners: 100,
            per_address: 50,
        },
        ..SETTINGS
    };
    let from_hall = |name: &str| Handshake {
        ip_address: "hall".to_owned(),
        ..handshake(&world, name)
    };
    for number in 0..10 {
        connect(&world, wide, from_hall(&number.to_string()))
            .await
            .unwrap();
    }
    let error = connect(&world, wide, from_hall("11")).await.unwrap_err();
    assert_eq!((error.status(), error.reason()), (429, "tooOften"));
    let speaker = Handshake {
        user_id: Some(owner()),
        ..from_hall("mic")
    };
    connect(&world, wide, speaker).await.unwrap();
    connect(&world, wide, handshake(&world, "elsewhere"))
        .await
        .unwrap();
    world.clock.advance(std::time::Duration::from_secs(6));
    connect(&world, wide, from_hall("11")).await.unwrap();
    assert_eq!(listener_count(&world).await, 12);
}

#[tokio::test]
async fn a_full_session_is_403() {
    let world = world_with_session().await;
    for name in ["one", "two", "three"] {
        listener(&world, name).await;
    }
    assert_eq!(
        refused(&world, handshake(&world, "four")).await,
        (403, "full")
    );
    speaker(&world, "mic").await;
    assert_eq!(listener_count(&world).await, 3);
}

#[tokio::test]
async fn one_address_has_a_limited_number_of_connections() {
    let world = world_with_session().await;
    let settings = JoinSettings {
        capacity: Capacity {
            listeners: 500,
            per_address: 40,
        },
        caller: CallerLimits {
            requests: crate::limits::JOIN_RATE,
            ..SETTINGS.caller
        },
    };
    let from = |address: &str, name: &str| Handshake {
        ip_address: address.to_owned(),
        ..handshake(&world, name)
    };
    for number in 0..40 {
        let address = format!("2001:db8:1:2::{number}");
        let pupil = from(&address, &number.to_string());
        connect(&world, settings, pupil).await.unwrap();
    }
    let refused = |refused: Result<JoinedConnection, ConnectError>| {
        let error = refused.unwrap_err();
        (error.status(), error.reason())
    };
    let more = connect(&world, settings, from("2001:db8:1:2:3::", "more")).await;
    assert_eq!(refused(more), (429, "addressFull"));
    let other = from("2001:db8:1:3::", "other");
    connect(&world, settings, other).await.unwrap();
    // A listener who leaves makes room: nothing else counts.
    crate::disconnect(&world, &id("7")).await.unwrap().unwrap();
    let more = connect(&world, settings, from("2001:db8:1:2:3::", "more")).await;
    assert_eq!(more.unwrap().connection.role, Role::Listener);
    let more = connect(&world, settings, from("2001:db8:1:2::7", "again")).await;
    assert_eq!(refused(more), (429, "addressFull"));
}

#[tokio::test]
async fn in_a_full_session_a_refresh_replaces_the_previous_connection() {
    let world = world_with_session().await;
    for name in ["one", "two", "three"] {
        listener(&world, name).await;
    }
    let replaces = |previous: &str, name: &str| Handshake {
        previous_connection_id: Some(previous.to_owned()),
        ..handshake(&world, name)
    };
    assert_eq!(
        refused(&world, replaces("nobody", "x")).await,
        (403, "full")
    );
    let eve = Handshake {
        user_id: Some("eve".try_into().unwrap()),
        ..replaces("two", "eve")
    };
    assert_eq!(refused(&world, eve).await, (403, "full"), "not hers");
    connect(&world, SETTINGS, replaces("two", "new"))
        .await
        .unwrap();
    let ids: Vec<_> = world
        .store
        .connections()
        .into_iter()
        .map(|c| c.connection_id)
        .collect();
    assert_eq!(ids, [id("new"), id("one"), id("three")]);
    assert_eq!(listener_count(&world).await, 3);
}

#[tokio::test]
async fn in_a_session_with_room_the_previous_connection_stays_until_its_refresh() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    let new = Handshake {
        previous_connection_id: Some("one".to_owned()),
        ..handshake(&world, "new")
    };
    connect(&world, SETTINGS, new).await.unwrap();
    assert_eq!(listener_count(&world).await, 2);
}

#[tokio::test]
async fn in_a_full_session_expired_connections_are_removed() {
    let world = world_with_session().await;
    for name in ["one", "two"] {
        listener(&world, name).await;
    }
    world.clock.advance(minutes(20));
    listener(&world, "three").await;
    world.clock.advance(minutes(105));
    assert_eq!(
        refused(&world, handshake(&world, "four")).await,
        (403, "full"),
        "two hours and a little more"
    );
    world.clock.advance(std::time::Duration::from_millis(1));
    listener(&world, "four").await;
    let ids: Vec<_> = world
        .store
        .connections()
        .into_iter()
        .map(|c| c.connection_id)
        .collect();
    assert_eq!(ids, [id("four"), id("three")]);
    assert_eq!(listener_count(&world).await, 2);
}

#[tokio::test]
async fn a_repeated_connect_changes_nothing() {
    let world = world_with_session().await;
    let first = listener(&world, "one").await.connection;
    world.clock.advance(minutes(1));
    assert_eq!(listener(&world, "one").await.connection, first);
    assert_eq!(listener_count(&world).await, 1);
    let other = Handshake {
        user_id: Some(owner()),
        ..handshake(&world, "one")
    };
    assert_eq!(refused(&world, other).await, (403, "elsewhere"));
}

#[tokio::test]
async fn a_failing_table_is_500_and_admits_nobody() {
    let world = world_with_session().await;
    world.store.fail(Some(down()));
    assert_eq!(
        refused(&world, handshake(&world, "a")).await,
        (500, "storeFailed")
    );
}

#[tokio::test]
async fn while_the_rate_limit_table_fails_the_setting_decides() {
    let world = world_with_session().await;
    world.store.fail_rates(Some(down()));
    connect(&world, SETTINGS, handshake(&world, "a"))
        .await
        .unwrap();
    let closed = JoinSettings {
        caller: CallerLimits {
            failure: RateLimitFailure::Closed,
            ..SETTINGS.caller
        },
        ..SETTINGS
    };
    let error = connect(&world, closed, handshake(&world, "b"))
        .await
        .unwrap_err();
    assert_eq!((error.status(), error.reason()), (500, "storeFailed"));
    assert_eq!(
        error,
        ConnectError::Join(JoinError::RateLimited(RateLimitError::Unavailable(down())))
    );
}

proptest! {
    #[test]
    fn no_query_panics(session in ".{0,40}", language in ".{0,40}", previous in ".{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = world_with_session().await;
            let handshake = Handshake {
                session_id: Some(session),
                target_language: Some(language),
                previous_connection_id: Some(previous),
                ..handshake(&world, "a")
            };
            let _ = connect(&world, SETTINGS, handshake).await;
        });
    }
}

async fn set_status(world: &World, to: SessionStatus) {
    let now = world.clock.now();
    let set = world
        .store
        .set_status(&session_id(), &owner(), to, now)
        .await;
    assert!(set.unwrap().is_ok());
}

#[tokio::test]
async fn a_listener_reconnects_while_the_session_is_paused() {
    let world = world_with_session().await;
    listener(&world, "old").await;
    set_status(&world, SessionStatus::Paused).await;
    let replaces = |name: &str, previous: &str| Handshake {
        previous_connection_id: Some(previous.to_owned()),
        ..handshake(&world, name)
    };
    connect(&world, SETTINGS, replaces("new", "old"))
        .await
        .unwrap();
    assert_eq!(listener_count(&world).await, 1);
    assert_eq!(world.store.connections()[0].connection_id, id("new"));
    // Nobody else gets in: not without a connection, and not with one that is gone or another user's.
    let closed = (403, "notActive");
    assert_eq!(refused(&world, handshake(&world, "a")).await, closed);
    assert_eq!(refused(&world, replaces("a", "old")).await, closed);
    let eve = Handshake {
        user_id: Some("eve".try_into().unwrap()),
        ..replaces("a", "new")
    };
    assert_eq!(refused(&world, eve).await, closed);
    let refresh = serde_json::json!({"action": "refreshConnection", "sessionId": session_id(), "role": "listener",
        "targetLanguage": "de", "previousConnectionId": "old"});
    let answers = super::send_message(&world, "new", refresh).await;
    assert_eq!(answers[0]["type"], "connectionRefreshComplete");
}

#[tokio::test]
async fn the_owner_reconnects_while_the_session_is_paused_and_not_when_it_is_over() {
    let world = world_with_session().await;
    speaker(&world, "old").await;
    set_status(&world, SessionStatus::Paused).await;
    speaker(&world, "new").await;
    assert_eq!(session(&world).await.speaker_connection_id, Some(id("new")));
    let now = world.clock.now();
    let begun = world.store.begin_end(&session_id(), &owner(), now).await;
    assert!(begun.unwrap().is_ok());
    let late = Handshake {
        user_id: Some(owner()),
        ..handshake(&world, "late")
    };
    assert_eq!(refused(&world, late).await, (403, "notActive"));
}
