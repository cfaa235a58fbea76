//! `stackgen diff`

use std::process::Command;

use insta::assert_snapshot;

use crate::common::Sandbox;

/// Creates a rendered echo stack whose function then gets more memory.
fn changed() -> Sandbox {
    let sandbox = Sandbox::starter("echo");
    sandbox.run("synth");
    more_memory(&sandbox);
    sandbox
}

fn more_memory(sandbox: &Sandbox) {
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write(
        "stackgen.yaml",
        spec.replace("binary: echo", "binary: echo\n    memory: 512"),
    );
}

fn git(sandbox: &Sandbox, words: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(sandbox.path()).env("HOME", sandbox.path());
    git.args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(words);
    let output = git.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn nothing_changes_after_synth() {
    let sandbox = Sandbox::starter("live-session");
    sandbox.run("synth");
    assert_snapshot!(sandbox.run("diff --exit-code"), @"
    exit 0
    --- stdout
    dev
    nothing changes
    prod
    nothing changes
    prod-hardened
    nothing changes
    ");
}

#[test]
fn a_changed_project_is_compared_with_out() {
    assert_snapshot!(changed().run("diff"), @"
    exit 0
    --- stdout
    ~ function echo-dev: MemorySize is now 512 (was 128)   code, live with the update
    ");
}

#[test]
fn differences_exit_with_3_on_request() {
    assert_eq!(changed().run("diff --exit-code").code, Some(3));
}

#[test]
fn json_names_both_sides() {
    insta::with_settings!({ filters => [(r"[0-9a-f]{64}", "[digest]")] }, {
    assert_snapshot!(changed().run("diff --json"), @r#"
    exit 0
    --- stdout
    {
      "diffs": [
        {
          "environment": "dev",
          "old": "out/dev/template.yaml",
          "new": "stackgen.yaml",
          "changes": [
            {
              "subject": {
                "kind": "function",
                "name": "echo-dev",
                "api": null
              },
              "what": "changed",
              "field": "MemorySize",
              "before": "128",
              "after": "512",
              "effect": "code"
            }
          ],
          "apis": [
            {
              "api": "echo-api-dev",
              "before": "[digest]",
              "after": "[digest]",
              "wiringChanged": false,
              "staleStages": [],
              "lingering": []
            }
          ]
        }
      ]
    }
    "#);
    });
}

#[test]
fn a_revision_is_compared_with_the_project() {
    let sandbox = Sandbox::starter("echo");
    sandbox.run("synth");
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "--message=echo"]);
    more_memory(&sandbox);
    sandbox.run("synth");
    assert_eq!(sandbox.run("diff").stdout, "nothing changes\n");
    let by_revision = sandbox.run("diff HEAD");
    assert!(
        by_revision
            .stdout
            .contains("MemorySize is now 512 (was 128)"),
        "{by_revision}"
    );
    let by_path = sandbox.run("diff HEAD:out/dev/template.yaml out/dev/template.yaml");
    assert_eq!(by_path.stdout, by_revision.stdout);
    assert_eq!(
        sandbox.run("diff HEAD:out/dev/template.yaml").stdout,
        by_revision.stdout
    );
    assert_snapshot!(sandbox.run("diff HEAD:out/prod/template.yaml"), @"
    exit 2
    --- stderr
    error: cannot read HEAD:out/prod/template.yaml: path 'out/prod/template.yaml' does not exist in 'HEAD'
    help: name a template, a revision, or REV:PATH as `git show` takes it (REV:./PATH starts here)
    ");
    assert_snapshot!(sandbox.run("diff main~7"), @"
    exit 2
    --- stderr
    error: main~7 is neither a file nor a revision
    help: name a template, a revision, or REV:PATH as `git show` takes it (REV:./PATH starts here)
    ");
}

#[test]
fn a_rendered_template_names_its_environment() {
    let sandbox = Sandbox::starter("live-session");
    sandbox.run("synth");
    assert_eq!(
        sandbox.run("diff out/prod/template.yaml").stdout,
        "nothing changes\n"
    );
    let anonymous = sandbox
        .read("out/prod/template.yaml")
        .replace("Environment: prod\n", "Of: prod\n");
    sandbox.write("other.yaml", anonymous);
    assert_snapshot!(sandbox.run("diff other.yaml"), @"
    exit 2
    --- stderr
    error: the environment of other.yaml is unknown
    help: name one with `--env`: dev, prod, prod-hardened
    ");
    assert_eq!(sandbox.run("diff other.yaml --env prod").code, Some(0));
}

#[test]
fn two_templates_are_compared_without_a_project() {
    let sandbox = changed();
    sandbox.run("synth --out new");
    std::fs::remove_file(sandbox.path().join("stackgen.yaml")).unwrap();
    assert_snapshot!(sandbox.run("diff out/dev/template.yaml new/dev/template.yaml"), @"
    exit 0
    --- stdout
    ~ function echo-dev: MemorySize is now 512 (was 128)   code, live with the update
    ");
}

#[test]
fn a_file_that_is_no_template_is_an_error_with_its_location() {
    let sandbox = changed();
    assert_snapshot!(sandbox.run("diff stackgen.yaml out/dev/template.yaml"), @"
    exit 2
    --- stderr
    error: this is not a CloudFormation template
     --> stackgen.yaml:5:1
      |
    5 | name: echo
      | ^^^^
      |
      = help: this is a stackgen.yaml: name it with `--file`, or render it with `stackgen synth`

    1 error in stackgen.yaml
    ");
}

#[test]
fn everything_in_a_new_environment_is_added() {
    let sandbox = changed();
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write("stackgen.yaml", format!("{spec}  qa: {{}}\n"));
    assert_snapshot!(sandbox.run("diff"), @"
    exit 0
    --- stdout
    dev
    ~ function echo-dev: MemorySize is now 512 (was 128)   code, live with the update
    qa: new
    + 1 api, 1 route, 1 deployment, 1 stage, 1 function, 1 version, 2 roles, 1 log group, 5 outputs (list: `--all`)
    ");
    assert_snapshot!(sandbox.run("diff --env qa --all"), @"
    exit 0
    --- stdout
    qa: new
    + route $default                             needs a deployment
    + version of echo-qa                         live when a deployment calls the new version
    + api echo-api-qa                            live with the update
    + deployment WebSocketDeploymentE30065E4F2   live with the update
    + stage prod                                 live with the update
    + function echo-qa                           live with the update
    + role EchoRole                              live with the update
    + role WebSocketInvokeRole                   live with the update
    + log group /aws/lambda/echo-qa              live with the update
    + output WebSocketApiId                      live with the update
    + output WebSocketDeploymentId               live with the update
    + output WebSocketManagementUrl              live with the update
    + output WebSocketStageName                  live with the update
    + output WebSocketUrl                        live with the update
    ");
    let json = sandbox.run("diff --json").json();
    assert_eq!(json["diffs"][0]["old"], "out/dev/template.yaml");
    assert_eq!(json["diffs"][1]["old"], serde_json::Value::Null);
    assert_eq!(sandbox.run("diff --env qa --exit-code").code, Some(3));
}

#[test]
fn a_removed_environment_is_named() {
    let sandbox = Sandbox::starter("echo");
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write("stackgen.yaml", format!("{spec}  qa: {{}}\n"));
    sandbox.run("synth");
    sandbox.write("stackgen.yaml", spec);
    assert_snapshot!(sandbox.run("diff --exit-code"), @"
    exit 3
    --- stdout
    dev
    nothing changes
    qa: gone, and still in out/qa/template.yaml
    ");
    let json = sandbox.run("diff --json").json();
    assert_eq!(json["diffs"][1]["new"], serde_json::Value::Null);
    assert_eq!(sandbox.run("diff --env dev").stdout, "nothing changes\n");
}

#[test]
fn environments_are_added_and_removed_since_a_revision() {
    let sandbox = Sandbox::starter("echo");
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write("stackgen.yaml", format!("{spec}  old: {{}}\n"));
    sandbox.run("synth");
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "--message=echo"]);
    sandbox.write("stackgen.yaml", format!("{spec}  qa: {{}}\n"));
    sandbox.run("synth");
    std::fs::remove_dir_all(sandbox.path().join("out/old")).unwrap();
    let run = sandbox.run("diff HEAD");
    assert_eq!(run.code, Some(0), "{run}");
    let is_shown = |line: &&str| !line.starts_with('+');
    let shown: Vec<_> = run.stdout.lines().filter(is_shown).collect();
    assert_snapshot!(shown.join("\n"), @"
    dev
    nothing changes
    qa: new
    old: gone, and still in HEAD:./out/old/template.yaml
    ");
    // The result does not depend on the current folder, or on how the file is named.
    let spec = sandbox.path().join("stackgen.yaml");
    let absolute = sandbox.run(&format!("diff HEAD --file {}", spec.display()));
    assert_eq!(absolute.stdout, run.stdout);
    let below = sandbox
        .command()
        .current_dir(sandbox.path().join("out"))
        .args(["diff", "HEAD", "--file", "../stackgen.yaml"])
        .output()
        .unwrap();
    let below = String::from_utf8(below.stdout).unwrap();
    assert_eq!(below.replace("HEAD:./old", "HEAD:./out/old"), run.stdout);
}

#[test]
fn outside_of_git_a_name_is_a_file() {
    assert_snapshot!(Sandbox::starter("echo").run("diff nofile.yaml"), @"
    exit 2
    --- stderr
    error: there is no nofile.yaml
    help: name a template; revisions need a git repository, and this folder is not in one
    ");
}

#[test]
fn a_missing_template_is_an_error() {
    assert_snapshot!(Sandbox::starter("echo").run("diff out/dev/template.yaml new.yaml"), @"
    exit 2
    --- stderr
    error: there is no out/dev/template.yaml
    help: render one with `stackgen synth`
    ");
}

const WITH_SECRET: &str = "
Parameters: { Password: { Type: String, NoEcho: true, Default: SECRET } }
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: worker
      Environment: { Variables: { URL: !Sub 'postgres://app:${Password}@db', TITLE: \"TITLE\" } }
";

#[test]
fn secrets_are_masked_and_values_are_escaped() {
    let sandbox = Sandbox::new();
    let template = |secret: &str, title: &str| {
        let template = WITH_SECRET.replace("SECRET", secret);
        template.replace("TITLE: \"TITLE\"", &format!("TITLE: \"{title}\""))
    };
    sandbox.write("old.yaml", template("hunter2", "plain"));
    let forged = r"new\n- table sessions   gone\u202E\e[2J";
    sandbox.write("new.yaml", template("correct-horse", forged));
    let human = sandbox.run("diff old.yaml new.yaml");
    assert_snapshot!(human, @r"
    exit 0
    --- stdout
    ~ function worker: Environment.Variables.TITLE is now new\n- table sessions   gone\u{202e}\u{1b}[2J (was plain)   code, live with the update
    ~ function worker: Environment.Variables.URL is now **** (was ****)   code, live with the update
    ~ parameter Password: Value.Default is now **** (was ****)            live with the update
    ");
    let json = sandbox.run("diff old.yaml new.yaml --json").stdout;
    for text in [&human.stdout, &json] {
        assert!(!text.contains("hunter2") && !text.contains("correct-horse"));
        let unsafe_in_lines = |c| c != '\n' && stackgen_cfn::terminal::needs_escape(c);
        assert!(!text.contains(unsafe_in_lines), "{text:?}");
    }
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    let changes = read["diffs"][0]["changes"].as_array().unwrap();
    let title = |change: &&serde_json::Value| change["field"] == "Environment.Variables.TITLE";
    assert_eq!(
        changes.iter().find(title).unwrap()["after"],
        "new\n- table sessions   gone\u{202e}\u{1b}[2J"
    );
}
