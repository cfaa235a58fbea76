//! The console in a browser, and the events that it reads.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use stackgen_test_tools::{installed, on_path};

use crate::common::{Run, Sandbox, root};
use crate::ending::until;
use crate::running::Dev;

const TEMPLATE: &str = include_str!("console.yaml");

fn start() -> Dev {
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", TEMPLATE);
    Dev::of_template(sandbox, &[])
}

fn assert_succeeds(command: &mut Command) {
    let run = Run::of(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
}

/// Returns the folder that a variable names.
fn folder_of(variable: &str) -> Option<String> {
    std::env::var_os(variable).map(|folder| folder.into_string().unwrap())
}

/// Makes the folder of a project a git repository. Returns the beginning of its commit.
fn commit_all(sandbox: &Sandbox) -> String {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(sandbox.path()).args(arguments);
        let run = Run::of(command.output().unwrap());
        assert_eq!(run.code, Some(0), "{run}");
        run.stdout
    };
    git(&["init", "--quiet"]);
    git(&["add", "template.yaml"]);
    let author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    git(&[&author[..], &["commit", "--quiet", "--message", "first"]].concat());
    git(&["rev-parse", "--short=12", "HEAD"]).trim().to_owned()
}

#[test]
fn the_console_has_no_type_errors() {
    let Some(node) = on_path("node") else { return };
    let Some(compiler) = installed("browser/node_modules/typescript/bin/tsc") else {
        return;
    };
    let settings = root().join("generator/gateway/src/gateway/console/web/jsconfig.json");
    assert_succeeds(Command::new(node).arg(compiler).arg("-p").arg(settings));
}

#[test]
fn the_console_keeps_connections_within_a_fixed_memory_and_repeats_their_handshakes() {
    let Some(node) = on_path("node") else { return };
    let tests = root().join("generator/cli/tests/console");
    let tests = ["store", "recording"].map(|name| tests.join(format!("{name}.test.mjs")));
    assert_succeeds(Command::new(node).arg("--test").args(tests));
}

/// Writes a program that stands for a browser: it adds its arguments to `arguments`, and copies the page to `opened-1`, `opened-2`…
fn browser(sandbox: &Sandbox) -> PathBuf {
    let script = "#!/bin/sh\necho \"$@\" >> arguments; cat \"$1\" > new; mv new \"opened-$(grep -c / arguments)\"\n";
    sandbox.write("browser", script);
    let browser = sandbox.path().join("browser");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    browser
}

/// Runs `stackgen console --open` with a browser.
fn open_console(dev: &Dev, browser: &Path, arguments: &[&str]) -> Run {
    let mut command = dev.sandbox.command();
    command.env("BROWSER", browser).args(["console", "--open"]);
    let run = Run::of(command.args(arguments).output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    run
}

#[test]
fn the_browser_opens_a_link_that_works_once_and_that_other_users_do_not_see() {
    let sandbox = Sandbox::starter("echo");
    let browser = browser(&sandbox);
    let variables = [("BROWSER", browser.as_path())];
    let mut dev = Dev::spawn(sandbox, &["--json", "--no-build", "--open"], &variables);
    dev.ready = dev.event("ready");
    let opened = |name| {
        let path = dev.sandbox.path().join(name);
        until("no browser was started", || path.exists());
        fs::read_to_string(path).unwrap()
    };
    let first = opened("opened-1");
    let run = open_console(&dev, &browser, &[]);
    let second = opened("opened-2");
    assert!(second.contains(run.stdout.trim()), "{second}");

    let page = dev.sandbox.path().join(".stackgen/console.html");
    let page = page.canonicalize().unwrap();
    let arguments = dev.sandbox.read("arguments");
    for argument in arguments.lines() {
        assert_eq!(Path::new(argument), page);
    }
    let mode = fs::metadata(&page).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    for html in [first, second] {
        let (_, rest) = html.split_once("content=\"0; url=http://").unwrap();
        let (link, _) = rest.split_once('"').unwrap();
        let (authority, path) = link.split_once('/').unwrap();
        for expected in ["HTTP/1.1 200", "HTTP/1.1 403"] {
            let mut stream = TcpStream::connect(authority).unwrap();
            let request =
                format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with(expected), "{link}: {answer}");
        }
    }
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
    assert!(!page.exists());
}

// On macOS, there always is a browser.
#[cfg(not(target_os = "macos"))]
#[test]
fn without_a_display_no_browser_is_opened() {
    let dev = Dev::start(&[]);
    let none = dev.sandbox.run("console --open");
    insta::assert_snapshot!(none.stderr, @"
    error: no browser was opened, because there is no display
    help: open the link yourself
    ");
}

#[test]
fn the_console_explains_refusals_replays_frames_redeploys_stages_and_resists_attacks() {
    let (Some(node), Some(chromium)) = (on_path("node"), on_path("chromium")) else {
        return;
    };
    let Some(modules) = installed("browser/node_modules") else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", TEMPLATE);
    let commit = commit_all(&sandbox);
    let dev = Dev::of_template(sandbox, &[]);
    let link = || dev.sandbox.run("console --file template.yaml").stdout;
    open_console(&dev, &browser(&dev.sandbox), &["--file", "template.yaml"]);
    let settings = json!({
        "console": dev.ready["console"],
        "link": link().trim(),
        "opening": dev.sandbox.path().join(".stackgen/console.html"),
        "endpoint": dev.ready["gateway"]["endpoint"],
        "url": dev.url(),
        "commit": commit,
        "template": dev.sandbox.path().join("template.yaml"),
        "modules": modules,
        "chromium": chromium,
        "screenshots": folder_of("STACKGEN_SCREENSHOTS"),
        "pictures": folder_of("STACKGEN_PICTURES"),
    });
    let script = root().join("generator/cli/tests/console/console.mjs");
    assert_succeeds(Command::new(node).arg(script).arg(settings.to_string()));
}

/// An HTTP API and a WebSocket API with what their snapshots convert on the way to a digest.
const WIRING: &str = r#"
Resources:
  Web:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: web
      ProtocolType: HTTP
      CorsConfiguration: { AllowOrigins: ['https://example.com'], AllowMethods: [GET], MaxAge: 60, AllowCredentials: true }
  Users:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Web
      Name: users
      AuthorizerType: JWT
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: { Issuer: 'https://issuer.example.com', Audience: [web] }
  Page:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Web
      IntegrationType: HTTP_PROXY
      IntegrationMethod: GET
      IntegrationUri: 'http://127.0.0.1:9/'
      PayloadFormatVersion: '1.0'
      RequestParameters: { 'overwrite:header.x': $request.header.y }
      ResponseParameters: { '200': { ResponseParameters: [{ Destination: 'overwrite:header.z', Source: fixed }, { Destination: 'append:header.a', Source: b }] } }
  Get:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Web, RouteKey: GET /, AuthorizationType: JWT, AuthorizerId: !Ref Users, AuthorizationScopes: [read], Target: !Sub 'integrations/${Page}' }
  WebDeployment: { Type: AWS::ApiGatewayV2::Deployment, DependsOn: [Get], Properties: { ApiId: !Ref Web } }
  WebStage: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Web, StageName: prod, DeploymentId: !Ref WebDeployment } }
  Socket: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: socket, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action } }
  Shape: { Type: AWS::ApiGatewayV2::Model, Properties: { ApiId: !Ref Socket, Name: shape, ContentType: application/json, Schema: { type: object } } }
  Mock:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Socket
      IntegrationType: MOCK
      RequestTemplates: { '200': '{"statusCode":200}' }
      TemplateSelectionExpression: '200'
  Answer:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: { ApiId: !Ref Socket, IntegrationId: !Ref Mock, IntegrationResponseKey: $default, ResponseTemplates: { '200': '{"ok":true}' } }
  Connect: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Socket, RouteKey: $connect, RequestParameters: { route.request.querystring.room: { Required: true } } } }
  Ask:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Socket
      RouteKey: ask
      RouteResponseSelectionExpression: $default
      ModelSelectionExpression: $request.body.action
      RequestModels: { ask: shape }
      Target: !Sub 'integrations/${Mock}'
  AskResponse: { Type: AWS::ApiGatewayV2::RouteResponse, Properties: { ApiId: !Ref Socket, RouteId: !Ref Ask, RouteResponseKey: $default } }
  SocketDeployment: { Type: AWS::ApiGatewayV2::Deployment, DependsOn: [Connect, Ask, AskResponse, Answer, Shape], Properties: { ApiId: !Ref Socket } }
  SocketStage: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Socket, StageName: prod, DeploymentId: !Ref SocketDeployment } }
"#;

/// Reads a route of the console with the gateway's key.
pub(crate) fn read(dev: &Dev, path: &str) -> Value {
    let endpoint = dev.ready["gateway"]["endpoint"].as_str().unwrap();
    let authority = endpoint.strip_prefix("http://").unwrap();
    let local = fs::read(dev.sandbox.path().join(".stackgen/gateway.json")).unwrap();
    let local: Value = serde_json::from_slice(&local).unwrap();
    let key = local["key"].as_str().unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    let request = format!(
        "GET /_stackgen/console/{path} HTTP/1.0\r\nHost: {authority}\r\nx-stackgen-key: {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

#[test]
fn the_digest_of_a_deployment_is_that_of_the_other_commands() {
    for template in [TEMPLATE, WIRING] {
        let sandbox = Sandbox::new();
        sandbox.write("template.yaml", template);
        let dev = Dev::of_template(sandbox, &[]);
        let command = "deploy --redeploy-stage --local --dry-run --json --file template.yaml";
        let planned = dev.sandbox.run(command);
        assert_eq!(planned.code, Some(0), "{planned}");
        let planned = planned.json();
        for plan in planned["apis"].as_array().unwrap() {
            let list = read(&dev, "apis");
            let mut apis = list["apis"].as_array().unwrap().iter();
            let api = apis.find(|api| api["apiId"] == plan["api"]["id"]).unwrap();
            let digest = &api["deployments"][0]["digest"];
            assert_eq!(digest, &plan["digest"], "{}", plan["api"]["name"]);
        }
    }
}

#[test]
fn every_event_of_the_gateway_is_valid_against_the_schema() {
    if on_path("node").is_none() {
        return;
    }
    let dev = start();
    let token = dev.sandbox.run("token --sub ada --file template.yaml");
    assert_eq!(token.code, Some(0), "{token}");
    let url = format!("{}?token={}", dev.url(), token.stdout.trim());
    dev.answers_at(&url, r#"{"action":"echo"}"#, "echo");
    dev.answers_at(&url, r#"{"action":"fail"}"#, "Internal server error");
    dev.answers_at(&url, r#"{"action":"post"}"#, "posted");
    let refused = dev.sandbox.run(&format!("probe {}", dev.url()));
    assert_eq!(refused.code, Some(3), "{refused}");

    let schema = dev.sandbox.run("schema --events").json();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|kind| kind != "refused") {
        let line = dev.line("\"event\":");
        // Both parts of a token are JSON objects; random IDs have no full stop.
        assert!(!line.contains(".eyJ"), "a token is not masked: {line}");
        let event: Value = serde_json::from_str(&line).unwrap();
        if let Err(error) = schema.validate(&event) {
            panic!("{error}: {line}");
        }
        seen.push(event["event"].as_str().unwrap().to_owned());
    }
    for kind in ["connected", "message", "posted", "closed", "disconnected"] {
        assert!(seen.iter().any(|seen| seen == kind), "{kind}: {seen:?}");
    }
    let unknown = json!({ "event": "unknown" });
    assert!(!schema.is_valid(&unknown));
}

#[test]
fn a_link_is_printed_again_while_the_gateway_runs() {
    let dev = Dev::start(&[]);
    let first = dev.sandbox.run("console");
    assert_eq!(first.code, Some(0), "{first}");
    let endpoint = dev.ready["gateway"]["endpoint"].as_str().unwrap();
    let start = format!("{endpoint}/_stackgen/console/open?code=");
    assert!(first.stdout.starts_with(&start), "{first}");
    let second = dev.sandbox.run("console --json").json();
    assert_ne!(second["link"], first.stdout.trim());
    let none = Sandbox::starter("echo").run("console");
    insta::assert_snapshot!(none, @"
    exit 1
    --- stderr
    error: no local gateway runs for stackgen.yaml
    help: start one with `stackgen dev`, or name another project with `--file`
    ");
}
