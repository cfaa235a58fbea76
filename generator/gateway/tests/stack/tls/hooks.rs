//! The modules that redirect connections in Node.js and Python, without a gateway.

use std::path::{Path, PathBuf};
use std::process::Command;

use stackgen_gateway_common::AwsHost;

const HOST: &str = "abc.execute-api.nowhere-1.amazonaws.com";

/// Hosts, and true if they lead to the gateway when all services do.
const HOSTS: [(&str, bool); 18] = [
    ("sqs.nowhere-1.amazonaws.com", true),
    ("photos.s3.nowhere-1.amazonaws.com", true),
    ("iot.nowhere-1.amazonaws.com.cn", true),
    ("data-ats.iot.nowhere-1.amazonaws.com", true),
    ("other.execute-api.nowhere-1.amazonaws.com", false),
    ("chat-1.nowhere-1.elb.amazonaws.com", false),
    ("chat-1.elb.nowhere-1.amazonaws.com", false),
    ("vm-1.nowhere-1.compute.amazonaws.com", false),
    ("abc.appsync-api.nowhere-1.amazonaws.com", false),
    ("abc-ats.iot.nowhere-1.amazonaws.com", false),
    ("search-rooms-abc.nowhere-1.es.amazonaws.com", false),
    ("abc.nowhere-1.aoss.amazonaws.com", false),
    ("doc-rooms-abc.nowhere-1.cloudsearch.amazonaws.com", false),
    ("abc.gr7.nowhere-1.eks.amazonaws.com", false),
    ("es.nowhere-1.amazonaws.com", true),
    ("eks.nowhere-1.amazonaws.com", true),
    ("vpce-1.execute-api.nowhere-1.vpce.amazonaws.com", false),
    ("checkip.amazonaws.com", false),
];

/// A folder with a table that has [`HOST`], and in another file one that has all services, too.
struct Table {
    folder: tempfile::TempDir,
    listener: std::net::TcpListener,
}

impl Table {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let table = serde_json::json!({ HOST: port }).to_string();
        std::fs::write(folder.path().join("hosts.json"), table).expect("written");
        let services = serde_json::json!({ "*": port }).to_string();
        std::fs::write(folder.path().join("services.json"), services).expect("written");
        Table { folder, listener }
    }

    /// Returns the output of a program that reads the table.
    fn run(&self, command: &mut Command) -> String {
        self.run_with("hosts.json", command)
    }

    /// Returns the output of a program that reads this table.
    fn run_with(&self, table: &str, command: &mut Command) -> String {
        let hosts = self.folder.path().join(table);
        let command = command.env("_STACKGEN_HOSTS", hosts);
        let output = command.output().expect("an output");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let port = self.listener.local_addr().expect("an address").port();
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().replace(&port.to_string(), "PORT")
    }
}

fn hooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tls/hooks")
}

#[test]
fn python_redirects_the_hosts_of_the_table_and_no_others() {
    let Some(python) = stackgen_test_tools::installed("venv/bin/python") else {
        return;
    };
    let table = Table::new();
    let other = table.folder.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    let own = "import builtins\nbuiltins.own = 'sitecustomize of the function'\n";
    std::fs::write(other.join("sitecustomize.py"), own).expect("written");
    let script = format!(
        "import socket\n\
         print(own)\n\
         for host, port in [('{HOST}', 443), ('{}', '443'), (b'{HOST}', 'https'), ('{HOST}', 80), ('127.0.0.1', 443), ('sync-127.0.0.1', 80)]:\n\
         \x20   try: print(port, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4])\n\
         \x20   except socket.gaierror: print(port, 'unknown')\n\
         socket.create_connection(('{HOST}', 443)).close()\n",
        HOST.to_uppercase()
    );
    let path = std::env::join_paths([hooks(), other]).expect("a path");
    let output = table.run(
        Command::new(python)
            .args(["-B", "-c", &script])
            .env("PYTHONPATH", path),
    );
    insta::assert_snapshot!(output, @"
    sitecustomize of the function
    443 ('127.0.0.1', PORT)
    443 ('127.0.0.1', PORT)
    https ('127.0.0.1', PORT)
    80 unknown
    443 ('127.0.0.1', 443)
    80 ('127.0.0.1', 80)
    ");
}

/// Returns a line for each of [`HOSTS`]: `true` if it leads to the gateway.
fn expected_lines() -> String {
    HOSTS.map(|(_, here)| here.to_string()).join("\n")
}

fn host_names() -> String {
    serde_json::json!(HOSTS.map(|(host, _)| host)).to_string()
}

#[test]
fn the_server_stands_for_the_hosts_that_are_redirected() {
    for (host, here) in HOSTS {
        let is_service = matches!(AwsHost::parse(host), Some(AwsHost::Service(_)));
        assert_eq!(is_service, here, "{host}");
    }
}

#[test]
fn python_leaves_the_hosts_of_customers_as_they_are() {
    let Some(python) = stackgen_test_tools::installed("venv/bin/python") else {
        return;
    };
    // The resolver that the hook calls is replaced, so no name leaves this machine.
    let script = format!(
        "import runpy, socket\n\
         socket.getaddrinfo = lambda host, *rest, **options: host\n\
         runpy.run_path({:?})\n\
         for host in {}: print(str(socket.getaddrinfo(host, 443) == '127.0.0.1').lower())\n",
        hooks().join("sitecustomize.py"),
        host_names()
    );
    let mut command = Command::new(python);
    command.args(["-B", "-c", &script]);
    assert_eq!(
        Table::new().run_with("services.json", &mut command),
        expected_lines()
    );
}

#[test]
fn node_leaves_the_hosts_of_customers_as_they_are() {
    if Command::new("node").arg("--version").output().is_err() {
        stackgen_test_tools::skip("Node.js is not installed");
        return;
    }
    // The function that the hook calls is replaced, so no connection leaves this machine.
    let script = format!(
        "const net = require('net');\n\
         net.Socket.prototype.connect = function (to) {{ console.log(to.host === '127.0.0.1'); return this; }};\n\
         require({:?});\n\
         for (const host of {}) new net.Socket().connect({{ host, port: 443 }});",
        hooks().join("redirect.cjs"),
        host_names()
    );
    let mut node = Command::new("node");
    node.args(["--eval", &script]);
    assert_eq!(
        Table::new().run_with("services.json", &mut node),
        expected_lines()
    );
}

#[test]
fn node_redirects_the_hosts_of_the_table_and_no_others() {
    if Command::new("node").arg("--version").output().is_err() {
        stackgen_test_tools::skip("Node.js is not installed");
        return;
    }
    let table = Table::new();
    let script = format!(
        "const net = require('net');\n\
         const open = (...to) => new Promise((done) => {{\n\
           const socket = net.connect(...to, () => {{ done(socket.remotePort); socket.destroy(); }});\n\
           socket.on('error', (error) => done(error.code));\n\
         }});\n\
         (async () => {{\n\
           console.log(await open({{ host: '{HOST}', port: 443 }}));\n\
           console.log(await open(443, '{}'));\n\
           console.log(await open({{ host: '{HOST}', port: 1 }}));\n\
           console.log(await open({{ host: 'def.execute-api.nowhere-1.amazonaws.com', port: 443 }}));\n\
           console.log(await open({{ path: '/nonexistent' }}));\n\
           console.log(await open({{ host: 'sync-127.0.0.1', port: {} }}));\n\
         }})();",
        HOST.to_uppercase(),
        table.listener.local_addr().expect("an address").port()
    );
    let mut node = Command::new("node");
    node.arg("--require")
        .arg(hooks().join("redirect.cjs"))
        .args(["--eval", &script]);
    let output = table.run(&mut node);
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines[..2], ["PORT", "PORT"]);
    // Without a network, the name server does not answer at all.
    assert!(
        lines[2..4].iter().all(|code| code.starts_with('E')),
        "{output}"
    );
    assert_eq!(lines[4..], ["ENOENT", "PORT"]);
}

#[test]
fn version_2_of_the_sdk_for_javascript_gets_the_endpoint_unless_the_code_sets_one() {
    let Some(node) = stackgen_test_tools::on_path("node") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let package = folder.path().join("node_modules/aws-sdk");
    std::fs::create_dir_all(package.join("lib")).expect("a folder");
    std::fs::create_dir_all(package.join("clients")).expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(package.join(name), text).expect("written");
    };
    // As the SDK does: one object is the configuration of all clients.
    let core = "const config = { endpoint: undefined, update(options) { Object.assign(config, options); } };\n\
                module.exports = { config };";
    write("lib/core.js", core);
    write("index.js", "module.exports = require('./lib/core');");
    write("clients/s3.js", "module.exports = require('../lib/core');");
    write("package.json", r#"{"main":"index.js"}"#);
    let run = |name: &str, script: &str, endpoint: Option<&str>| {
        let file = folder.path().join(name);
        std::fs::write(&file, script).expect("written");
        let mut command = Command::new(&node);
        command.arg("--require").arg(hooks().join("aws_sdk_v2.cjs"));
        command.arg(file).env_remove("AWS_ENDPOINT_URL");
        command.envs(endpoint.map(|endpoint| ("AWS_ENDPOINT_URL", endpoint)));
        let output = command.output().expect("an output");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let here = Some("http://127.0.0.1:1");
    for (name, script) in [
        ("a.js", "console.log(require('aws-sdk').config.endpoint)"),
        (
            "b.js",
            "console.log(require('aws-sdk/clients/s3').config.endpoint)",
        ),
        (
            "c.mjs",
            "import sdk from 'aws-sdk'; console.log(sdk.config.endpoint)",
        ),
        (
            "d.mjs",
            "import sdk from 'aws-sdk/clients/s3.js'; console.log(sdk.config.endpoint)",
        ),
    ] {
        assert_eq!(run(name, script, here), "http://127.0.0.1:1", "{name}");
        assert_eq!(run(name, script, None), "undefined", "{name}");
    }
    let own = "const sdk = require('aws-sdk'); sdk.config.update({ endpoint: 'http://own' }); require('aws-sdk/clients/s3');\n\
               console.log(sdk.config.endpoint)";
    assert_eq!(run("e.js", own, here), "http://own");
}
