//! `stackgen dev` with what CDK, SAM and the Serverless Framework write. The files have the shape of those of the real tools.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use stackgen_test_tools::on_path;

use crate::common::Sandbox;
use crate::running::Dev;

/// Starts `dev` with JSON output, and waits until it is ready.
fn start(sandbox: Sandbox, arguments: &[&str]) -> Dev {
    let mut dev = Dev::spawn(
        sandbox,
        &[arguments, &["--json", "--no-watch"]].concat(),
        &[],
    );
    dev.ready = dev.event("ready");
    dev
}

/// Invokes a function and returns its answer.
pub(crate) fn invoke(dev: &Dev, function: &str) -> Value {
    let endpoint = dev.ready["gateway"]["endpoint"].as_str().unwrap();
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /2015-03-31/functions/{function}/invocations HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, \
         Signature=0\r\nX-Amz-Date: 20260101T000000Z\r\nContent-Length: 2\r\n\r\n{{}}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

/// Returns the reasons why parts of the stack do not run, each with its resource, and the notes.
fn reasons(dev: &Dev) -> Vec<String> {
    let parts = dev.ready["notRun"].as_array().unwrap().iter();
    let parts = parts.map(|part| {
        let text = |key: &str| part[key].as_str().unwrap().to_owned();
        format!("{}: {}", text("logicalId"), text("reason"))
    });
    let notes = dev.ready["notes"].as_array().unwrap().iter();
    parts
        .chain(notes.map(|note| note.as_str().unwrap().to_owned()))
        .collect()
}

fn assert_reason(dev: &Dev, expected: &str) {
    let all = reasons(dev);
    let found = all.iter().filter(|reason| reason.contains(expected));
    assert_eq!(found.count(), 1, "{expected}: {all:#?}");
}

/// Writes a zip with one file.
fn write_zip(sandbox: &Sandbox, path: &str, name: &str, text: &str) {
    sandbox.write(path, "");
    let mut zip = zip::ZipWriter::new(File::create(sandbox.path().join(path)).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(name, options).unwrap();
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap();
}

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

/// Returns a Node.js function of a CloudFormation template.
fn node_function(name: &str, code: Value) -> Value {
    json!({ "Type": "AWS::Lambda::Function", "Properties": {
        "FunctionName": name, "Runtime": "nodejs22.x", "Handler": "index.handler", "Role": ROLE, "Code": code,
    } })
}

/// Writes a `cdk.out` with one stack: an asset, a layer, an image, and custom resources.
fn write_cdk(sandbox: &Sandbox) {
    let asset = |hash: &str| {
        let bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}";
        json!({ "S3Bucket": { "Fn::Sub": bucket }, "S3Key": format!("{hash}.zip") })
    };
    let mut chat = node_function("chat", asset("c0de"));
    chat["Properties"]["Layers"] = json!([
        { "Ref": "Shared" },
        "arn:aws:lambda:us-east-1:094274105915:layer:AWSLambdaPowertoolsTypeScriptV2:20",
    ]);
    let provider = "const iam = require('@aws-sdk/client-iam'); exports.handler = async () => ({})";
    let image = json!({ "Type": "AWS::Lambda::Function", "Properties": {
        "FunctionName": "image", "PackageType": "Image", "Role": ROLE, "Code": { "ImageUri": { "Fn::Sub": "${AWS::AccountId}.dkr.ecr/x" } },
    } });
    let template = json!({ "Resources": {
        "Chat": chat,
        "Shared": { "Type": "AWS::Lambda::LayerVersion", "Properties": { "Content": asset("1a7e2") },
            "Metadata": { "aws:asset:path": "asset.1a7e2", "aws:asset:property": "Content" } },
        "Image": image,
        "Provider": node_function("provider", json!({ "ZipFile": provider })),
        "Retention": { "Type": "Custom::LogRetention", "Properties": { "ServiceToken": { "Fn::GetAtt": ["Provider", "Arn"] } } },
        "Notifications": { "Type": "Custom::S3BucketNotifications", "Properties": { "ServiceToken": { "Fn::GetAtt": ["Provider", "Arn"] } } },
    } });
    let assets = json!({ "version": "48.0.0", "files": { "c0de": {
        "source": { "path": "asset.c0de", "packaging": "zip" },
        "destinations": { "current_account-current_region": { "objectKey": "c0de.zip" } },
    } } });
    let stack = |template: &str| json!({ "type": "aws:cloudformation:stack", "properties": { "templateFile": template } });
    let manifest = json!({ "version": "48.0.0", "artifacts": {
        "Chat": stack("Chat.template.json"), "Other": stack("Other.template.json"),
    } });
    sandbox.write("cdk.out/manifest.json", manifest.to_string());
    sandbox.write("cdk.out/Chat.template.json", template.to_string());
    sandbox.write("cdk.out/Chat.assets.json", assets.to_string());
    sandbox.write(
        "cdk.out/Other.template.json",
        json!({ "Resources": {} }).to_string(),
    );
    let source = "const greeting = require('greeting'); exports.handler = async () => greeting + ' from the asset';";
    sandbox.write("cdk.out/asset.c0de/index.js", source);
    let greeting = "module.exports = 'hello'";
    sandbox.write(
        "cdk.out/asset.1a7e2/nodejs/node_modules/greeting/index.js",
        greeting,
    );
}

#[test]
fn a_stack_of_cdk_runs_with_its_assets_and_layers() {
    if on_path("node").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    write_cdk(&sandbox);
    let several = sandbox.run("dev cdk.out --port 0");
    assert_eq!(several.code, Some(2), "{several}");
    assert!(
        several
            .stderr
            .contains("name one with `--stack`: Chat, Other"),
        "{several}"
    );

    let dev = start(sandbox, &["cdk.out", "--stack", "Chat"]);
    assert_eq!(invoke(&dev, "chat"), "hello from the asset");
    assert_eq!(dev.ready["gateway"]["stack"], "Chat");
    assert!(dev.sandbox.path().join(".stackgen/gateway.json").is_file());
    assert_reason(&dev, "Retention: custom resources are not run");
    assert_reason(&dev, "Notifications: custom resources are not run");
    assert_reason(
        &dev,
        "the layer AWSLambdaPowertoolsTypeScriptV2:20 is not on this machine",
    );
    assert_reason(&dev, "image: its code is a container image");
    // The provider would need the SDK, but nothing calls it.
    assert!(
        !reasons(&dev)
            .iter()
            .any(|reason| reason.contains("provider"))
    );
    let status = dev.sandbox.run("status --local --file cdk.out");
    assert!(!status.stderr.contains("is a folder"), "{status}");
    let applied = dev.sandbox.run("deploy --local --file cdk.out");
    assert!(applied.stdout.contains("nothing changed"), "{applied}");
    let refused = invoke(&dev, "image").to_string();
    assert!(
        refused.contains("its code is a container image"),
        "{refused}"
    );
    drop(dev);

    let sandbox = Sandbox::new();
    write_cdk(&sandbox);
    let dev = Dev::spawn(sandbox, &["cdk.out/Chat.template.json", "--no-watch"], &[]);
    dev.line("Not run locally:");
    let line = dev.line("2 of ");
    assert_eq!(
        line.trim(),
        "2 of AWS::CloudFormation::CustomResource: custom resources are not run; their attributes get plausible values"
    );
    assert!(dev.sandbox.path().join(".stackgen/gateway.json").is_file());
}

#[test]
fn a_service_of_the_serverless_framework_runs_with_its_archives() {
    if on_path("node").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let code = |name: &str| {
        let key = format!("serverless/chat/prod/1795337579717-2026-11-22T08:52:59.717Z/{name}");
        json!({ "S3Bucket": { "Ref": "ServerlessDeploymentBucket" }, "S3Key": key })
    };
    let template = json!({ "Resources": {
        "ServerlessDeploymentBucket": { "Type": "AWS::S3::Bucket" },
        "ConnectLambdaFunction": node_function("chat-prod-connect", code("chat.zip")),
        "OwnLambdaFunction": node_function("chat-prod-own", code("own.zip")),
        "GoneLambdaFunction": node_function("chat-prod-gone", code("gone.zip")),
        "BadLambdaFunction": node_function("chat-prod-bad", code("bad.zip")),
    } });
    let state = json!({ "service": { "service": "chat", "provider": { "stage": "prod" },
        "functions": { "own": { "package": { "artifact": "dist/own.zip" } } } } });
    let file = ".serverless/cloudformation-template-update-stack.json";
    sandbox.write(file, template.to_string());
    sandbox.write(".serverless/serverless-state.json", state.to_string());
    let handler = |answer: &str| format!("exports.handler = async () => '{answer}'");
    write_zip(
        &sandbox,
        ".serverless/chat.zip",
        "index.js",
        &handler("of the service"),
    );
    write_zip(&sandbox, "dist/own.zip", "index.js", &handler("of its own"));
    sandbox.write(".serverless/bad.zip", "not a zip");

    let dev = start(sandbox, &[".serverless"]);
    assert_eq!(invoke(&dev, "chat-prod-connect"), "of the service");
    assert_eq!(invoke(&dev, "chat-prod-own"), "of its own");
    assert_eq!(dev.ready["gateway"]["stack"], "chat-prod");
    assert!(dev.sandbox.path().join(".stackgen/gateway.json").is_file());
    assert_reason(
        &dev,
        "chat-prod-gone: gone.zip is not beside the template: run `serverless package`",
    );
    assert_reason(&dev, "chat-prod-bad: Could not unzip uploaded file.");
    for function in ["chat-prod-gone", "chat-prod-bad"] {
        let refused = invoke(&dev, function).to_string();
        assert!(
            refused.contains(&format!("cannot run {function}")),
            "{refused}"
        );
    }
    let sandbox = dev.into_sandbox();
    let foreign = "service: chat\nprovider: { name: aws }\n";
    sandbox.write("serverless.yml", foreign);
    let run = sandbox.run("dev serverless.yml --port 0");
    assert!(run.stderr.contains("`stackgen dev .serverless`"), "{run}");
}

const SAM: &str = "
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.13, Handler: app.handler } }
Resources:
  Plain: { Type: AWS::Serverless::Function, Properties: { FunctionName: plain, CodeUri: plain/, Layers: [!Ref Shared] } }
  Shared: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: shared/ } }
  Built: { Type: AWS::Serverless::Function, Properties: { FunctionName: built, CodeUri: built/ } }
  Inline:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: inline
      Handler: index.handler
      InlineCode: |
        import cfnresponse
        def handler(event, context): return cfnresponse.SUCCESS
  Script:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: script, CodeUri: script/, Runtime: nodejs22.x }
    Metadata: { BuildMethod: esbuild }
  Made:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: made, CodeUri: made/, Runtime: provided.al2023 }
    Metadata: { BuildMethod: makefile }
  Go: { Type: AWS::Serverless::Function, Properties: { FunctionName: go, CodeUri: go/, Runtime: provided.al2023 } }
  Java: { Type: AWS::Serverless::Function, Properties: { FunctionName: java, CodeUri: java/, Runtime: java21 } }
  Far: { Type: AWS::Serverless::Function, Properties: { FunctionName: far, CodeUri: 's3://bucket/far.zip' } }
";

/// Writes a template with sources and with a build, which is newer.
fn write_sam(sandbox: &Sandbox) {
    sandbox.write("template.yaml", SAM);
    sandbox.write(
        "plain/app.py",
        "import shared\ndef handler(event, context): return shared.TEXT\n",
    );
    sandbox.write("shared/python/shared.py", "TEXT = 'of the layer'\n");
    sandbox.write("built/app.py", "import vendored\n");
    sandbox.write("built/requirements.txt", "vendored==1\n");
    sandbox.write("script/app.ts", "");
    sandbox.write("made/Makefile", "");
    sandbox.write("go/main.go", "");
    sandbox.write("java/pom.xml", "");
    sandbox.write(
        ".aws-sam/build/template.yaml",
        SAM.replace("built/", "Built").replace("plain/", "Plain"),
    );
    let built = ".aws-sam/build/Built";
    sandbox.write(&format!("{built}/vendored.py"), "TEXT = 'of the build'\n");
    sandbox.write(&format!("{built}/requirements.txt"), "vendored==1\n");
    let handler = "import vendored\ndef handler(event, context): return vendored.TEXT\n";
    sandbox.write(&format!("{built}/app.py"), handler);
    set_time(&sandbox.path().join(".aws-sam/build/template.yaml"), 60);
    set_time(&sandbox.path().join("built/requirements.txt"), 120);
    set_time(&sandbox.path().join("built/app.py"), 120);
}

#[test]
fn a_template_of_sam_runs_with_builds_and_sources() {
    if on_path("python3").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    write_sam(&sandbox);

    let dev = start(sandbox, &["template.yaml"]);
    assert_eq!(invoke(&dev, "plain"), "of the layer");
    assert_eq!(invoke(&dev, "built"), "of the build");
    assert_eq!(invoke(&dev, "inline"), "SUCCESS");
    for expected in [
        "Built: run as `sam build` wrote them to .aws-sam/build",
        "script: it is built with `BuildMethod: esbuild`: run `sam build`",
        "made: it is built with `BuildMethod: makefile`: run `sam build`",
        "go build -o bootstrap`",
        "java: the local Lambda does not support the runtime \"java21\"",
        "far: its code is s3://bucket/far.zip, which is not downloaded: run the template that `sam build` writes",
    ] {
        assert_reason(&dev, expected);
    }
    let is_stale = |dev: &Dev| {
        reasons(dev)
            .iter()
            .any(|reason| reason.contains("are newer"))
    };
    assert!(!is_stale(&dev), "{:#?}", reasons(&dev));
    for function in ["script", "made", "go", "java", "far"] {
        let refused = invoke(&dev, function).to_string();
        assert!(
            refused.contains(&format!("cannot run {function}")),
            "{refused}"
        );
    }
    let sandbox = dev.into_sandbox();
    set_time(&sandbox.path().join("built/app.py"), 0);
    for template in ["template.yaml", ".aws-sam/build"] {
        let stale = start(Sandbox::copy_of(&sandbox), &[template]);
        assert_reason(
            &stale,
            "Built: the sources are newer than .aws-sam/build: run `sam build`",
        );
        assert_eq!(invoke(&stale, "built"), "of the build");
    }
}

#[test]
fn layers_are_in_opt_where_the_machine_permits_it_and_extensions_are_reported() {
    if on_path("python3").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let template = "Transform: AWS::Serverless-2016-10-31
Resources:
  Words: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: words } }
  Reads:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: reads
      CodeUri: reads
      Handler: app.handler
      Runtime: python3.11
      Layers: [!Ref Words]
      Environment: { Variables: { WORDS: /opt/words-of-stackgen/a.txt } }
";
    sandbox.write("template.yaml", template);
    sandbox.write("words/words-of-stackgen/a.txt", "a word");
    sandbox.write("words/extensions/watcher", "#!/bin/sh\n");
    let code = "import os
def handler(event, context):
    with open(os.environ['WORDS']) as words:
        assert words.read() == 'a word'
    try:
        return open('/opt/words-of-stackgen/a.txt').read()
    except FileNotFoundError:
        return 'not there'
";
    sandbox.write("reads/app.py", code);
    let dev = start(sandbox, &["template.yaml"]);
    assert_reason(
        &dev,
        "reads: the extensions watcher of its layers are not started: the function runs without them, and calls of their local servers fail",
    );
    let notes = dev.ready["notes"].to_string();
    let missing =
        "reads: its code reads /opt/words-of-stackgen/a.txt, and layers are not in /opt here (";
    let expected = match notes.contains("layers are in /opt for the functions that have them") {
        true => "a word",
        false => {
            // Where other programs can mount, so can this one.
            let is_denied = notes.contains("cannot create a mount namespace");
            assert!(!is_denied || !can_mount(), "{notes}");
            "not there"
        }
    };
    assert_eq!(notes.contains(missing), expected == "not there", "{notes}");
    assert_eq!(invoke(&dev, "reads"), expected);
    // Other processes see nothing of it.
    assert!(!Path::new("/opt/words-of-stackgen").exists());
}

/// Returns true if the machine lets other programs of this user mount in a namespace of their own.
fn can_mount() -> bool {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let restriction = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    let is_restricted = fs::read_to_string(restriction).is_ok_and(|value| value.trim() == "1");
    if is_restricted && !is_root {
        // A profile may permit it to `unshare` only.
        return false;
    }
    let user: &[&str] = match is_root {
        true => &[],
        false => &["--user", "--map-current-user"],
    };
    let mut unshare = Command::new("unshare");
    let unshared = unshare.args(user).args(["--mount", "true"]).output();
    unshared.is_ok_and(|output| output.status.success())
}

#[test]
fn a_program_that_is_still_being_written_starts_after_its_layers_are_mounted() {
    let sandbox = Sandbox::new();
    sandbox.write("layers/a.txt", "");
    sandbox.write("program", "#!/bin/sh\necho started\n");
    let [layers, program] = ["layers", "program"].map(|name| sandbox.path().join(name));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut process = sandbox.process();
    process.arg("_with-layers").arg(&layers);
    if !process.output().unwrap().status.success() {
        // The machine does not permit the mount.
        return;
    }
    let open = fs::OpenOptions::new().append(true).open(&program).unwrap();
    process.arg(&program);
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = process.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    drop(open);
    let output = process.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, b"started\n", "{error}");
}

#[test]
fn a_build_in_another_folder_runs_as_it_was_built() {
    if on_path("python3").is_none() {
        return;
    }
    // As `sam build --build-dir dist` writes it: folders with the names of the functions, and their metadata.
    let function = |path: &str, metadata: &str| {
        format!(
            "Transform: AWS::Serverless-2016-10-31
Resources:
  Made:
    Type: AWS::Serverless::Function
    Metadata: {{ BuildMethod: makefile{metadata} }}
    Properties: {{ FunctionName: made, CodeUri: {path}, Handler: app.handler, Runtime: python3.11 }}
"
        )
    };
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", function("made", ""));
    sandbox.write("made/Makefile", "");
    sandbox.write(
        "dist/template.yaml",
        function("Made", ", SamResourceId: Made"),
    );
    let handler = "def handler(event, context): return 'of the build'\n";
    sandbox.write("dist/Made/app.py", handler);
    set_time(&sandbox.path().join("dist/template.yaml"), 60);
    let stale = Sandbox::copy_of(&sandbox);
    set_time(&sandbox.path().join("made/Makefile"), 120);
    let dev = start(sandbox, &["dist/template.yaml"]);
    assert_eq!(invoke(&dev, "made"), "of the build");
    assert_eq!(reasons(&dev), Vec::<String>::new());
    let dev = start(stale, &["dist/template.yaml"]);
    assert_reason(
        &dev,
        "Made: the sources are newer than dist: run `sam build`",
    );
    assert_eq!(invoke(&dev, "made"), "of the build");
}

#[test]
fn a_build_that_sam_makes_later_is_live_at_once() {
    if on_path("node").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let template = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: fn, CodeUri: src/, Runtime: nodejs22.x, Handler: app.handler }
    Metadata: { BuildMethod: esbuild }
";
    sandbox.write("template.yaml", template);
    sandbox.write("src/app.ts", "");
    let dev = Dev::of_template(sandbox, &[]);
    assert!(invoke(&dev, "fn").to_string().contains("run `sam build`"));
    for answer in ["first", "second"] {
        let handler = format!("exports.handler = async () => '{answer}'");
        dev.sandbox.write(".aws-sam/build/Fn/app.js", handler);
        let built = template.replace("src/", "Fn");
        let write = || dev.sandbox.write(".aws-sam/build/template.yaml", &built);
        write();
        while invoke(&dev, "fn") != answer {
            dev.event("applied");
            // The first write may come before the new folder is watched.
            write();
        }
        // As `sam build` does before it writes.
        fs::remove_dir_all(dev.sandbox.path().join(".aws-sam/build")).unwrap();
    }
}

/// Sets the time of a file's last change to some seconds ago.
fn set_time(path: &Path, seconds_ago: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds_ago);
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}
