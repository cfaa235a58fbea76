//! Proxies, root certificates, roles and codes that the environment configures.

use std::net::SocketAddr;

use insta::assert_snapshot;
use stackgen_test_tools::{FakeAws, PrivateCa, TestProxy};
use tokio::runtime::Runtime;

use crate::common::{Run, Sandbox};
use crate::terminal::on_terminal;

/// Host that only the proxy can resolve.
const HOST: &str = "aws.example";

/// Calls the account, and asks for an API that it does not have.
const CALL: &str = "deployments list --api-id none --region us-east-1";

/// A folder and an account.
struct World {
    sandbox: Sandbox,
    runtime: Runtime,
    account: FakeAws,
    ca: PrivateCa,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let account = runtime.block_on(FakeAws::start());
        let (sandbox, ca) = (Sandbox::new(), PrivateCa::new());
        sandbox.write("ca.pem", ca.pem());
        World {
            sandbox,
            runtime,
            account,
            ca,
        }
    }

    /// Starts a TLS server for a host in front of the account.
    fn secure(&self, host: &str) -> SocketAddr {
        let account = self.account.address();
        self.runtime.block_on(self.ca.serve(host, account))
    }

    /// Starts a proxy that takes the credentials `Aladdin:open sesame`, the example of RFC 7617.
    fn proxy(&self, server: SocketAddr) -> TestProxy {
        let hosts = [(HOST, server)];
        let authorization = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        let proxy = TestProxy::start_with_authorization(&hosts, authorization);
        self.runtime.block_on(proxy)
    }

    /// Runs `stackgen` with an access key and these variables.
    fn run(&self, line: &str, variables: &[(&str, &str)]) -> Run {
        let mut command = self.sandbox.command();
        command.args(line.split_whitespace());
        command.env("AWS_ACCESS_KEY_ID", "AKIDALICE");
        command.env("AWS_SECRET_ACCESS_KEY", "secret");
        // Machines of AWS would be asked for credentials.
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(variables.iter().copied());
        Run::of(command.output().unwrap())
    }
}

#[test]
fn calls_go_through_the_proxy_and_trust_the_bundle_that_variables_name() {
    let world = World::new();
    let proxy = world.proxy(world.secure(HOST));
    let address = proxy.address();
    let url = format!("http://Aladdin:open%20sesame@{address}");
    let line = format!("{CALL} --endpoint-url https://aws.example --verbose");
    let run = world.run(&line, &[("HTTPS_PROXY", &url), ("AWS_CA_BUNDLE", "ca.pem")]);
    let shown = run.to_string().replace(&address.to_string(), "PROXY");
    assert_snapshot!(shown, @r#"
    exit 2
    --- stderr
    proxy for HTTPS: http://PROXY
    calls AWS as arn:aws:iam::111122223333:user/alice
    error: there is no API with the ID none
    help: list the APIs with `aws apigatewayv2 get-apis`; `--region` and `--profile` select another region and account
    "#);
    let mut requests = proxy.requests();
    requests.dedup();
    assert_eq!(requests, ["CONNECT aws.example:443"]);

    // The lower-case name counts more, as for the `aws` command.
    let run = world.run(
        &line,
        &[
            ("HTTPS_PROXY", "http://127.0.0.1:1"),
            ("https_proxy", &url),
            ("AWS_CA_BUNDLE", "ca.pem"),
        ],
    );
    assert!(run.stderr.contains("there is no API"), "{run}");
}

#[test]
fn wrong_credentials_of_the_proxy_are_reported_without_showing_them() {
    let world = World::new();
    let proxy = world.proxy(world.secure(HOST));
    let url = format!("http://Aladdin:s3cret@{}", proxy.address());
    let line = format!("{CALL} --endpoint-url https://aws.example --verbose");
    let run = world.run(&line, &[("HTTPS_PROXY", &url), ("AWS_CA_BUNDLE", "ca.pem")]);
    let shown = run.to_string();
    assert!(!shown.contains("s3cret"), "{shown}");
    let shown = shown.replace(&proxy.address().to_string(), "PROXY");
    assert_snapshot!(shown, @r#"
    exit 1
    --- stderr
    proxy for HTTPS: http://PROXY
    calls AWS as an unknown identity: GetCallerIdentity: the proxy does not accept the user name and password, or there are none
    error: GetApi: the proxy does not accept the user name and password, or there are none
    help: check the URL, user name and password in HTTPS_PROXY; NO_PROXY names hosts to reach without the proxy
    "#);
}

#[test]
fn hosts_of_no_proxy_are_called_directly() {
    let world = World::new();
    let proxy = world.proxy(world.secure(HOST));
    let url = format!("http://{}", proxy.address());
    // Loopback never goes through a proxy, and needs no entry.
    let local = format!("{CALL} --endpoint-url http://{}", world.account.address());
    let run = world.run(&local, &[("HTTP_PROXY", &url)]);
    assert!(run.stderr.contains("there is no API"), "{run}");
    let line = "probe wss://aws.invalid/prod";
    let run = world.run(line, &[("HTTPS_PROXY", &url), ("NO_PROXY", "x, .invalid")]);
    assert!(run.stdout.contains("cannot resolve aws.invalid"), "{run}");
    assert!(proxy.requests().is_empty());
}

#[test]
fn a_private_authority_is_trusted_only_with_its_bundle() {
    let world = World::new();
    let port = world.secure("localhost").port();
    let line = format!("{CALL} --endpoint-url https://localhost:{port}");
    let untrusted = world.run(&line, &[]);
    assert_snapshot!(untrusted.to_string().replace(&port.to_string(), "PORT"), @r#"
    exit 1
    --- stderr
    error: GetApi: the server's certificate is not trusted: UnknownIssuer
    help: if a proxy decrypts the traffic, set AWS_CA_BUNDLE, or `ca_bundle` in the profile, to a file with its root certificate
    "#);
    let trusted = world.run(&line, &[("AWS_CA_BUNDLE", "ca.pem")]);
    assert!(trusted.stderr.contains("there is no API"), "{trusted}");
    world
        .sandbox
        .write("config", "[profile corp]\nca_bundle = ca.pem\n");
    let of_profile = world.run(
        &line,
        &[("AWS_CONFIG_FILE", "config"), ("AWS_PROFILE", "corp")],
    );
    assert!(
        of_profile.stderr.contains("there is no API"),
        "{of_profile}"
    );
}

#[test]
fn bad_values_of_variables_are_bad_input() {
    let world = World::new();
    world.sandbox.write("empty.pem", "no certificate\n");
    let shown = |name, value| world.run(CALL, &[(name, value)]);
    assert_snapshot!(shown("AWS_CA_BUNDLE", "none.pem"), @r#"
    exit 2
    --- stderr
    error: AWS_CA_BUNDLE names none.pem, which cannot be read: no such file or directory
    help: name a file with root certificates in PEM form
    "#);
    assert_snapshot!(shown("AWS_CA_BUNDLE", "empty.pem"), @r#"
    exit 2
    --- stderr
    error: AWS_CA_BUNDLE names empty.pem, which cannot be used: it contains no certificate
    help: write root certificates in PEM form: lines between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`
    "#);
    assert_snapshot!(shown("HTTPS_PROXY", "http://user:s3cret@"), @r#"
    exit 2
    --- stderr
    error: cannot use the proxy in HTTPS_PROXY: it is not a URL
    help: write `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`, with special characters of the password percent-encoded
    "#);
    assert_snapshot!(shown("HTTP_PROXY", "socks5://user:s3cret@proxy:1080"), @r#"
    exit 2
    --- stderr
    error: cannot use the proxy in HTTP_PROXY: socks5:// proxies are not supported
    help: use a proxy that speaks HTTP: `http://HOST:PORT`
    "#);
    assert_snapshot!(shown("AWS_PROFILE", "none"), @r#"
    exit 2
    --- stderr
    error: there is no profile named none
    help: check the profiles in ~/.aws/config, AWS_PROFILE and `--profile`
    "#);
}

#[test]
fn a_probe_goes_through_the_proxy_and_trusts_the_bundle() {
    let world = World::new();
    let proxy = world.proxy(world.secure(HOST));
    let url = format!("http://Aladdin:open%20sesame@{}", proxy.address());
    let variables = [("HTTPS_PROXY", url.as_str()), ("AWS_CA_BUNDLE", "ca.pem")];
    // The account is no WebSocket API, but answers HTTP.
    let run = world.run(
        "probe wss://aws.example/prod --expect-status 404",
        &variables,
    );
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        run.stdout
            .contains("connected through the proxy http://127.0.0.1:"),
        "{run}"
    );
    assert_eq!(proxy.requests(), ["CONNECT aws.example:443"]);
    let json = world
        .run("probe wss://aws.example/prod --json", &variables)
        .json();
    let handshake = &json["handshake"];
    assert_eq!(handshake["proxy"], format!("http://{}", proxy.address()));

    let wrong = format!("http://Aladdin:s3cret@{}", proxy.address());
    let run = world.run("probe wss://aws.example/prod", &[("HTTPS_PROXY", &wrong)]);
    let shown = run
        .to_string()
        .replace(&proxy.address().to_string(), "PROXY");
    assert_snapshot!(shown, @r#"
    exit 1
    --- stdout
    wss://aws.example/prod as anonymous
    no answer: the proxy http://PROXY opens no tunnel: it answers 407

    certain (row X2)
      The proxy does not accept the user name and password, or there are none.
      seen: the proxy http://PROXY opens no tunnel: it answers 407
      next: Set a user name and a password in HTTPS_PROXY, or in HTTP_PROXY for a URL that starts with
            ws://: `http://USER:PASSWORD@HOST:PORT`, with special characters percent-encoded.

    in a browser
      a page sees only close code 1006: no status, no reason (row X2); there is no answer to the
      handshake.

    not as expected: the handshake is answered with 101 (no answer)
    --- stderr
    look up a row: stackgen explain X2
    "#);
}

const CONFIG: &str = "
[profile user]
aws_access_key_id = AKIDALICE
aws_secret_access_key = secret
[profile admin]
role_arn = arn:aws:iam::111122223333:role/protected
mfa_serial = arn:aws:iam::111122223333:mfa/alice
source_profile = user
";

#[test]
fn assume_role_calls_the_account_as_the_role() {
    let world = World::new();
    let endpoint = format!("http://{}", world.account.address());
    let variables = [("AWS_ENDPOINT_URL", endpoint.as_str())];
    let role = "arn:aws:iam::111122223333:role/deployer";
    let run = world.run(
        &format!("{CALL} --assume-role {role} --verbose"),
        &variables,
    );
    assert_snapshot!(run, @r#"
    exit 2
    --- stderr
    calls AWS as arn:aws:sts::111122223333:assumed-role/deployer/session (role arn:aws:iam::111122223333:role/deployer), from arn:aws:iam::111122223333:user/alice
    error: there is no API with the ID none
    help: list the APIs with `aws apigatewayv2 get-apis`; `--region` and `--profile` select another region and account
    "#);
    let forbidden = "arn:aws:iam::111122223333:role/forbidden";
    let run = world.run(&format!("{CALL} --assume-role {forbidden}"), &variables);
    assert_snapshot!(run, @r#"
    exit 1
    --- stderr
    error: AssumeRole: not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/forbidden
    help: the caller needs sts:AssumeRole on arn:aws:iam::111122223333:role/forbidden
    "#);
}

#[test]
fn a_named_profile_counts_more_than_variables_with_an_access_key() {
    let world = World::new();
    let process = r#"{"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "secret"}"#;
    world.sandbox.write("process.json", process);
    let config = "[profile process]\ncredential_process = cat process.json\n";
    world.sandbox.write("config", config);
    let endpoint = format!("http://{}", world.account.address());
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_CONFIG_FILE", "config"),
    ];
    let caller = |line: &str, more: &[(&str, &str)]| {
        let run = world.run(&format!("{line} --verbose"), &[&variables, more].concat());
        assert!(run.stderr.contains("there is no API"), "{run}");
        world.account.requests().last().unwrap().access_key.clone()
    };
    let named = format!("{CALL} --profile process");
    assert_eq!(caller(&named, &[]), "AKIDPROCESS");
    assert_eq!(caller(CALL, &[("AWS_PROFILE", "process")]), "AKIDALICE");
}

#[test]
fn a_profile_that_needs_a_code_fails_without_a_terminal() {
    let world = World::new();
    world.sandbox.write("config", CONFIG);
    let run = world.run(
        &format!("{CALL} --profile admin"),
        &[("AWS_CONFIG_FILE", "config")],
    );
    assert_snapshot!(run, @r#"
    exit 1
    --- stderr
    error: profile admin needs a code of the MFA device arn:aws:iam::111122223333:mfa/alice, and nobody can be asked for it
    help: run it on a terminal, and enter a code that was not used before; without questions, use a profile with `credential_process = aws configure export-credentials --profile NAME`
    "#);
}

/// Runs `stackgen` on a terminal, and types an answer.
pub(crate) fn run_on_terminal(
    sandbox: &Sandbox,
    line: &str,
    variables: &[(&str, &str)],
    answer: &str,
) -> Run {
    let mut command = sandbox.process();
    command.args(line.split_whitespace());
    command.envs(variables.iter().copied());
    on_terminal(command, answer)
}

#[test]
fn a_profile_that_needs_a_code_asks_for_it_on_a_terminal() {
    let world = World::new();
    world.sandbox.write("config", CONFIG);
    let endpoint = format!("http://{}", world.account.address());
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_CONFIG_FILE", "config"),
    ];
    let line = format!("{CALL} --profile admin --verbose --color never");
    let run = run_on_terminal(&world.sandbox, &line, &variables, "123456");
    let shown = run.to_string();
    assert!(
        shown.contains("code of the MFA device arn:aws:iam::111122223333:mfa/alice:"),
        "{run}"
    );
    assert!(
        shown.contains("calls AWS as arn:aws:sts::111122223333:assumed-role/protected/"),
        "{run}"
    );
    assert!(shown.contains("there is no API"), "{run}");
    let requests = world.account.requests();
    let assumed: Vec<_> = requests
        .iter()
        .filter(|request| request.get("Action") == "AssumeRole")
        .collect();
    assert_eq!(assumed.len(), 1, "a code is accepted once: {requests:?}");
    assert_eq!(assumed[0].access_key, "AKIDALICE");
    let serial = "arn:aws:iam::111122223333:mfa/alice";
    assert_eq!(assumed[0].get("SerialNumber"), serial);
    assert_eq!(assumed[0].get("TokenCode"), "123456");

    let wrong = run_on_terminal(&world.sandbox, &line, &variables, "000000");
    assert_eq!(wrong.code, Some(1), "{wrong}");
    assert!(
        wrong.stderr.contains("MultiFactorAuthentication failed"),
        "{wrong}"
    );
    assert!(wrong.stderr.contains("credential_process"), "{wrong}");
}
