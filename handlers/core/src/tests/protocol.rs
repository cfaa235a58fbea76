use proptest::prelude::*;
use serde_json::json;

use super::{code, down, listener, send_text, world_with_session};
use crate::ports::SessionRefusal;
use crate::protocol::{ClientMessage, ErrorCode, parse};
use crate::{ConnectError, JoinError, RateLimitError, Role, SessionStatus};

fn refused(body: &str) -> ErrorCode {
    parse(body).unwrap_err().code
}

#[test]
fn every_action_of_the_protocol_is_known() {
    let messages = [
        json!({"action": "joinSession", "sessionId": "a-b-100-k7dq2m9x4hw3t", "targetLanguage": "de"}),
        json!({"action": "changeLanguage", "targetLanguage": "de"}),
        json!({"action": "heartbeat", "timestamp": 1}),
        json!({"action": "refreshConnection", "sessionId": "a-b-100-k7dq2m9x4hw3t", "role": "speaker"}),
        json!({"action": "pauseBroadcast"}),
        json!({"action": "resumeBroadcast"}),
        json!({"action": "muteBroadcast"}),
        json!({"action": "unmuteBroadcast"}),
        json!({"action": "setVolume", "volumeLevel": 0}),
        json!({"action": "speakerStateChange", "state": {"isPaused": false, "isMuted": false, "volume": 1}}),
        json!({"action": "getSessionStatus"}),
        json!({"action": "endSession", "sessionId": "a-b-100-k7dq2m9x4hw3t"}),
    ];
    for message in messages {
        assert!(parse(&message.to_string()).is_ok(), "{message}");
    }
}

#[test]
fn fields_keep_their_names() {
    let body = json!({"action": "refreshConnection", "sessionId": "a-b-100-k7dq2m9x4hw3t", "role": "listener", "targetLanguage": "de",
                      "previousConnectionId": "p=", "later": "versions may say more"});
    let expected = ClientMessage::RefreshConnection {
        session_id: "a-b-100-k7dq2m9x4hw3t".try_into().unwrap(),
        role: Role::Listener,
        target_language: Some("de".try_into().unwrap()),
        previous_connection_id: Some("p=".to_owned()),
    };
    assert_eq!(parse(&body.to_string()), Ok(expected));
}

#[test]
fn invalid_messages_actions_and_fields_have_different_codes() {
    for body in ["", "hello", "[]", "7", "{", "null"] {
        assert_eq!(refused(body), ErrorCode::InvalidMessage, "{body}");
    }
    for body in [
        "{}",
        r#"{"action":7}"#,
        r#"{"action":"JoinSession"}"#,
        r#"{"action":"sendAudio"}"#,
    ] {
        assert_eq!(refused(body), ErrorCode::UnknownAction, "{body}");
    }
    let wrong = [
        json!({"action": "joinSession"}),
        json!({"action": "joinSession", "sessionId": "A-b-100", "targetLanguage": "de"}),
        json!({"action": "changeLanguage", "targetLanguage": 7}),
        json!({"action": "refreshConnection", "sessionId": "a-b-100-k7dq2m9x4hw3t", "role": "owner"}),
        json!({"action": "setVolume", "volumeLevel": 1.5}),
        json!({"action": "setVolume", "volumeLevel": "1"}),
    ];
    for message in wrong {
        assert_eq!(
            refused(&message.to_string()),
            ErrorCode::InvalidMessage,
            "{message}"
        );
    }
}

#[test]
fn a_wrong_field_is_named() {
    let error =
        parse(r#"{"action":"joinSession","sessionId":"a-b-100-k7dq2m9x4hw3t"}"#).unwrap_err();
    assert_eq!(error.message, "missing field `targetLanguage`");
    let error = parse(r#"{"action":"setVolume","volumeLevel":2}"#).unwrap_err();
    assert_eq!(error.message, "volumeLevel must be a number from 0 to 1");
}

#[test]
fn a_control_message_has_at_most_4_kilobytes() {
    let padded = |length: usize| {
        let bare = r#"{"action":"heartbeat","x":""}"#;
        bare.replace(r#""""#, &format!("\"{}\"", "x".repeat(length - bare.len())))
    };
    assert!(parse(&padded(4096)).is_ok());
    assert_eq!(refused(&padded(4097)), ErrorCode::MessageTooLarge);
}

#[tokio::test]
async fn an_error_is_answered_in_the_form_of_the_protocol() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    let answers = send_text(&world, "one", "hello").await;
    assert_eq!(code(&answers), "INVALID_MESSAGE");
    let now = crate::Clock::now(&world.clock);
    let expected = json!({"type": "error", "code": "INVALID_MESSAGE",
        "message": "a message must be a JSON object with an action", "timestamp": now});
    assert_eq!(answers, [expected]);
}

#[test]
fn refusals_have_messages() {
    let expected = |error: ConnectError| error.to_string();
    assert_eq!(expected(ConnectError::NoSessionId), "sessionId is missing");
    assert_eq!(
        expected(JoinError::NotActive(SessionStatus::Paused).into()),
        "the session is paused"
    );
    assert_eq!(expected(JoinError::Full.into()), "the session is full");
    let limited = RateLimitError::Exceeded {
        retry_after: std::time::Duration::ZERO,
    };
    assert_eq!(
        expected(JoinError::RateLimited(limited).into()),
        "too many requests"
    );
    assert_eq!(expected(JoinError::Store(down()).into()), "test: down");
    assert_eq!(
        JoinError::from(SessionRefusal::NotOwner),
        JoinError::InOtherSession
    );
    assert_eq!(
        JoinError::from(SessionRefusal::NoSession),
        JoinError::NoSession
    );
    assert_eq!(
        JoinError::from(SessionRefusal::WrongStatus(SessionStatus::Ended)),
        JoinError::NotActive(SessionStatus::Ended)
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_fields_panic(action in "[a-zA-Z]{0,12}|joinSession|setVolume|endSession", value in ".{0,20}", number in any::<f64>()) {
        let body = json!({"action": action, "sessionId": value, "volumeLevel": number, "reason": number});
        let _ = parse(&body.to_string());
    }
}
