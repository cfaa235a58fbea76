//! Values that YAML, IAM or an environment would change.

use insta::assert_snapshot;
use stackgen_cfn::emit;

use super::{errors, render, resource};

#[test]
fn a_value_whose_text_yaml_changes_must_be_quoted() {
    assert_snapshot!(errors(
        "name: s
functions:
  f: { binary: f, environment: { AON: on, NUM: 012, FLT: 1.10, SEX: 1:30, ONE: 1, YES: true, HALF: 1.5, TEXT: '1.10' } }
"
    ), @"
    3:39 `AON` is written as `on`, which YAML reads as `true`
        help: put it in quotes: 'on'
    3:48 `NUM` is written as `012`, which YAML reads as `10`
        help: put it in quotes: '012'
    3:58 `FLT` is written as `1.10`, which YAML reads as `1.1`
        help: put it in quotes: '1.10'
    3:69 `SEX` is written as `1:30`, which YAML reads as `90`
        help: put it in quotes: '1:30'
    ");
}

#[test]
fn an_aliased_value_is_accepted() {
    let text = "name: s\nfunctions:\n  f: { binary: f, environment: { AA: &a 5, BB: *a } }\n";
    let template = render(text, "dev");
    let path = ["Properties", "Environment", "Variables", "BB"];
    assert_eq!(
        resource(&template, "FFunction").at_path(&path),
        Some(&5_i64.into())
    );
}

#[test]
fn wildcards_in_route_keys_are_refused() {
    assert_snapshot!(errors(
        "name: s\nfunctions: { f: { binary: f } }\nwebsocket: { name: a, routes: { '*': f, 'a?': f, \"a\\nb\": f } }\n"
    ), @r"
    3:33 `*` is not a valid route key
        help: remove wildcards and control characters: with `*` or `?` in its source, the invoke permission would allow other routes
    3:41 `a?` is not a valid route key
        help: remove wildcards and control characters: with `*` or `?` in its source, the invoke permission would allow other routes
    3:50 `a\nb` is not a valid route key
        help: remove wildcards and control characters: with `*` or `?` in its source, the invoke permission would allow other routes
    ");
}

#[test]
fn a_reference_in_a_route_key_is_literal_text() {
    let text = "name: s\nfunctions: { f: { binary: f } }\nwebsocket: { name: a, routes: { 'a${Nope}': f } }\n";
    let template = emit::yaml(&render(text, "dev"));
    assert!(template.contains("RouteKey: 'a${Nope}'"), "{template}");
    assert!(template.contains("/prod/a${!Nope}'"), "{template}");
}

#[test]
fn a_rate_limit_can_be_a_fraction_but_not_zero() {
    let text = |rate| {
        format!(
            "name: s\nfunctions: {{ f: {{ binary: f }} }}\nwebsocket: {{ name: a, routes: {{ $default: f }}, stage: {{ throttling: {{ burstLimit: 1, rateLimit: {rate} }} }} }}\n"
        )
    };
    let template = render(&text("0.5"), "dev");
    let path = ["Properties", "DefaultRouteSettings", "ThrottlingRateLimit"];
    assert_eq!(
        resource(&template, "WebSocketStage").at_path(&path),
        Some(&0.5.into())
    );
    assert_snapshot!(errors(&text("0")), @"
    3:97 `rateLimit` is 0; it must be more than 0
        help: raise it: with 0, API Gateway answers every handshake with 429
        row D18
    ");
}

#[test]
fn an_error_of_one_environment_names_it() {
    assert_snapshot!(errors(
        "name: s
functions: { f: { binary: f } }
websocket: { name: a, routes: { $default: f } }
environments:
  dev: {}
  prod: { functions: { f: { binary: null } }, websocket: { name: null } }
"
    ), @"
    2:14 function `f` has no code (in `prod`)
        help: write `binary: f` for a cargo binary, or `zip:` and the path of a zip file
    3:1 `websocket` lacks `name` (in `prod`)
        help: `name`: Name of the API
    ");
}

#[test]
fn an_authorizer_with_errors_still_counts_as_declared() {
    assert_snapshot!(errors(
        "name: s
functions: { f: { binary: f } }
http:
  name: a
  authorizer: { issuer: 'https://issuer.example.com', audience: x }
  routes: { GET /: { function: f, auth: jwt } }
"
    ), @"5:65 `audience` must be a list, not a string");
}
