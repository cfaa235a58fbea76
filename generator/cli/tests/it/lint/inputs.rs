//! Selection of files.

use insta::assert_snapshot;

use super::{OPEN, example, piped, two};
use crate::common::Sandbox;

/// Returns the linted files, each of which has a finding.
fn linted_files(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let run = sandbox.run(&format!("lint --select SG102 --json {line}"));
    let findings = run.json()["findings"].as_array().unwrap().clone();
    findings
        .iter()
        .map(|finding| finding["file"].as_str().unwrap().to_owned())
        .collect()
}

/// Creates a folder with templates and other files.
fn project() -> Sandbox {
    let (sandbox, open) = (Sandbox::new(), example(OPEN, '-'));
    for path in [
        "b.yaml",
        "a/c.yml",
        "a/d.json.template",
        "a/deep/er/e.YAML",
        ".serverless/f.yaml",
        "node_modules/x.yaml",
        "target/x.yaml",
        ".git/x.yaml",
        ".aws-sam/build/x.yaml",
        "a/x.txt",
    ] {
        sandbox.write(path, &open);
    }
    sandbox.write("package.json", "{\"name\": \"Resources AWS::\"}");
    sandbox.write("empty.yaml", "");
    sandbox.write("latin.yaml", b"Resources: \xff AWS::");
    sandbox.write("list.yaml", "- Resources\n");
    sandbox.write("helm.yaml", "Resources: {{ .Values.x }}\n{{ end }}\n");
    sandbox.write("two.yaml", "kind: Resources\n---\nkind: b\n");
    sandbox.write("other.yaml", "Resources:\n  a: {Type: b}\n");
    sandbox
}

#[test]
fn folders_are_searched_for_templates() {
    let all = [
        ".serverless/f.yaml",
        "a/c.yml",
        "a/d.json.template",
        "a/deep/er/e.YAML",
        "b.yaml",
    ];
    assert_eq!(linted_files(&project(), ""), all);
    assert_eq!(linted_files(&project(), "."), all);
    assert_eq!(linted_files(&project(), "a"), all[1..4]);
    assert_eq!(
        linted_files(&project(), ".aws-sam"),
        [".aws-sam/build/x.yaml"]
    );
}

#[test]
fn globs_match_as_in_shells() {
    assert_eq!(linted_files(&project(), "*.yaml"), ["b.yaml"]);
    assert_eq!(linted_files(&project(), "a/*.y*ml"), ["a/c.yml"]);
    let deep = linted_files(&project(), "a/**/*.[yY]*");
    assert_eq!(deep, ["a/c.yml", "a/deep/er/e.YAML"]);
}

#[test]
fn a_file_is_linted_once_in_the_order_of_the_arguments() {
    let twice = linted_files(&project(), "b.yaml a ./b.yaml a/c.yml *.yaml");
    assert_eq!(
        twice,
        ["b.yaml", "a/c.yml", "a/d.json.template", "a/deep/er/e.YAML"]
    );
}

#[test]
fn excluded_files_are_skipped_however_they_are_named() {
    let left = linted_files(
        &project(),
        "--exclude deep --exclude *.template --exclude b.yaml . b.yaml",
    );
    assert_eq!(left, [".serverless/f.yaml", "a/c.yml"]);
    assert_eq!(
        linted_files(&project(), "--exclude a/* ./a ./b.yaml"),
        ["b.yaml"]
    );
    assert_eq!(
        linted_files(&project(), "--exclude a/** ."),
        [".serverless/f.yaml", "b.yaml"]
    );
}

#[test]
fn an_unreadable_file_that_looks_like_a_template_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a/broken.yaml",
        "AWSTemplateFormatVersion: 2010-09-09\nResources: {\n",
    );
    assert_snapshot!(sandbox.run("lint a"), @"
    exit 2
    --- stderr
    error: expected a value
     --> a/broken.yaml:3:1
      |
    3 |
      | ^

    1 error in a/broken.yaml
    1 file cannot be read
    ");
}

#[test]
fn named_files_must_be_templates_unless_hooks_name_them() {
    let sandbox = project();
    let run = sandbox.run("lint package.json empty.yaml");
    assert_eq!(run.code, Some(2), "{run}");
    let run = sandbox.run("lint --templates-only package.json empty.yaml latin.yaml");
    assert_snapshot!(run, @"
    exit 0
    --- stderr
    no template: nothing to check
    ");
    assert_eq!(
        linted_files(&sandbox, "--templates-only package.json b.yaml"),
        ["b.yaml"]
    );
}

#[test]
fn no_template_is_bad_input() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("lint"), @"
    exit 2
    --- stderr
    error: there is no template in the current folder
    help: name a file or a folder, or render templates with `stackgen synth`
    ");
    sandbox.write("a/b.json", "{}");
    assert_snapshot!(sandbox.run("lint a"), @"
    exit 2
    --- stderr
    error: there is no template in a
    help: a template is YAML or JSON with `Resources`; hidden folders are not searched
    ");
    assert_snapshot!(sandbox.run("lint a/*.yaml"), @"
    exit 2
    --- stderr
    error: no file matches a/*.yaml
    help: use `**` to match folders: 'stacks/**/*.yaml'
    ");
    assert_snapshot!(sandbox.run("lint b"), @"
    exit 2
    --- stderr
    error: there is no b
    help: render one with `stackgen synth`
    1 file cannot be read
    ");
    assert_snapshot!(sandbox.run("lint a/***.yaml"), @"
    exit 2
    --- stderr
    error: cannot match a/***.yaml: Pattern syntax error near position 4: wildcards are either regular `*` or recursive `**`
    ");
}

#[test]
fn stdin_has_the_given_name() {
    let (sandbox, open) = (Sandbox::new(), example(OPEN, '-'));
    let run = piped(&sandbox, "lint - --select SG102", &open);
    assert!(run.stdout.contains("--> <stdin>:38:26"), "{run}");
    let run = piped(
        &sandbox,
        "lint - --select SG102 --stdin-filename a/b.yaml",
        &open,
    );
    assert!(run.stdout.contains("--> a/b.yaml:38:26"), "{run}");
    assert_eq!(run.code, Some(3));
    assert_snapshot!(piped(&sandbox, "lint -", ""), @"
    exit 2
    --- stderr
    error: <stdin> is empty
    help: render one with `stackgen synth`
    1 file cannot be read
    ");
    assert_snapshot!(piped(&sandbox, "lint - --stdin-filename a.yaml", "{"), @"
    exit 2
    --- stderr
    error: this brace is never closed
     --> a.yaml:1:1
      |
    1 | {
      | ^
      |
      = help: add the missing `}`

    1 error in a.yaml
    1 file cannot be read
    ");
}

#[cfg(unix)]
#[test]
fn links_to_files_are_followed_and_circles_are_not() {
    use std::os::unix::fs::symlink;
    let sandbox = two();
    let at = |path: &str| sandbox.path().join(path);
    sandbox.write("a/real.yaml", example(OPEN, '-'));
    symlink(at("a"), at("a/circle")).unwrap();
    symlink(at("open.yaml"), at("a/link.yaml")).unwrap();
    symlink(at("nowhere"), at("a/broken.yaml")).unwrap();
    symlink(at("a"), at("folder")).unwrap();
    assert_eq!(linted_files(&sandbox, "a"), ["a/link.yaml", "a/real.yaml"]);
    assert_eq!(
        linted_files(&sandbox, "folder"),
        ["folder/link.yaml", "folder/real.yaml"]
    );
    assert_eq!(
        linted_files(&sandbox, "a/link.yaml open.yaml"),
        ["a/link.yaml"]
    );
}

/// Writes files of `cdk synth`: a manifest, a stack with a nested one, a stage, and a file of an earlier synthesis.
fn assembly() -> Sandbox {
    let (sandbox, open) = (Sandbox::new(), example(OPEN, '-'));
    let manifest =
        |artifacts: &str| format!("{{\"version\": \"48.0.0\", \"artifacts\": {{{artifacts}}}}}");
    let stack = "\"type\": \"aws:cloudformation:stack\", \"properties\": {\"templateFile\"";
    sandbox.write(
        "app/cdk.out/manifest.json",
        manifest(&format!(
            "\"A\": {{{stack}: \"A.template.json\"}}}}, \"B\": {{{stack}: \"../../escape.json\"}}}},
             \"S\": {{\"type\": \"cdk:cloud-assembly\", \"properties\": {{\"directoryName\": \"assembly-S\"}}}},
             \"T\": {{\"type\": \"cdk:tree\", \"properties\": {{\"file\": \"tree.json\"}}}}"
        )),
    );
    let nested = "{\"Resources\": {\"N\": {\"Type\": \"AWS::CloudFormation::Stack\",
        \"Metadata\": {\"aws:asset:path\": \"N.nested.template.json\"}}}}";
    sandbox.write("app/cdk.out/A.template.json", nested);
    for path in [
        "app/cdk.out/N.nested.template.json",
        "app/cdk.out/Gone.template.json",
        "app/cdk.out/asset.1/x.yaml",
        "app/cdk.out/assembly-S/S.template.json",
        "escape.json",
    ] {
        sandbox.write(path, &open);
    }
    let inner = manifest(&format!("\"S\": {{{stack}: \"S.template.json\"}}}}"));
    sandbox.write("app/cdk.out/assembly-S/manifest.json", inner);
    sandbox
}

#[test]
fn templates_in_the_manifest_of_a_cdk_out_are_linted() {
    let own = [
        "app/cdk.out/N.nested.template.json",
        "app/cdk.out/assembly-S/S.template.json",
    ];
    assert_eq!(linted_files(&assembly(), "app/cdk.out"), own);
    assert_eq!(linted_files(&assembly(), "app"), own);
    // A named file is linted even if the manifest does not list it.
    let gone = "app/cdk.out/Gone.template.json";
    assert_eq!(linted_files(&assembly(), gone), [gone]);
}

#[test]
fn a_missing_template_of_a_stack_is_reported() {
    let sandbox = assembly();
    std::fs::remove_file(
        sandbox
            .path()
            .join("app/cdk.out/assembly-S/S.template.json"),
    )
    .unwrap();
    let run = sandbox.run("lint app --select SG102");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(
        run.stderr
            .contains("there is no app/cdk.out/assembly-S/S.template.json"),
        "{run}"
    );
}

#[test]
fn an_unreadable_folder_is_reported() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = two();
    sandbox.write("a/b.yaml", "");
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(sandbox.path().join("a"), closed).unwrap();
    let is_root = std::fs::read_dir(sandbox.path().join("a")).is_ok();
    let run = sandbox.run("lint . --select SG102");
    std::fs::set_permissions(
        sandbox.path().join("a"),
        std::fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    assert!(is_root || run.code == Some(2), "{run}");
}

#[test]
fn files_too_long_for_a_template_are_skipped_in_folders() {
    let sandbox = two();
    let long = format!("# {}\n{}", "x".repeat(8 * 1024 * 1024), example(OPEN, '-'));
    sandbox.write("long.yaml", long);
    assert_eq!(linted_files(&sandbox, "."), ["open.yaml"]);
    assert_snapshot!(sandbox.run("lint long.yaml"), @"
    exit 2
    --- stderr
    error: long.yaml is longer than 8 MiB
    help: check that this is the right file: CloudFormation takes templates of up to 1 MB
    1 file cannot be read
    ");
}

#[test]
fn deeply_nested_templates_are_linted() {
    let sandbox = two();
    let (open, close) = ("[".repeat(60), "]".repeat(60));
    let deep = format!("{}Outputs: {{a: {open}{close}}}\n", example(OPEN, '-'));
    sandbox.write("deep.yaml", deep);
    assert_eq!(linted_files(&sandbox, "deep.yaml"), ["deep.yaml"]);
    let (open, close) = ("{\"Fn::Sub\": [".repeat(30), "]}".repeat(30));
    let deep = format!("{}Metadata: {{a: {open}{close}}}\n", example(OPEN, '-'));
    sandbox.write("calls.yaml", deep);
    assert_eq!(linted_files(&sandbox, "calls.yaml"), ["calls.yaml"]);
}

#[test]
fn files_of_other_tools_are_named_with_the_way_to_lint_them() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "serverless.yml",
        "service: chat\nprovider: {name: aws}\nfunctions: {a: {handler: a.b}}\n",
    );
    sandbox.write("cdk.json", "{\"app\": \"node app.js\"}\n");
    sandbox.write("samconfig.toml", "version = 0.1\n");
    let files = ["serverless.yml", "cdk.json", "samconfig.toml"];
    let runs = files.map(|file| sandbox.run(&format!("lint {file}")).to_string());
    assert_snapshot!(runs.concat(), @"
    exit 2
    --- stderr
    error: serverless.yml is a project file of the Serverless Framework, not a CloudFormation template
    help: run `serverless package`, then lint `.serverless/cloudformation-template-update-stack.json`
    1 file cannot be readexit 2
    --- stderr
    error: cdk.json is the configuration of a CDK app, not a CloudFormation template
    help: run `cdk synth`, then lint the folder `cdk.out`
    1 file cannot be readexit 2
    --- stderr
    error: samconfig.toml is the configuration of the SAM CLI, not a CloudFormation template
    help: lint the template that it deploys, such as `template.yaml`
    1 file cannot be read
    ");
    let run = sandbox.run("graph serverless.yml");
    assert!(run.to_string().contains("serverless package"), "{run}");
}

#[test]
fn a_template_that_cannot_be_parsed_keeps_its_error_whatever_its_name() {
    let sandbox = Sandbox::new();
    let broken = "AWSTemplateFormatVersion: 2010-09-09\nResources: {Api: [}\n";
    for name in ["serverless.yml", "serverless.template"] {
        sandbox.write(name, broken);
        let run = sandbox.run(&format!("lint {name}")).to_string();
        assert!(run.contains(&format!("{name}:2:")), "{run}");
        assert!(!run.contains("Serverless Framework"), "{run}");
    }
    sandbox.write("serverless.yaml", "service: chat\nfunctions: {a: [}\n");
    let run = sandbox.run("lint serverless.yaml").to_string();
    assert!(run.contains("Serverless Framework"), "{run}");
}
