use serde_json::json;

use super::{
    code, down, id, listener, listener_count, minutes, owner, send_message, session, session_id,
    speaker, world_with_session,
};
use crate::limits::MAX_CONNECTION;
use crate::ports::ConnectionStore;
use crate::{ConnectionId, EndRequest, Handshake, connect, end};

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

#[tokio::test]
async fn joining_again_sets_the_language_and_counts_once() {
    let world = world_with_session().await;
    let before = listener(&world, "one").await.connection;
    for tag in ["de", "fr", "fr"] {
        let join = json!({"action": "joinSession", "sessionId": ID, "targetLanguage": tag});
        let answers = send_message(&world, "one", join).await;
        let expected = json!({
            "type": "sessionJoined", "sessionId": ID, "targetLanguage": tag, "sourceLanguage": "en",
            "connectionId": "one", "timestamp": before.connected_at,
        });
        assert_eq!(answers, [expected]);
        let language = world
            .store
            .connection(&id("one"))
            .await
            .unwrap()
            .unwrap()
            .target_language;
        assert_eq!(language.unwrap().as_str(), tag);
    }
    assert_eq!(listener_count(&world).await, 1);
}

#[tokio::test]
async fn a_connection_without_a_record_joins_anew() {
    let world = world_with_session().await;
    let join = json!({"action": "joinSession", "sessionId": ID, "targetLanguage": "fr"});
    let answers = send_message(&world, "new", join.clone()).await;
    assert_eq!(answers[0]["type"], "sessionJoined");
    assert_eq!(listener_count(&world).await, 1);
    for name in ["two", "three"] {
        listener(&world, name).await;
    }
    assert_eq!(
        code(&send_message(&world, "four", join).await),
        "SESSION_FULL"
    );
    let nowhere = json!({"action": "joinSession", "sessionId": "no-where-100-k7dq2m9x4hw3t", "targetLanguage": "fr"});
    assert_eq!(
        code(&send_message(&world, "four", nowhere).await),
        "NO_SESSION"
    );
}

#[tokio::test]
async fn exceeding_the_join_rate_reports_when_to_retry() {
    let world = world_with_session().await;
    let nowhere = |name: &str| json!({"action": "joinSession", "sessionId": ID, "targetLanguage": "fr", "x": name});
    for name in ["a", "b", "c"] {
        send_message(&world, name, nowhere(name)).await;
    }
    // The session is full now; each further attempt from one address still takes a token.
    for _ in 0..10 {
        assert_eq!(
            code(&send_message(&world, "d", nowhere("d")).await),
            "SESSION_FULL"
        );
    }
    let answers = send_message(&world, "d", nowhere("d")).await;
    assert_eq!(code(&answers), "TOO_OFTEN");
    assert_eq!(answers[0]["details"], json!({"retryAfter": 6000}));
}

#[tokio::test]
async fn one_connection_is_in_one_session_in_one_role() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "mic").await;
    let join = |session: &str| json!({"action": "joinSession", "sessionId": session, "targetLanguage": "fr"});
    assert_eq!(
        code(&send_message(&world, "one", join("other-place-100-k7dq2m9x4hw3t")).await),
        "OTHER_SESSION"
    );
    assert_eq!(
        code(&send_message(&world, "mic", join(ID)).await),
        "OTHER_ROLE"
    );
    let change = json!({"action": "changeLanguage", "targetLanguage": "fr"});
    assert_eq!(
        code(&send_message(&world, "mic", change.clone()).await),
        "OTHER_ROLE"
    );
    assert_eq!(
        code(&send_message(&world, "nobody", change).await),
        "NOT_IN_SESSION"
    );
}

#[tokio::test]
async fn changing_the_language_keeps_the_connection_time() {
    let world = world_with_session().await;
    let before = listener(&world, "one").await.connection;
    world.clock.advance(minutes(3));
    let answers = send_message(
        &world,
        "one",
        json!({"action": "changeLanguage", "targetLanguage": "es"}),
    )
    .await;
    let now = before.connected_at.after(minutes(3));
    assert_eq!(
        answers,
        [json!({"type": "languageChanged", "targetLanguage": "es", "timestamp": now})]
    );
    let after = world.store.connection(&id("one")).await.unwrap().unwrap();
    assert_eq!(after.connected_at, before.connected_at);
    assert_eq!(after.target_language.unwrap().as_str(), "es");
}

#[tokio::test]
async fn a_heartbeat_is_acknowledged_and_recorded() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    world
        .clock
        .advance(minutes(100) - std::time::Duration::from_millis(1));
    let answers = send_message(
        &world,
        "one",
        json!({"action": "heartbeat", "timestamp": 5}),
    )
    .await;
    let now = crate::Clock::now(&world.clock);
    assert_eq!(answers, [json!({"type": "heartbeatAck", "timestamp": now})]);
    let seen = world
        .store
        .connection(&id("one"))
        .await
        .unwrap()
        .unwrap()
        .last_seen_at;
    assert_eq!(seen, now);
    assert_eq!(
        code(&send_message(&world, "nobody", json!({"action": "heartbeat"})).await),
        "NOT_IN_SESSION"
    );
}

#[tokio::test]
async fn an_old_connection_is_asked_to_refresh_once_and_then_warned() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    let beat = || send_message(&world, "one", json!({"action": "heartbeat"}));
    world.clock.advance(minutes(100));
    let answers = beat().await;
    assert_eq!(answers.len(), 2);
    assert_eq!(
        answers[1],
        json!({"type": "connectionRefreshRequired", "sessionId": ID, "role": "listener", "targetLanguage": "de",
               "connectionId": "one"})
    );
    assert_eq!(beat().await.len(), 1, "once");
    world
        .clock
        .advance(minutes(5) - std::time::Duration::from_millis(1));
    assert_eq!(beat().await.len(), 1);
    world.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(
        beat().await[1],
        json!({"type": "connectionWarning", "remainingMinutes": 15})
    );
    world.clock.advance(MAX_CONNECTION);
    assert_eq!(
        beat().await[1],
        json!({"type": "connectionWarning", "remainingMinutes": 0})
    );
}

fn refresh(previous: Option<&str>) -> serde_json::Value {
    json!({"action": "refreshConnection", "sessionId": ID, "role": "listener", "targetLanguage": "it",
           "previousConnectionId": previous})
}

async fn ids(world: &super::World) -> Vec<ConnectionId> {
    world
        .store
        .connections()
        .into_iter()
        .map(|c| c.connection_id)
        .collect()
}

#[tokio::test]
async fn a_listeners_refresh_removes_the_previous_record() {
    let world = world_with_session().await;
    listener(&world, "old").await;
    listener(&world, "new").await;
    let answers = send_message(&world, "new", refresh(Some("old"))).await;
    let now = crate::Clock::now(&world.clock);
    let complete = json!({"type": "connectionRefreshComplete", "sessionId": ID, "role": "listener",
                          "targetLanguage": "it", "timestamp": now});
    assert_eq!(answers, [complete]);
    assert_eq!(ids(&world).await, [id("new")]);
    assert_eq!(listener_count(&world).await, 1);
    assert_eq!(
        send_message(&world, "new", refresh(Some("old"))).await[0]["type"],
        "connectionRefreshComplete"
    );
    assert_eq!(
        send_message(&world, "new", refresh(Some("new"))).await[0]["type"],
        "connectionRefreshComplete"
    );
    assert_eq!(ids(&world).await, [id("new")], "not itself");
}

#[tokio::test]
async fn without_a_previous_id_the_old_record_stays_until_its_disconnect() {
    let world = world_with_session().await;
    listener(&world, "old").await;
    listener(&world, "new").await;
    send_message(&world, "new", refresh(None)).await;
    assert_eq!(ids(&world).await, [id("new"), id("old")]);
}

#[tokio::test]
async fn a_refresh_does_not_replace_another_users_connection() {
    let world = world_with_session().await;
    listener(&world, "mine").await;
    speaker(&world, "mic").await;
    let eve = Handshake {
        user_id: Some("eve".try_into().unwrap()),
        ..super::handshake(&world, "eve")
    };
    connect(&world, super::SETTINGS, eve).await.unwrap();
    for other in ["eve", "mic", "nobody"] {
        let answers = send_message(&world, "mine", refresh(Some(other))).await;
        assert_eq!(answers[0]["type"], "connectionRefreshComplete");
    }
    assert_eq!(ids(&world).await, [id("eve"), id("mic"), id("mine")]);
}

#[tokio::test]
async fn the_speakers_refresh_leaves_no_gap() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "old").await;
    speaker(&world, "new").await;
    let refresh = json!({"action": "refreshConnection", "sessionId": ID, "role": "speaker", "previousConnectionId": "old"});
    let answers = send_message(&world, "new", refresh).await;
    assert_eq!(answers[0]["type"], "connectionRefreshComplete");
    assert_eq!(answers[0].get("targetLanguage"), None);
    assert_eq!(ids(&world).await, [id("new"), id("one")]);
    assert_eq!(session(&world).await.speaker_connection_id, Some(id("new")));
    assert!(session(&world).await.broadcast_state.is_active);
}

#[tokio::test]
async fn a_refresh_must_name_the_actual_session_and_role() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    let claim = |session: &str, role: &str| json!({"action": "refreshConnection", "sessionId": session, "role": role});
    assert_eq!(
        code(&send_message(&world, "one", claim(ID, "speaker")).await),
        "OTHER_ROLE"
    );
    assert_eq!(
        code(
            &send_message(
                &world,
                "one",
                claim("other-place-100-k7dq2m9x4hw3t", "listener")
            )
            .await
        ),
        "OTHER_SESSION"
    );
    assert_eq!(
        code(&send_message(&world, "nobody", claim(ID, "listener")).await),
        "NOT_IN_SESSION"
    );
}

#[tokio::test]
async fn a_listener_of_an_ended_session_is_in_no_session() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    let ending = EndRequest {
        session_id: &session_id(),
        owner: &owner(),
        reason: None,
        requested_by: None,
    };
    end(&world, ending).await.unwrap();
    assert_eq!(
        code(&send_message(&world, "one", json!({"action": "heartbeat"})).await),
        "NOT_IN_SESSION"
    );
    let join = json!({"action": "joinSession", "sessionId": ID, "targetLanguage": "fr"});
    assert_eq!(
        code(&send_message(&world, "one", join).await),
        "SESSION_NOT_ACTIVE"
    );
}

#[tokio::test]
async fn a_failing_table_is_reported_as_unavailable_without_the_reason() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    world.store.fail(Some(down()));
    for action in ["heartbeat", "getSessionStatus", "pauseBroadcast"] {
        let answers = send_message(&world, "one", json!({"action": action})).await;
        assert_eq!(code(&answers), "UNAVAILABLE");
        assert!(!answers[0].to_string().contains("down"));
    }
}

#[tokio::test]
async fn a_malformed_previous_connection_id_is_refused_and_an_empty_one_ignored() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    let longest = "x".repeat(128);
    for fine in ["", longest.as_str()] {
        let answers = send_message(&world, "one", refresh(Some(fine))).await;
        assert_eq!(answers[0]["type"], "connectionRefreshComplete");
    }
    let answers = send_message(&world, "one", refresh(Some(&"x".repeat(129)))).await;
    assert_eq!(code(&answers), "INVALID_MESSAGE");
    let handshake = Handshake {
        previous_connection_id: Some("x".repeat(129)),
        ..super::handshake(&world, "two")
    };
    let refused = connect(&world, super::SETTINGS, handshake).await;
    assert_eq!(refused.unwrap_err().status(), 400);
}
