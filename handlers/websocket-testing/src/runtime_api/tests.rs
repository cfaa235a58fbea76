use super::*;
use crate::server::client::{ClientResponse, request};

async fn start() -> RuntimeApi {
    RuntimeApi::start(Duration::from_secs(30)).await
}

async fn poll(address: SocketAddr) -> ClientResponse {
    let path = "/2018-06-01/runtime/invocation/next";
    request(address, "GET", path, "", "").await
}

/// Asks for an event, and posts this body to `response` or `error`.
async fn serve_one(address: SocketAddr, what: &str, body: &str) -> u16 {
    let next = poll(address).await;
    let id = next.header("lambda-runtime-aws-request-id").unwrap();
    let path = format!("/2018-06-01/runtime/invocation/{id}/{what}");
    request(address, "POST", &path, "", body).await.status
}

#[tokio::test]
async fn an_event_reaches_the_function_and_its_response_the_caller() {
    let api = start().await;
    let event = json!({"some": "event"});
    let function = async {
        let next = poll(api.address()).await;
        assert_eq!(serde_json::from_str::<Value>(&next.body).unwrap(), event);
        for name in [
            "lambda-runtime-deadline-ms",
            "lambda-runtime-invoked-function-arn",
            "lambda-runtime-trace-id",
        ] {
            assert!(
                next.header(name).is_some_and(|value| !value.is_empty()),
                "{name}"
            );
        }
        let id = next.header("lambda-runtime-aws-request-id").unwrap();
        let path = format!("/2018-06-01/runtime/invocation/{id}/response");
        assert_eq!(
            request(api.address(), "POST", &path, "", "[1]")
                .await
                .status,
            202
        );
        // A second response is refused.
        assert_eq!(
            request(api.address(), "POST", &path, "", "[2]")
                .await
                .status,
            400
        );
    };
    let (answer, ()) = tokio::join!(api.invoke(&event), function);
    assert_eq!(answer, InvocationResult::Response(json!([1])));
    assert!(api.first_next() <= api.first_answer());
}

#[tokio::test]
async fn a_failure_reaches_the_caller() {
    let api = start().await;
    let error = r#"{"errorMessage":"Unauthorized","errorType":"Denied"}"#;
    let event = json!({});
    let (answer, status) =
        tokio::join!(api.invoke(&event), serve_one(api.address(), "error", error));
    assert_eq!(status, 202);
    assert_eq!(
        answer,
        InvocationResult::Error {
            message: "Unauthorized".to_owned(),
            error_type: "Denied".to_owned(),
        }
    );
}

#[tokio::test]
async fn events_are_handed_out_in_order() {
    let api = start().await;
    let functions = async {
        for _ in 0..3 {
            let next = poll(api.address()).await;
            let id = next.header("lambda-runtime-aws-request-id").unwrap();
            let path = format!("/2018-06-01/runtime/invocation/{id}/response");
            request(api.address(), "POST", &path, "", &next.body).await;
        }
    };
    let (one, two, three) = (json!(1), json!(2), json!(3));
    let (a, b, c, ()) = tokio::join!(
        api.invoke(&one),
        api.invoke(&two),
        api.invoke(&three),
        functions
    );
    assert_eq!([a, b, c].map(InvocationResult::response), [one, two, three]);
}

#[tokio::test]
async fn a_function_that_does_not_respond_times_out() {
    let api = RuntimeApi::start(Duration::from_millis(1)).await;
    assert_eq!(api.invoke(&json!({})).await, InvocationResult::TimedOut);
}

#[tokio::test]
async fn it_is_idle_once_it_polls_again() {
    let api = start().await;
    let event = json!({});
    let (answer, _) = tokio::join!(
        api.invoke(&event),
        serve_one(api.address(), "response", "null")
    );
    assert_eq!(answer, InvocationResult::Response(Value::Null));
    tokio::select! {
        biased;
        () = api.idle() => panic!("it is not: nobody polls"),
        () = std::future::ready(()) => {}
    }
    tokio::select! {
        () = api.idle() => {}
        _ = poll(api.address()) => panic!("there is no further event"),
    }
}

#[tokio::test]
async fn an_initialization_error_is_recorded() {
    let api = start().await;
    assert_eq!(api.init_error(), None);
    let path = "/2018-06-01/runtime/init/error";
    let reply = request(api.address(), "POST", path, "", r#"{"errorMessage":"no"}"#).await;
    assert_eq!(reply.status, 202);
    assert_eq!(api.init_error(), Some(json!({"errorMessage": "no"})));
}
