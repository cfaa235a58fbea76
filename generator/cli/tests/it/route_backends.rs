//! Routes of stackgen.yaml that call tables, endpoints, services and nothing: rendered, and run by `stackgen dev`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::common::{Sandbox, root};
use crate::limits::post;
use crate::release::emulator::Emulator;
use crate::running::Dev;
use crate::services::services;

const NOTES: &str = r#"name: notes
tables:
  notes:
    partitionKey: { name: id, type: S }
    pointInTimeRecovery: true
    timeToLive: expiresAt
websocket:
  name: notes
  routes:
    $connect: { mock: 200 }
    $default: { mock: 404, responses: { '/4\d\d/': 'unknown to $context.routeKey', $default: 'known' } }
    ping: { mock: 200, response: '{"type": "pong", "route": "$context.routeKey"}' }
    save:
      table: notes
      action: PutItem
      request: |
        {"TableName": "$table", "Item": {
          "id": {"S": $input.json('$.id')}, "text": {"S": $input.json('$.text')}}}
      responses:
        $default: '{"type": "saved"}'
        /4\d\d/: '{"type": "refused", "reason": $input.json("$.message")}'
    load:
      table: notes
      action: GetItem
      request: '{"TableName": "$table", "Key": {"id": {"S": $input.json("$.id")}}}'
      response: '{"type": "note", "text": $input.json("$.Item.text.S")}'
    scan: { table: notes, action: Scan, request: '{"TableName": "other"}', twoWay: true }
    mirror: { httpProxy: ENDPOINT/mirror, twoWay: true }
    search:
      http: ENDPOINT/rooms/{room}
      method: PUT
      requestParameters: { path.room: route.request.body.room, querystring.q: "'a'", header.X-Kind: "'notes'" }
      request: '{"room": $input.json("$.room")}'
      response: 'found $input.body'
"#;

/// Answers every request on a port with what it got.
fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut request, mut kind, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut request)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "x-kind" => kind = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = request.replace(" HTTP/1.1\r\n", "");
    let text = format!("{request} {kind} {}", String::from_utf8_lossy(&body));
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{text}"
    )
}

fn started(file: &str, flags: &[&str]) -> Dev {
    let sandbox = Sandbox::with(file);
    let arguments = [&["--json", "--no-watch"], flags].concat();
    let mut dev = Dev::spawn(sandbox, &arguments, &[]);
    dev.ready = dev.event("ready");
    dev
}

/// Returns the items of a table.
fn items(dev: &Dev, table: &str) -> Value {
    let endpoint = dev.ready["gateway"]["dynamodb"].as_str().unwrap();
    let address = endpoint.strip_prefix("http://").unwrap();
    let headers =
        "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.Scan\r\n";
    let (status, body) = post(
        address,
        "/",
        headers,
        &json!({"TableName": table}).to_string(),
    );
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["Items"].take()
}

#[test]
fn routes_without_functions_render_without_findings() {
    let sandbox = Sandbox::with(&NOTES.replace("ENDPOINT", "https://example.com"));
    let run = sandbox.run("synth --format cfn-yaml --format sam");
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.stderr, "", "{run}");
}

#[test]
fn routes_answer_from_a_table_an_endpoint_and_a_mock() {
    let endpoint = format!("http://{}", echo_server());
    let mut dev = started(&NOTES.replace("ENDPOINT", &endpoint), &[]);
    let text = "it's \"me\" \\ ü";
    for (message, answer) in [
        (
            json!({"action": "ping"}),
            r#"{"type": "pong", "route": "ping"}"#,
        ),
        (json!({"action": "else"}), "unknown to $default"),
        (
            json!({"action": "save", "id": "1", "text": text}),
            r#"{"type": "saved"}"#,
        ),
        (
            json!({"action": "load", "id": "1"}),
            &json!({"type": "note", "text": text}).to_string(),
        ),
        // The table refuses an empty key, and the answer is selected by its status.
        (json!({"action": "save", "text": "a"}), r#""refused""#),
        // The role of the route may not use another table.
        (json!({"action": "scan"}), "AccessDeniedException"),
        (
            json!({"action": "mirror", "x": 1}),
            r#"POST /mirror  {"action":"mirror","x":1}"#,
        ),
        (
            json!({"action": "search", "room": "a/b"}),
            r#"found PUT /rooms/a%2Fb?q=a notes {"room": "a/b"}"#,
        ),
    ] {
        dev.answers(&message.to_string(), answer);
    }
    let stored = json!([{"id": {"S": "1"}, "text": {"S": text}}]);
    assert_eq!(items(&dev, "notes-dev"), stored);
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
}

#[test]
fn row_m10_conversions_whose_effect_is_not_documented_are_noted() {
    let file = "name: s
resources:
  Binary:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: { ApiId: !Ref WebSocketApi, IntegrationId: !Ref MirrorRouteIntegration, IntegrationResponseKey: /200/, ContentHandlingStrategy: CONVERT_TO_BINARY }
websocket:
  name: mirror
  routes:
    $default: { mock: 200 }
    mirror: { http: 'http://127.0.0.1:1', contentHandling: convertToText, twoWay: true }
";
    let dev = started(file, &[]);
    let notes = dev.ready["notes"].as_array().unwrap();
    let has = |text: &str| {
        notes
            .iter()
            .any(|note| note.as_str().unwrap().contains(text))
    };
    for text in [
        "mirror-dev: CONVERT_TO_TEXT of an integration has no effect here",
        "mirror-dev: CONVERT_TO_BINARY of an integration response decodes base64",
    ] {
        assert!(has(text), "{notes:?}");
    }
}

#[test]
fn routes_send_messages_to_services_of_an_emulator() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    services(&emulator, &["create"]);
    let file = root().join("generator/cli/tests/it/route_backends.yaml");
    let file = std::fs::read_to_string(file).unwrap();
    let mut dev = started(&file, &["--services", &emulator.url()]);
    let message = |action: &str| json!({"action": action, "text": "it's \"me\""}).to_string();
    for (action, answer) in [
        ("queue", format!("queued {}", "<?xml")),
        ("arn", "MessageId".to_owned()),
        ("topic", "MessageId".to_owned()),
        ("bus", "0".to_owned()),
        ("stream", "shardId-".to_owned()),
        ("machine", "arn:aws:states:".to_owned()),
        ("listed", "/notes".to_owned()),
    ] {
        dev.answers(&message(action), &answer);
    }
    let received = services(&emulator, &["received", "4"]);
    let body = |action: &str| serde_json::from_str::<Value>(&message(action)).unwrap();
    let mut messages: Vec<Value> = received["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap())
        .collect();
    messages.sort_by_key(|message| message["action"].to_string());
    assert_eq!(messages, ["arn", "bus", "queue", "topic"].map(body));
    assert_eq!(received["inputs"], json!([message("machine")]));
    assert_eq!(received["records"], json!([message("stream")]));
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
}
