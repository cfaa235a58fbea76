//! `--fix` and `--diff`

use insta::assert_snapshot;

use super::{OPEN, SOURCE, example, piped};
use crate::common::Sandbox;

/// Template with a fixable mistake and comments.
fn fixable() -> Sandbox {
    let sandbox = Sandbox::new();
    let text = example(SOURCE, '-').replace("IdentitySource:\n", "IdentitySource: # who asks\n");
    sandbox.write("a.yaml", format!("# mine\n{text}"));
    sandbox
}

#[test]
fn fixes_are_written_and_everything_else_stays() {
    let sandbox = fixable();
    let right = sandbox
        .read("a.yaml")
        .replace("$request.query", "route.request.query");
    assert_snapshot!(sandbox.run("lint --fix --select SG113"), @"
    exit 0
    --- stderr
    fixed a.yaml: SG113 write the identity source as `route.request.querystring.token`
    1 template, 1 WebSocket API: no findings; 1 fixed
    look up a rule: stackgen explain SG113
    ");
    assert_eq!(sandbox.read("a.yaml"), right);
    assert_snapshot!(sandbox.run("lint --fix --select SG113"), @"
    exit 0
    --- stderr
    1 template, 1 WebSocket API: no findings
    ");
    assert_eq!(sandbox.files(), ["a.yaml"]);
}

#[test]
fn diff_shows_fixes_and_writes_nothing() {
    let sandbox = fixable();
    let before = sandbox.read("a.yaml");
    assert_snapshot!(sandbox.run("lint --diff --select SG113"), @"
    exit 3
    --- stdout
    --- a.yaml
    +++ a.yaml
    @@ -16,7 +16,7 @@
           AuthorizerType: REQUEST
           AuthorizerUri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthorizerFunction.Arn}/invocations
           IdentitySource: # who asks
    -        - $request.querystring.token
    +        - route.request.querystring.token
       AuthorizerPermission:
         Type: AWS::Lambda::Permission
         Properties:
    --- stderr
    `--fix` would fix 1 of 1
    ");
    assert_eq!(sandbox.read("a.yaml"), before);
    assert_eq!(
        sandbox.run("lint --fix --diff --select SG113").code,
        Some(3)
    );
    assert_eq!(sandbox.read("a.yaml"), before);
}

#[test]
fn findings_without_a_fix_are_reported() {
    let sandbox = fixable();
    sandbox.write("b.yaml", example(OPEN, '-'));
    let run = sandbox.run("lint --fix --select SG1 --format github");
    assert_eq!(run.code, Some(3));
    assert!(run.stdout.starts_with("::error file=b.yaml,"), "{run}");
    assert_snapshot!(run.stderr, @"
    fixed a.yaml: SG113 write the identity source as `route.request.querystring.token`
    2 templates, 2 WebSocket APIs: 1 error; 1 fixed
    look up a rule: stackgen explain SG113
    ");
    assert_eq!(sandbox.read("b.yaml"), example(OPEN, '-'));
}

#[test]
fn findings_of_other_rules_are_not_fixed() {
    let sandbox = fixable();
    let before = sandbox.read("a.yaml");
    assert_eq!(sandbox.run("lint --fix --ignore SG113").code, Some(0));
    assert_eq!(sandbox.read("a.yaml"), before);
}

#[test]
fn findings_in_the_baseline_are_not_fixed() {
    let sandbox = fixable();
    let before = sandbox.read("a.yaml");
    sandbox.run("lint --baseline known.json --update-baseline");
    let run = sandbox.run("lint --fix --baseline known.json");
    assert_eq!((run.code, sandbox.read("a.yaml")), (Some(0), before));
}

#[test]
fn stdin_is_fixed_on_stdout() {
    let sandbox = Sandbox::new();
    let bad = format!("{}# the end\n", example(SOURCE, '-'));
    let run = piped(&sandbox, "lint - --fix --select SG113", &bad);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(
        run.stdout,
        bad.replace("$request.query", "route.request.query")
    );
    let open = example(OPEN, '-');
    let run = piped(&sandbox, "lint - --fix --select SG102", &open);
    assert_eq!((run.code, run.stdout), (Some(3), open));
    assert!(run.stderr.contains("error[SG102]"), "{}", run.stderr);
}

#[test]
fn if_one_fix_cannot_be_written_none_is() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = fixable();
    sandbox.write("closed/b.yaml", sandbox.read("a.yaml"));
    let before = sandbox.read("a.yaml");
    let closed = sandbox.path().join("closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o555)).unwrap();
    let is_root = std::fs::write(closed.join("c"), "").is_ok();
    let run = sandbox.run("lint --fix --select SG113");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(is_root || run.code == Some(2), "{run}");
    assert!(is_root || sandbox.read("a.yaml") == before);
}
