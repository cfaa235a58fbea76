//! Tests of a session from beginning to end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stackgen_websocket_testing::Function;
use stackgen_websocket_testing::events::{HttpRequest, Socket};

use crate::stack::{
    AUDIO, AUTHORIZER, CONNECTION, DISCONNECT, HTTP, Stack, answer, body, line, lines, socket,
    users_socket,
};

/// A session with a speaker and two listeners.
struct Room {
    stack: Stack,
    session: String,
    connection: Function,
    mic: Socket,
    one: Socket,
    two: Socket,
}

impl Room {
    async fn open() -> Self {
        let stack = Stack::start().await;
        let session = stack.session("ada").await;
        let connection = stack.function(CONNECTION).await;
        let mut room = Room {
            stack,
            session,
            connection,
            mic: users_socket("bWlj=", "ada"),
            one: socket("b25l="),
            two: socket("dHdv="),
        };
        let id = room.session.clone();
        for (socket, query) in [
            (
                room.mic.clone(),
                vec![("sessionId", id.as_str()), ("token", "of-ada")],
            ),
            (
                room.one.clone(),
                vec![("sessionId", id.as_str()), ("targetLanguage", "de")],
            ),
            (
                room.two.clone(),
                vec![("sessionId", id.as_str()), ("targetLanguage", "fr")],
            ),
        ] {
            let answer = answer(&mut room.connection, &socket.connect(&query, &[])).await;
            assert_eq!(
                answer,
                json!({"statusCode": 200}),
                "exactly that, and no body"
            );
        }
        room
    }

    /// Sends a message, and returns the messages that its sender got in the meantime.
    async fn send(&mut self, socket: &Socket, message: Value) -> Vec<Value> {
        let before = self.stack.posted(socket.connection_id.as_str()).len();
        let route = message["action"].as_str().unwrap_or("$default");
        let event = socket.message(route, &message.to_string());
        assert_eq!(
            answer(&mut self.connection, &event).await,
            json!({"statusCode": 200})
        );
        self.stack
            .posted(socket.connection_id.as_str())
            .split_off(before)
    }

    async fn seen(&self) -> Value {
        let mut http = self.stack.function(HTTP).await;
        let path = format!("/sessions/{}", self.session);
        let request = HttpRequest {
            route_key: "GET /sessions/{sessionId}",
            path: &path,
            path_parameters: &[("sessionId", &self.session)],
            ..HttpRequest::default()
        };
        let answer = answer(&mut http, &request.event()).await;
        assert_eq!(answer["statusCode"], 200);
        body(&answer)
    }
}

#[tokio::test]
async fn answers_are_posted_and_not_returned() {
    let mut room = Room::open().await;
    assert_eq!(room.seen().await["listenerCount"], 2);
    assert_eq!(
        room.stack.management.requests(),
        [],
        "nothing is posted from inside $connect (row C11)"
    );
    let session = room.session.clone();
    let (one, mic) = (room.one.clone(), room.mic.clone());

    let join = json!({"action": "joinSession", "sessionId": session, "targetLanguage": "es"});
    let joined = room.send(&one, join).await;
    assert_eq!(joined.len(), 1);
    assert_eq!(
        (&joined[0]["type"], &joined[0]["targetLanguage"]),
        (&json!("sessionJoined"), &json!("es"))
    );
    assert_eq!(joined[0]["connectionId"], "b25l=");

    let beat = room
        .send(&one, json!({"action": "heartbeat", "timestamp": 1}))
        .await;
    assert_eq!(beat[0]["type"], "heartbeatAck");

    let paused = room.send(&mic, json!({"action": "pauseBroadcast"})).await;
    assert_eq!(paused[0]["type"], "broadcastPaused");
    assert_eq!(room.stack.posted_types("dHdv="), ["broadcastPaused"]);

    let refused = room
        .send(&one, json!({"action": "endSession", "sessionId": session}))
        .await;
    assert_eq!(
        (&refused[0]["type"], &refused[0]["code"]),
        (&json!("error"), &json!("NOT_SPEAKER"))
    );
    let unknown = room.send(&one, json!({"action": "dance"})).await;
    assert_eq!(unknown[0]["code"], "UNKNOWN_ACTION");

    let status = room.send(&one, json!({"action": "getSessionStatus"})).await;
    assert_eq!(status[0]["languageDistribution"], json!({"es": 1, "fr": 1}));
    assert_eq!(status[0]["broadcastState"]["isPaused"], true);

    let ended = room
        .send(
            &mic,
            json!({"action": "endSession", "sessionId": session, "reason": "over"}),
        )
        .await;
    assert_eq!(
        (&ended[0]["type"], &ended[0]["reason"]),
        (&json!("sessionEnded"), &json!("over"))
    );
    assert_eq!(
        room.stack.posted_types("dHdv="),
        ["broadcastPaused", "sessionEnded"]
    );
    let seen = room.seen().await;
    assert_eq!(
        (&seen["status"], &seen["listenerCount"]),
        (&json!("ended"), &json!(0))
    );
}

#[tokio::test]
async fn audio_reaches_the_listeners_and_stays_out_of_the_logs() {
    let mut room = Room::open().await;
    let mut audio = room.stack.function(AUDIO).await;
    let data = STANDARD.encode([42; 400]);
    let chunk = json!({"action": "sendAudio", "sessionId": room.session, "audioData": data, "timestamp": 7,
                       "format": "pcm", "chunkIndex": 1});
    let event = room.mic.message("sendAudio", &chunk.to_string());
    assert_eq!(answer(&mut audio, &event).await, json!({"statusCode": 200}));
    for listener in ["b25l=", "dHdv="] {
        let posted = room.stack.posted(listener);
        let expected = json!({"type": "audio", "sessionId": room.session, "audioData": data, "timestamp": 7,
                              "format": "pcm", "chunkIndex": 1});
        assert_eq!(posted, [expected]);
    }
    assert_eq!(
        room.stack.posted("bWlj="),
        [] as [Value; 0],
        "the speaker hears nothing of it"
    );

    let by_a_listener = room.one.message("sendAudio", &chunk.to_string());
    answer(&mut audio, &by_a_listener).await;
    assert_eq!(room.stack.posted("b25l=")[1]["code"], "NOT_SPEAKER");

    let logs = audio.stop().await;
    let sent = line(&lines(&logs), "Audio sent").clone();
    assert_eq!(
        (&sent["sent"], &sent["connectionId"]),
        (&json!(2), &json!("bWlj="))
    );
    assert!(
        !logs.join("\n").contains(&data[..40]),
        "no audio in a log, not even at trace"
    );
    let metrics = logs
        .iter()
        .find(|line| line.contains("FanOutSent"))
        .unwrap();
    let metrics: Value = serde_json::from_str(metrics).unwrap();
    assert_eq!(metrics["FanOutSent"], 2);
    // Other functions still work.
    assert_eq!(
        room.send(&room.one.clone(), json!({"action": "heartbeat"}))
            .await[0]["type"],
        "heartbeatAck"
    );
}

#[tokio::test]
async fn a_disconnect_counts_once_and_listeners_are_notified_of_the_speakers() {
    let room = Room::open().await;
    let mut disconnect = room.stack.function(DISCONNECT).await;
    for _ in 0..3 {
        let event = room
            .one
            .disconnect(1005, "Client-side close frame status not set");
        assert_eq!(
            answer(&mut disconnect, &event).await,
            json!({"statusCode": 200})
        );
    }
    assert_eq!(room.seen().await["listenerCount"], 1);
    answer(&mut disconnect, &room.mic.disconnect(1001, "")).await;
    let posted = room.stack.posted("dHdv=");
    assert_eq!(posted[0]["type"], "speakerStateChanged");
    assert_eq!(posted[0]["broadcastState"]["isActive"], false);

    let lines = lines(&disconnect.stop().await);
    let clean = line(&lines, "Clean disconnect");
    let (session, listener) = (json!(room.session), json!("listener"));
    assert_eq!((&clean["sessionId"], &clean["role"]), (&session, &listener));
    assert_eq!(clean["connectionId"], "b25l=");
    assert!(clean["requestId"].is_string() && clean["lambdaRequestId"].is_string());
    assert_eq!(line(&lines, "Connection closed")["code"], 1005);
}

#[tokio::test]
async fn the_documented_log_lines_are_written() {
    let stack = Stack::start().await;
    let session = stack.session("ada").await;
    let token = stack.issuer.token("ada").signed(&stack.issuer.key());
    let socket = users_socket("bWlj=", "ada");
    let query = [("sessionId", session.as_str()), ("token", token.as_str())];

    let mut authorizer = stack.function(AUTHORIZER).await;
    let allowed = answer(&mut authorizer, &socket.authorize(&query, &[])).await;
    assert_eq!(allowed["principalId"], "ada");
    answer(&mut authorizer, &socket.authorize(&query[..1], &[])).await;
    let logs = authorizer.stop().await;
    assert!(
        !logs.join("\n").contains(&token),
        "no token in a log, not even at trace"
    );
    let authorized = lines(&logs);
    let validated = line(&authorized, "Token validated");
    assert_eq!(validated["connectionId"], "bWlj=");
    assert!(validated["requestId"].is_string());
    let roles: Vec<_> = authorized
        .iter()
        .filter(|line| line["message"] == "Authorization successful")
        .map(|line| line["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["authenticated", "anonymous"]);

    let mut connection = stack.function(CONNECTION).await;
    answer(&mut connection, &socket.connect(&query, &[])).await;
    let logs = connection.stop().await;
    assert!(
        !logs.join("\n").contains(&token),
        "no token in a log, not even at trace"
    );
    let lines = lines(&logs);
    let created = line(&lines, "Connection record created");
    assert_eq!(
        (&created["role"], &created["sessionId"]),
        (&json!("speaker"), &json!(session))
    );
    assert_eq!(created["connectionId"], "bWlj=");
}
