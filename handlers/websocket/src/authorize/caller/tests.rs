use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use serde_json::{Value, json};
use stackgen_websocket_testing::events::Socket;

use super::*;

fn read(event: Value) -> CallerIdentity {
    let event: ApiGatewayWebsocketProxyRequest = serde_json::from_value(event).unwrap();
    CallerIdentity::read(&event.request_context.authorizer)
}

#[test]
fn a_user_is_read_on_every_route() {
    let socket = Socket::new("c=").authorized("alice", &[("userId", "alice"), ("tokenUse", "id")]);
    for event in [
        socket.connect(&[], &[]),
        socket.message("sendAudio", "{}"),
        socket.disconnect(1000, "Connection Closed Normally"),
    ] {
        let caller = read(event);
        assert_eq!(caller, CallerIdentity::User("alice".to_owned()));
        assert_eq!(caller.user_id(), Some("alice"));
    }
}

#[test]
fn without_a_context_the_caller_is_anonymous() {
    let caller = read(Socket::new("c=").connect(&[], &[]));
    assert_eq!(caller, CallerIdentity::Anonymous);
    assert_eq!(caller.user_id(), None);
    let mut event = Socket::new("c=").message("sendAudio", "{}");
    event["requestContext"]["authorizer"] = json!(null);
    assert_eq!(read(event), CallerIdentity::Anonymous);
}

#[test]
fn the_principal_does_not_identify_the_caller() {
    let socket = Socket::new("c=").authorized("alice", &[]);
    assert_eq!(read(socket.connect(&[], &[])), CallerIdentity::Anonymous);
}

#[test]
fn an_empty_user_is_anonymous() {
    let socket = Socket::new("c=").authorized("anonymous", &[("userId", "")]);
    assert_eq!(read(socket.connect(&[], &[])), CallerIdentity::Anonymous);
}

#[test]
fn a_user_named_anonymous_is_a_user() {
    let socket = Socket::new("c=").authorized("anonymous", &[("userId", "anonymous")]);
    let caller = read(socket.connect(&[], &[]));
    assert_eq!(caller.user_id(), Some("anonymous"));
}

#[test]
fn a_user_id_that_is_no_string_is_anonymous() {
    let mut event = Socket::new("c=").authorized("x", &[]).connect(&[], &[]);
    event["requestContext"]["authorizer"]["userId"] = json!(7);
    assert_eq!(read(event), CallerIdentity::Anonymous);
}
