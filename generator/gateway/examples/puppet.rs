//! Puppet: a function that runs the commands in its event, for tests with real processes.
//!
//! The script comes from the query parameter `do` (`$connect`, HTTP APIs), from `{"do": "…"}` in the body of a message,
//! or from the event itself (`{"do": "…"}`, as in `aws lambda invoke`). Otherwise it comes from the variable `PUPPET`,
//! and the default is `ok`. Authorizers read the query parameter `auth` instead of `do`. A script is a list of commands
//! separated by `;`. The last answer counts:
//!
//! | command | effect |
//! |---|---|
//! | `ok` | answers 200 |
//! | `status:401` | answers this status |
//! | `body:TEXT` | answers 200 with this body |
//! | `echo` | answers 200 with the event as the body |
//! | `mirror` | answers 200 with the message's own body |
//! | `env:NAME` | answers 200 with the environment variable's value, or `(unset)` |
//! | `subprotocol:NAME` | answers 200 with `Sec-WebSocket-Protocol` |
//! | `raw:JSON` | answers exactly this JSON, which extends to the end of the text |
//! | `null` | answers `null` |
//! | `throw:MESSAGE` | fails with the type `Thrown` |
//! | `sleep:MILLIS` | waits |
//! | `await:FILE` | waits until this file exists |
//! | `exit`, `exit:CODE` | exits immediately |
//! | `print:TEXT` | writes a line to standard output |
//! | `fork` | starts a child process that sleeps for a minute, and answers its ID |
//! | `pid` | answers 200 with the ID of this process |
//! | `count` | answers 200 with the number of events that this process has received |
//! | `post:TEXT` | posts to its own connection at `MANAGEMENT_ENDPOINT`; throws `Post` with the status if that fails |
//! | `delete` | deletes its own connection; throws `Post` as well |
//! | `allow`, `deny` | answers a policy for exactly `methodArn` |
//! | `simple:true`, `simple:false` | answers a simple response of payload format 2.0 |
//! | `allow:RESOURCE` | answers a policy that allows this resource |
//! | `context:JSON` | answers a policy that allows, with this context |
//! | `unauthorized` | fails with the message `Unauthorized` |
//!
//! With the variable `RECORDER`, the function first posts every event to that URL. With `PUPPET_INIT`, it runs that
//! command (`exit`, `sleep:MILLIS`, `throw:MESSAGE`) before it asks for its first event.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_apigatewaymanagement as management;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

static EVENTS: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::var("PUPPET_INIT").ok().as_deref().map(split) {
        Some(("exit", code)) => std::process::exit(code.parse().unwrap_or(1)),
        Some(("sleep", millis)) => sleep(millis).await,
        Some(("throw", message)) => return Err(message.into()),
        _ => {}
    }
    lambda_runtime::run(service_fn(play)).await
}

async fn play(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    EVENTS.fetch_add(1, Ordering::Relaxed);
    let event = event.payload;
    record(&event).await;
    let script = script(&event);
    let mut rest = script.as_str();
    let mut answer = json!({ "statusCode": 200 });
    while !rest.is_empty() {
        let command = match rest.split_once(';') {
            Some((command, after)) if !rest.starts_with("raw:") => {
                rest = after;
                command
            }
            _ => std::mem::take(&mut rest),
        };
        let (verb, argument) = split(command);
        if let Some(result) = run_command(verb, argument, &event).await? {
            answer = result;
        }
    }
    Ok(answer)
}

/// Returns the script for this event.
fn script(event: &Value) -> String {
    let query = &event["queryStringParameters"];
    let authorizer = event["type"] == "REQUEST";
    let of_body = || {
        let body: Value = serde_json::from_str(event["body"].as_str()?).ok()?;
        body["do"].as_str().map(str::to_owned)
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let commands = if authorizer {
        text(&query["auth"])
    } else {
        text(&query["do"])
            .or_else(of_body)
            .or_else(|| text(&event["do"]))
    };
    let default = if authorizer { "allow" } else { "ok" };
    commands
        .or_else(|| std::env::var("PUPPET").ok())
        .unwrap_or_else(|| default.to_owned())
}

fn split(command: &str) -> (&str, &str) {
    command.split_once(':').unwrap_or((command, ""))
}

async fn run_command(
    verb: &str,
    argument: &str,
    event: &Value,
) -> Result<Option<Value>, Diagnostic> {
    let body = |text: String| Some(json!({ "statusCode": 200, "body": text }));
    Ok(match verb {
        "ok" => Some(json!({ "statusCode": 200 })),
        "status" => Some(json!({ "statusCode": argument.parse::<u16>().unwrap_or(200) })),
        "body" => body(argument.to_owned()),
        "echo" => body(event.to_string()),
        "mirror" => Some(json!({ "statusCode": 200, "body": event["body"] })),
        "env" => body(std::env::var(argument).unwrap_or_else(|_| "(unset)".to_owned())),
        "subprotocol" => {
            Some(json!({ "statusCode": 200, "headers": { "Sec-WebSocket-Protocol": argument } }))
        }
        "raw" => Some(serde_json::from_str(argument).map_err(|error| thrown("Raw", error))?),
        "null" => Some(Value::Null),
        "throw" => return Err(thrown("Thrown", argument)),
        "unauthorized" => return Err(thrown("Thrown", "Unauthorized")),
        "sleep" => {
            sleep(argument).await;
            None
        }
        "await" => {
            while !std::path::Path::new(argument).exists() {
                sleep("5").await;
            }
            None
        }
        "exit" => std::process::exit(argument.parse().unwrap_or(1)),
        "print" => {
            writeln!(std::io::stdout(), "{argument}").map_err(|error| thrown("Print", error))?;
            None
        }
        "fork" => {
            let child = std::process::Command::new("sleep").arg("60").spawn();
            body(
                child
                    .map_err(|error| thrown("Fork", error))?
                    .id()
                    .to_string(),
            )
        }
        "pid" => body(std::process::id().to_string()),
        "count" => body(EVENTS.load(Ordering::Relaxed).to_string()),
        "post" | "delete" => {
            manage(verb, argument, event).await?;
            None
        }
        _ => authorize(verb, argument, event)?,
    })
}

fn authorize(verb: &str, argument: &str, event: &Value) -> Result<Option<Value>, Diagnostic> {
    let own = event["methodArn"].as_str().or(event["routeArn"].as_str());
    let own = own.unwrap_or("*");
    let policy = |effect: &str, resource: &str, context: Value| {
        json!({
            "principalId": "puppet",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": resource }],
            },
            "context": context,
        })
    };
    Ok(Some(match verb {
        "allow" if argument.is_empty() => policy("Allow", own, json!({})),
        "allow" => policy("Allow", argument, json!({})),
        "deny" => policy("Deny", own, json!({})),
        "context" => {
            let context = serde_json::from_str(argument).map_err(|error| thrown("Raw", error))?;
            policy("Allow", own, context)
        }
        "simple" => json!({ "isAuthorized": argument == "true", "context": { "puppet": "yes" } }),
        _ => return Err(thrown("Puppet", format!("no such command: {verb}"))),
    }))
}

fn thrown(kind: &str, message: impl ToString) -> Diagnostic {
    Diagnostic {
        error_type: kind.to_owned(),
        error_message: message.to_string(),
    }
}

async fn sleep(millis: &str) {
    tokio::time::sleep(Duration::from_millis(millis.parse().unwrap_or(0))).await;
}

/// Posts to the event's own connection, or deletes it.
async fn manage(verb: &str, text: &str, event: &Value) -> Result<(), Diagnostic> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let keys = management::config::Credentials::new(
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let config = management::Config::builder()
        .behavior_version(management::config::BehaviorVersion::latest())
        .region(management::config::Region::new(variable("AWS_REGION")))
        .endpoint_url(variable("MANAGEMENT_ENDPOINT"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(management::config::retry::RetryConfig::disabled())
        .credentials_provider(keys)
        .build();
    let client = management::Client::from_conf(config);
    let id = event["requestContext"]["connectionId"]
        .as_str()
        .unwrap_or_default();
    let status = if verb == "post" {
        let post = client
            .post_to_connection()
            .connection_id(id)
            .data(text.as_bytes().to_vec().into());
        post.send().await.err().map(|error| {
            (
                error.raw_response().map(|raw| raw.status().as_u16()),
                format!("{error:?}"),
            )
        })
    } else {
        let delete = client.delete_connection().connection_id(id);
        delete.send().await.err().map(|error| {
            (
                error.raw_response().map(|raw| raw.status().as_u16()),
                format!("{error:?}"),
            )
        })
    };
    match status {
        None => Ok(()),
        Some((Some(status), _)) => Err(thrown("Post", status)),
        Some((None, error)) => Err(thrown("Post", error)),
    }
}

/// Posts an event to the recorder and waits for the answer.
async fn record(event: &Value) {
    let Ok(recorder) = std::env::var("RECORDER") else {
        return;
    };
    let address = recorder.trim_start_matches("http://");
    let (authority, path) = address.split_once('/').unwrap_or((address, ""));
    let Ok(mut socket) = TcpStream::connect(authority).await else {
        return;
    };
    let body = event.to_string();
    let request = format!(
        "POST /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    if socket.write_all(request.as_bytes()).await.is_ok() {
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
    }
}
