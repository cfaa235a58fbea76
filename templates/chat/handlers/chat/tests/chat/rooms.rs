//! Tests of the rules, on a table.

use chat::handler::HandlerError;
use chat::protocol::RoomName;
use chat::rooms::{Membership, Memberships};
use serde_json::{Value, json};
use stackgen_websocket::ConnectionId;
use stackgen_websocket_testing::ConnectionBehavior;
use stackgen_websocket_testing::events::Socket;

use crate::world::{TABLE, World, socket};

fn lobby() -> Value {
    json!({"action": "joinRoom", "room": "lobby"})
}

fn hello() -> Value {
    json!({"action": "sendMessage", "room": "lobby", "text": "Hello"})
}

#[tokio::test]
async fn members_receive_messages_of_others_only() {
    let world = World::new().await;
    let (anna, ben, carla) = (socket("anna"), socket("ben"), socket("carla"));
    for member in [&anna, &ben] {
        let answer = world.send(member, "joinRoom", lobby()).await;
        assert_eq!(answer, json!({"type": "joinedRoom", "room": "lobby"}));
    }
    let other = json!({"action": "joinRoom", "room": "another"});
    world.send(&carla, "joinRoom", other).await;

    let answer = world.send(&anna, "sendMessage", hello()).await;
    assert_eq!(
        answer,
        json!({"type": "messageSent", "room": "lobby", "delivered": 1})
    );
    let mut received = world.received(&ben);
    assert!(received[0]["sentAt"].take().is_u64());
    let message = json!({"type": "message", "room": "lobby", "from": "anna", "text": "Hello", "sentAt": null});
    assert_eq!(received, [message]);
    assert_eq!(world.received(&anna), [] as [Value; 0]);
    assert_eq!(world.received(&carla), [] as [Value; 0]);
}

#[tokio::test]
async fn joining_and_leaving_are_idempotent() {
    let world = World::new().await;
    let (anna, ben) = (socket("anna"), socket("ben"));
    for member in [&anna, &ben, &ben] {
        world.send(member, "joinRoom", lobby()).await;
    }
    let sent = world.send(&anna, "sendMessage", hello()).await;
    assert_eq!(sent["delivered"], 1);
    for _ in 0..2 {
        let left = world.send(&ben, "leaveRoom", lobby()).await;
        assert_eq!(left, json!({"type": "leftRoom", "room": "lobby"}));
    }
    let sent = world.send(&anna, "sendMessage", hello()).await;
    assert_eq!(sent["delivered"], 0);
    let refused = world.send(&ben, "sendMessage", hello()).await;
    assert_eq!(refused["code"], "NOT_A_MEMBER");
}

#[tokio::test]
async fn a_member_whose_connection_is_gone_is_removed() {
    let world = World::new().await;
    let (anna, ben, carla) = (socket("anna"), socket("ben"), socket("carla"));
    for member in [&anna, &ben, &carla] {
        world.send(member, "joinRoom", lobby()).await;
    }
    world
        .management
        .set(&ben.connection_id, ConnectionBehavior::Gone);
    let sent = world.send(&anna, "sendMessage", hello()).await;
    assert_eq!(sent["delivered"], 1);
    let room = RoomName::try_from("lobby".to_owned()).unwrap();
    let members = world.chat.memberships.members(&room).await.unwrap();
    assert_eq!(members, [anna.connection_id, carla.connection_id]);
}

#[tokio::test]
async fn a_disconnected_member_leaves_every_room() {
    let world = World::new().await;
    let anna = socket("anna");
    for room in ["lobby", "another"] {
        let join = json!({"action": "joinRoom", "room": room});
        world.send(&anna, "joinRoom", join).await;
    }
    for _ in 0..2 {
        let reply = world
            .handle(anna.disconnect(1001, "Going away"))
            .await
            .unwrap();
        assert_eq!((reply.status_code, reply.body), (200, None));
    }
    let rooms = world
        .chat
        .memberships
        .rooms(&anna.connection_id)
        .await
        .unwrap();
    assert_eq!(rooms, []);
}

#[tokio::test]
async fn a_membership_expires_three_hours_after_its_handshake() {
    let world = World::new().await;
    let anna = socket("anna");
    world.send(&anna, "joinRoom", lobby()).await;
    let items = world
        .dynamodb
        .scan()
        .table_name(TABLE)
        .send()
        .await
        .unwrap();
    let expires = items.items()[0]["ttl"].as_n().unwrap();
    let connected = anna.connected_at.as_seconds();
    assert_eq!(*expires, (connected + 3 * 3600).to_string());
}

#[tokio::test]
async fn a_room_is_read_page_by_page() {
    let world = World::new().await;
    let room = RoomName::try_from("lobby".to_owned()).unwrap();
    // DynamoDB ends a page at 1 MB.
    for number in 0..30 {
        let membership = Membership {
            room: room.clone(),
            connection_id: ConnectionId::new(format!("{number:02}")),
            user_id: "x".repeat(50_000),
            expires_at: 0,
        };
        world.chat.memberships.add(&membership).await.unwrap();
    }
    let one_page = world
        .dynamodb
        .scan()
        .table_name(TABLE)
        .send()
        .await
        .unwrap();
    assert!(one_page.last_evaluated_key().is_some());
    let members = world.chat.memberships.members(&room).await.unwrap();
    assert_eq!(members.len(), 30);
}

#[tokio::test]
async fn only_authorized_callers_connect_and_c9_connect_has_no_body() {
    let world = World::new().await;
    let query = [("token", "a token")];
    let known = world
        .handle(socket("anna").connect(&query, &[]))
        .await
        .unwrap();
    assert_eq!((known.status_code, known.body), (200, None));
    let nobody = Socket::new("nobody=");
    let unknown = world.handle(nobody.connect(&query, &[])).await.unwrap();
    assert_eq!((unknown.status_code, unknown.body), (401, None));
    let refused = world.send(&nobody, "joinRoom", lobby()).await;
    assert_eq!(refused["code"], "NOT_AUTHENTICATED");
}

#[tokio::test]
async fn a_failing_table_fails_the_event() {
    let world = World::new().await;
    world
        .dynamodb
        .delete_table()
        .table_name(TABLE)
        .send()
        .await
        .unwrap();
    let event = socket("anna").message("joinRoom", &lobby().to_string());
    let failed = world.handle(event).await.unwrap_err();
    assert!(matches!(&failed, HandlerError::Store(_)));
    assert_eq!(failed.to_string(), "join: ResourceNotFoundException");
}
