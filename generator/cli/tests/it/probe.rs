//! `stackgen probe` against scripted servers on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use insta::assert_snapshot;
use serde_json::json;
use tokio::net::TcpSocket;

use crate::common::{Run, Sandbox, root};

/// Serves every connection with a script, and returns the URL.
fn serve(script: impl Fn(Peer) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/prod", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            script(Peer::new(stream.unwrap()));
        }
    });
    url
}

struct Peer {
    stream: TcpStream,
    head: String,
}

impl Peer {
    fn new(mut stream: TcpStream) -> Self {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        Peer { stream, head }
    }

    fn refuse(mut self, status: &str, body: &str) {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        self.stream.write_all(answer.as_bytes()).unwrap();
    }

    /// Accepts the handshake with the answer to the key, by RFC 6455.
    fn accept(&mut self) {
        let lines = self.head.lines();
        let key = lines
            .filter_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
            .next()
            .unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.stream.write_all(answer.as_bytes()).unwrap();
    }

    /// Reads the client's next frame, which must be short: opcode and payload.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 6];
        self.stream.read_exact(&mut head).ok()?;
        let mut payload = vec![0; usize::from(head[1] & 0x7f)];
        self.stream.read_exact(&mut payload).ok()?;
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= head[2 + index % 4];
        }
        Some((head[0] & 0x0f, payload))
    }

    fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode, u8::try_from(payload.len()).unwrap()];
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame).unwrap();
    }
}

/// Echoes every message.
fn echo(mut peer: Peer) {
    peer.accept();
    while let Some((opcode, payload)) = peer.next() {
        peer.frame(opcode, &payload);
        if opcode == 8 {
            return;
        }
    }
}

/// Replaces ports and durations.
fn steady(test: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT");
    settings.add_filter(r" +\d+\.\d\d\d s  ", "    TIME  ");
    settings.add_filter(r"\d+(\.\d+)? ms", "TIME");
    settings.add_filter(r"\d+\.\d\d\d s", "TIME");
    settings.add_filter(r"an age of \d+\.\d s", "an age of TIME");
    settings.bind(test);
}

#[test]
fn row_m7_an_exchange_is_printed_line_by_line() {
    let url = serve(echo);
    let sandbox = Sandbox::new();
    let run = sandbox.run(&format!(
        "probe {url} --send {{\"n\":1,\"text\":\"hello\"}} --expect {{\"n\":1}}"
    ));
    steady(|| {
        assert_snapshot!(run, @r#"
        exit 0
        --- stdout
        ws://127.0.0.1:PORT/prod as anonymous
        connected to 127.0.0.1:PORT (DNS TIME, TCP TIME)
        101 Switching Protocols after TIME
            TIME  sent      {"n":1,"text":"hello"}
            TIME  received  {"n":1,"text":"hello"}
            TIME  closed by the client with 1000
        "#);
    });
}

#[test]
fn row_x2_a_refusal_is_explained_and_its_token_is_not_shown() {
    let url = serve(|peer| {
        assert!(peer.head.contains("GET /prod?token=s3cr3t-t0ken HTTP/1.1"));
        peer.refuse(
            "401 Unauthorized",
            r#"{"message":"Unauthorized s3cr3t-t0ken"}"#,
        );
    });
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command.env("TOKEN", "s3cr3t-t0ken");
    let output = command
        .args(["probe", &url, "--token-env", "TOKEN"])
        .output()
        .unwrap();
    let run = Run::of(output);
    steady(|| {
        assert_snapshot!(run, @r#"
        exit 3
        --- stdout
        ws://127.0.0.1:PORT/prod?token=[hidden] as a caller with a token in the query
        connected to 127.0.0.1:PORT (DNS TIME, TCP TIME)
        401 Unauthorized after TIME: {"message":"Unauthorized [hidden]"}

        likely (row A6)
          API Gateway called the authorizer, which failed with exactly `Unauthorized`.
          seen: 401 Unauthorized after TIME: "Unauthorized [hidden]"
          seen: a token was sent in the query
          next: Read the authorizer's log. The token may have expired, have another audience, or be signed
                with a key that the issuer does not publish.

        possible (rows A2, A3)
          An identity source of the authorizer is missing or empty. API Gateway itself answered 401 and did
          not call the authorizer.
          next: Compare the authorizer's IdentitySource with what the client sends: every source must be
                present. If some callers have no token (`callers: mixed`), the list must be empty. If this
                is the cause, the authorizer's log has no line for this request.

        possible (rows C5, C9)
          The $connect integration answered 401 itself: every status other than 2xx becomes that of the
          handshake.
          next: Read the $connect function's log. Its body and headers never reach the client, so only the
                log has the reason.

        in a browser
          a page sees only close code 1006: no status, no reason (row X2); a browser hides the status of a
          handshake that fails.

        not as expected: the handshake is answered with 101 (401)
        --- stderr
        look up a row: stackgen explain A6
        "#);
    });
}

#[test]
fn an_expected_refusal_passes() {
    let url = serve(|peer| peer.refuse("401 Unauthorized", ""));
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox
            .run(&format!("probe {url} --expect-status 401 --quiet"))
            .code,
        Some(0)
    );
    let run = sandbox.run(&format!("probe {url} --expect-status 403 --json"));
    assert_eq!(run.code, Some(3));
    let report = run.json();
    assert_eq!(report["handshake"]["status"], 401);
    assert_eq!(report["passed"], false);
    assert_eq!(
        report["browser"],
        json!({ "opens": false, "code": 1006, "reason": "", "why": "a browser hides the status of a handshake that fails" })
    );
    assert_eq!(report["explanations"][0]["rows"], json!(["A2", "A3"]));
    assert_eq!(report["explanations"][0]["certainty"], "likely");
}

#[test]
fn row_m13_a_close_while_holding_is_explained() {
    let url = serve(|mut peer| {
        peer.accept();
        peer.frame(8, b"\x03\xe9Going away");
        peer.next();
    });
    let sandbox = Sandbox::new();
    let run = sandbox.run(&format!("probe {url} --hold 1h"));
    steady(|| {
        assert_snapshot!(run, @r#"
        exit 3
        --- stdout
        ws://127.0.0.1:PORT/prod as anonymous
        connected to 127.0.0.1:PORT (DNS TIME, TCP TIME)
        101 Switching Protocols after TIME
            TIME  closed by the server with 1001 Going away

        possible (rows M13, X4)
          The server is going away. API Gateway closes idle connections with this code, and other servers
          use it when they stop. The age matches neither ten minutes without data nor two hours.
          seen: 1001 "Going away" at an age of TIME
          next: For the local gateway, check whether it runs with a short `--idle-timeout`. For AWS, compare
                with the $disconnect log.

        not as expected: the connection stays open until the client closes it (1001 after TIME)
        --- stderr
        look up a row: stackgen explain M13
        "#);
    });
    assert_eq!(
        sandbox
            .run(&format!("probe {url} --hold 1h --expect-close 1001"))
            .code,
        Some(0)
    );
}

#[test]
fn no_answer_is_a_failure() {
    // The port is bound, so that no other process gets it, but has no listener.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let sandbox = Sandbox::new();
    let run = sandbox.run(&format!("probe ws://{address}/"));
    steady(|| {
        assert_snapshot!(run, @"
        exit 1
        --- stdout
        ws://127.0.0.1:PORT/ as anonymous
        no answer: 127.0.0.1:PORT refuses connections

        certain (row X2)
          No server listens on that address and port.
          seen: 127.0.0.1:PORT refuses connections
          next: For the local gateway, check that `stackgen dev` is running and printed this port. API
                Gateway on AWS listens only on port 443: check the port, and firewalls in between.

        in a browser
          a page sees only close code 1006: no status, no reason (row X2); there is no answer to the
          handshake.

        not as expected: the handshake is answered with 101 (no answer)
        --- stderr
        look up a row: stackgen explain X2
        ");
    });
    let run = sandbox.run(&format!("probe ws://{address}/ --json"));
    assert_eq!(
        (run.code, run.json()["error"]["kind"].clone()),
        (Some(1), json!("refused"))
    );
}

#[test]
fn row_m16_a_bare_close_is_what_browsers_do() {
    let (sender, receiver) = mpsc::channel();
    let url = serve(move |mut peer| {
        peer.accept();
        let frame = peer.next().unwrap();
        peer.frame(8, &frame.1);
        sender.send(frame).unwrap();
    });
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox.run(&format!("probe {url} --close bare")).code,
        Some(0)
    );
    assert_eq!(receiver.recv().unwrap(), (8, vec![]));
    assert_eq!(
        sandbox.run(&format!("probe {url} --close 4001")).code,
        Some(0)
    );
    assert_eq!(receiver.recv().unwrap(), (8, vec![0x0f, 0xa1]));
}

#[test]
fn exchanges_are_measured() {
    let url = serve(echo);
    let sandbox = Sandbox::new();
    let run = sandbox.run(&format!("probe {url} --send hello --count 20 --json"));
    let latency = &run.json()["latency"];
    assert_eq!(
        (&latency["answered"], &latency["failed"]),
        (&json!(20), &json!(0))
    );
    let millis = |name: &str| latency[name].as_f64().unwrap();
    assert!(0.0 < millis("p50Ms") && millis("p50Ms") <= millis("p99Ms"));
    assert_eq!(run.code, Some(0));
}

#[test]
fn a_file_is_sent_and_bad_flags_are_refused() {
    let url = serve(|mut peer| {
        peer.accept();
        if let Some((opcode, payload)) = peer.next() {
            peer.frame(opcode, &payload);
            peer.frame(8, b"");
            peer.next();
        }
    });
    let sandbox = Sandbox::new();
    sandbox.write("hello.json", r#"{"from":"a file"}"#);
    let run = sandbox.run(&format!(
        "probe {url} --send @hello.json --expect {{\"from\":\"other\"}}"
    ));
    assert!(
        run.stdout.contains(r#"received  {"from":"a file"}"#),
        "{run}"
    );
    assert_eq!(run.code, Some(3));
    for (line, message) in [
        ("--send @nothing.json", "cannot read nothing.json"),
        ("--header no-colon", "a header has no colon"),
        ("--query no-sign", "a query parameter has no `=`"),
        ("--header Upgrade:x", "the handshake sets it itself"),
        (
            "--as anonymous --token t",
            "an anonymous caller has no token",
        ),
        ("--as alice", "no token is given"),
        (
            "--token-env NOTHING",
            "the environment variable NOTHING has no token",
        ),
        ("--count 3", "`--count` measures one message and its answer"),
        (
            "--close 1006",
            "write `bare`, or a code that a close frame may have",
        ),
        ("--hold forever", "write a number and a unit"),
        ("--token-in post", "write `query[:NAME]`"),
    ] {
        let run = sandbox.run(&format!("probe {url} {line}"));
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains(message), "{run}");
    }
    assert_eq!(sandbox.run("probe").code, Some(2));
    assert_eq!(sandbox.run("probe http:/nowhere").code, Some(2));
}

/// Returns the state of a gateway that has a WebSocket API at this URL.
fn state(url: &str) -> serde_json::Value {
    let endpoint = url.strip_suffix("/prod").unwrap();
    json!({
        "stack": "chat-dev",
        "endpoint": endpoint.replace("ws://", "http://"),
        "issuer": "http://127.0.0.1:1/",
        "audiences": [],
        "dynamodb": "http://127.0.0.1:1",
        "partition": "aws",
        "region": "us-east-1",
        "account": "000000000000",
        "apis": [
            { "apiId": "h", "name": "http", "protocolType": "HTTP", "endpoint": "http://127.0.0.1:1", "stages": [] },
            { "apiId": "w", "name": "ws", "protocolType": "WEBSOCKET", "endpoint": endpoint,
              "stages": [{ "name": "prod", "url": url, "deploymentId": "d" }] },
        ],
    })
}

/// Creates a project with a local gateway that only reports its state.
fn project(spec: &str, url: &str) -> Sandbox {
    let sandbox = Sandbox::starter(spec);
    let mut file = state(url);
    file["pid"] = json!(1);
    file["key"] = json!("k");
    sandbox.write(".stackgen/gateway.json", file.to_string());
    sandbox
}

#[test]
fn a_local_gateway_is_found_and_gets_the_token_by_its_identity_source() {
    let (sender, receiver) = mpsc::channel();
    let url = serve(move |mut peer| {
        sender.send(peer.head.clone()).unwrap();
        let host = peer.head.lines().find_map(|line| line.split_once("ost: "));
        let host = host.map(|(_, host)| format!("ws://{host}/prod"));
        match host {
            Some(url) if peer.head.contains("/_stackgen/state") => {
                // Unread bytes at the end of the connection would cut off the answer.
                peer.stream.read_exact(&mut [0; "null".len()]).unwrap();
                peer.refuse("200 OK", &state(&url).to_string());
            }
            Some(_) => echo(peer),
            None => {}
        }
    });
    let sandbox = project("chat", &url);
    let run = sandbox.run("probe --local --token s3cr3t-t0ken");
    assert_eq!(run.code, Some(0), "{run}");
    let heads = receiver.try_iter().collect::<String>();
    assert!(
        heads.contains("GET /prod?token=s3cr3t-t0ken HTTP/1.1"),
        "{heads}"
    );

    let run = sandbox.run("probe --local --as anonymous");
    assert!(
        run.stderr
            .contains("this stack declares only authenticated callers"),
        "{run}"
    );
    let run = sandbox.run("probe --local --token t --token-in header");
    assert!(
        run.stderr
            .contains("the authorizer's identity source expects the token elsewhere"),
        "{run}"
    );
    let run = sandbox.run("probe --local --stage-name other");
    assert!(
        run.stderr.contains("name one with `--stage-name`: prod"),
        "{run}"
    );
}

#[test]
fn probe_local_fails_without_a_local_gateway() {
    let sandbox = Sandbox::starter("echo");
    let run = sandbox.run("probe --local");
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("no local gateway runs"), "{run}");
}

/// Replaces digits, so that a guide and an output can be compared.
fn without_digits(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Checks that the guide shows a paragraph of an output.
fn assert_guide_shows(run: &Run, paragraph: &str) {
    let guide = root().join("docs/guide/why-did-my-socket-close.md");
    let guide = without_digits(&std::fs::read_to_string(guide).unwrap());
    let mut paragraphs = run.stdout.split("\n\n");
    let shown = paragraphs.find(|text| text.starts_with(paragraph)).unwrap();
    assert!(
        guide.contains(&without_digits(shown)),
        "the guide lacks\n{shown}"
    );
}

#[test]
fn the_guide_shows_real_output() {
    let sandbox = Sandbox::new();
    let url = serve(|peer| peer.refuse("401 Unauthorized", r#"{"message":"Unauthorized"}"#));
    let run = sandbox.run(&format!("probe {url}"));
    assert_guide_shows(&run, "likely (rows A2, A3)");

    let url = serve(|mut peer| {
        peer.accept();
        peer.next();
        peer.frame(
            1,
            br#"{"message": "Forbidden", "connectionId":"a=", "requestId":"b="}"#,
        );
        let (_, close) = peer.next().unwrap();
        peer.frame(8, &close);
    });
    let run = sandbox.run(&format!("probe {url} --send {{\"action\":\"ping\"}}"));
    assert_guide_shows(&run, "certain (rows M3, D1)");
}

#[cfg(unix)]
#[test]
fn ctrl_c_closes_cleanly_and_reports() {
    use std::io::BufRead;
    use std::process::{Command, Stdio};

    let (sender, receiver) = mpsc::channel();
    let url = serve(move |mut peer| {
        peer.accept();
        let frame = peer.next().unwrap();
        peer.frame(8, &frame.1);
        sender.send(frame).unwrap();
    });
    let mut probe = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
        .args(["probe", &url, "--hold", "1h"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(probe.stdout.take().unwrap()).lines();
    let connected = lines.find(|line| line.as_ref().unwrap().starts_with("101 "));
    assert!(connected.is_some());
    let pid = probe.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        receiver.recv().unwrap(),
        (8, 1000_u16.to_be_bytes().to_vec())
    );
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert!(
        rest[0].ends_with("closed by the client with 1000"),
        "{rest:?}"
    );
    assert_eq!(probe.wait().unwrap().code(), Some(0));
}
