//! `stackgen graph`

use insta::assert_snapshot;

use crate::common::Sandbox;

#[test]
fn a_stack_is_drawn_in_mermaid() {
    assert_snapshot!(Sandbox::starter("chat").run("graph"), @r#"
    exit 0
    --- stdout
    flowchart LR
      function_ChatAuthorizerFunction("chat-authorizer-dev<br/><small>256 MiB, 5 s</small>")
      function_ChatHandlerFunction("chat-handler-dev<br/><small>256 MiB, 10 s</small><br/><small>sends to connections</small>")
      table_RoomsTable[("Rooms-dev<br/><small>key roomId, connectionId</small><br/><small>index connectionId-index</small><br/><small>expires by ttl</small>")]
      api_WebSocketApi[["chat-api-dev<br/><small>WebSocket API</small><br/><small>stage prod</small>"]]
      routes_WebSocketApi_1["$connect<br/><small>needs querystring.token</small>"]
      routes_WebSocketApi_2["$default ⇄<br/>$disconnect<br/>joinRoom ⇄<br/>leaveRoom ⇄<br/>sendMessage ⇄"]
      api_WebSocketApi --> routes_WebSocketApi_1
      routes_WebSocketApi_1 -.->|"authorizer"| function_ChatAuthorizerFunction
      routes_WebSocketApi_1 --> function_ChatHandlerFunction
      api_WebSocketApi --> routes_WebSocketApi_2
      routes_WebSocketApi_2 --> function_ChatHandlerFunction
      function_ChatHandlerFunction -->|"reads, writes"| table_RoomsTable
    --- stderr
    drawing dev; select another environment with `--env`: prod
    "#);
}

#[test]
fn a_stack_is_drawn_in_dot() {
    assert_snapshot!(Sandbox::starter("echo").run("graph --format dot"), @r#"
    exit 0
    --- stdout
    digraph stackgen {
      rankdir=LR;
      node [fontname="monospace", shape=box, style=rounded];
      edge [fontname="monospace", fontsize=10];
      function_EchoFunction [shape=box, label="echo-dev\n128 MiB, 3 s"];
      api_WebSocketApi [shape=component, label="echo-api-dev\nWebSocket API\nstage prod"];
      routes_WebSocketApi_1 [shape=box, label="$default ⇄"];
      api_WebSocketApi -> routes_WebSocketApi_1 [label=""];
      routes_WebSocketApi_1 -> function_EchoFunction [label=""];
    }
    "#);
}

#[test]
fn a_template_and_its_project_have_the_same_graph() {
    let sandbox = Sandbox::starter("live-session");
    sandbox.run("synth");
    for format in ["mermaid", "dot", "svg"] {
        let stack = sandbox.run(&format!("graph --env prod --format {format}"));
        let template = sandbox.run(&format!("graph out/prod/template.yaml --format {format}"));
        assert_eq!(stack.stdout, template.stdout);
    }
}

#[test]
fn an_svg_is_written_to_a_file() {
    let sandbox = Sandbox::starter("echo");
    assert_snapshot!(sandbox.run("graph --format svg --out pictures/echo.svg"), @"
    exit 0
    --- stdout
    wrote pictures/echo.svg
    ");
    assert!(sandbox.read("pictures/echo.svg").starts_with("<svg xmlns="));
}

#[test]
fn the_drawn_environment_is_reported() {
    let run = Sandbox::starter("live-session").run("graph");
    assert_snapshot!(run.stderr, @"drawing dev; select another environment with `--env`: prod, prod-hardened");
}

#[test]
fn a_template_is_read_from_stdin_and_its_errors_have_locations() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .command()
        .args(["graph", "-"])
        .write_stdin("Resources: [\n")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"
    error: expected a value
     --> <stdin>:2:1
      |
    2 |
      | ^

    1 error in <stdin>
    ");
}

#[test]
fn a_template_with_nothing_to_draw_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", "Resources: {}\n");
    assert_snapshot!(sandbox.run("graph template.yaml"), @"
    exit 0
    --- stdout
    flowchart LR
    --- stderr
    nothing to draw: the template has no API, function or table
    ");
}

#[test]
fn json_has_nodes_and_edges() {
    let graph = Sandbox::starter("echo").run("graph --json").json();
    let kinds: Vec<_> = graph["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["kind"])
        .collect();
    assert_eq!(kinds, ["function", "api", "routes"]);
    assert_eq!(graph["edges"].as_array().unwrap().len(), 2);
}
