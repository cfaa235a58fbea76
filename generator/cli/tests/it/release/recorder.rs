//! A proxy in front of the emulator that records calls with the permissions that they take, denies some, and ends the caller
//! at others.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;

/// Permission that a call takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallPermission {
    /// IAM action.
    pub(crate) action: String,
    /// ARN; `None` if the call does not tell its stack.
    pub(crate) resource: Option<String>,
    /// Action with the kind of the resource: IDs are stars.
    pub(crate) kind: String,
}

/// Request that went through the proxy.
#[derive(Clone, Debug)]
pub(crate) struct RecordedCall {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: String,
    /// `None` for requests without a signature, and for services that no policy is about.
    permission: Option<CallPermission>,
    is_handshake: bool,
}

/// Moment of a call at which the caller is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KillMoment {
    /// The call has no effect.
    BeforeEffect,
    /// The call takes effect, and the caller does not learn it.
    AfterEffect,
}

/// Call at which the caller is ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KillPoint {
    /// Number of the call, from 0.
    pub(crate) call: usize,
    pub(crate) moment: KillMoment,
}

impl std::fmt::Display for KillPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = match self.moment {
            KillMoment::BeforeEffect => "before",
            KillMoment::AfterEffect => "after",
        };
        write!(f, "{moment} call {}", self.call)
    }
}

impl RecordedCall {
    /// Changes which deployment a stage serves, or may do so.
    pub(crate) fn moves_stage(&self) -> bool {
        let is_stage = self.path.contains("/stages/") && self.method == "PATCH";
        is_stage || self.body.contains("Action=ExecuteChangeSet")
    }

    pub(crate) fn is_handshake(&self) -> bool {
        self.is_handshake
    }

    /// Records a verification that passed in the description of a deployment.
    pub(crate) fn records_verification(&self) -> bool {
        let is_deployment = self.path.contains("/deployments/") && self.method == "PATCH";
        is_deployment && self.body.contains(" tried:")
    }
}

/// A proxy on loopback. It runs until the process ends.
pub(crate) struct Recorder {
    address: SocketAddr,
    state: Arc<Mutex<RecorderState>>,
}

#[derive(Default)]
struct RecorderState {
    calls: Vec<RecordedCall>,
    /// Kind of the call to deny.
    denied: Option<String>,
    replay: Option<ReplayedAnswer>,
    kill: Option<KillPoint>,
    process: Option<Pid>,
}

/// A change of the answers to a kind of call, so that they are those of AWS in a state that the emulator does not have.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ReplayedAnswer {
    /// Kind of the call.
    pub(crate) call: String,
    /// Text in the answer.
    pub(crate) text: String,
    /// Text in its place.
    pub(crate) replacement: String,
}

impl ReplayedAnswer {
    /// Changes an answer: its body, and its length in the head.
    fn apply(&self, answer: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(answer);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(body.contains(&self.text), "{}: {body}", self.call);
        let body = body.replace(&self.text, &self.replacement);
        let lines = head.lines().map(|line| {
            let is_length = line.to_ascii_lowercase().starts_with("content-length:");
            match is_length {
                true => format!("content-length: {}", body.len()),
                false => line.to_owned(),
            }
        });
        let head: Vec<_> = lines.collect();
        format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
    }
}

impl RecorderState {
    /// Records a call. Returns whether the caller is ended at it, and when.
    fn record(&mut self, call: RecordedCall) -> Option<KillMoment> {
        self.calls.push(call);
        let number = self.calls.len() - 1;
        self.kill
            .filter(|kill| kill.call == number)
            .map(|kill| kill.moment)
    }

    fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            // It may have ended by itself.
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

impl Recorder {
    pub(crate) fn start(emulator: SocketAddr) -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<Mutex<RecorderState>> = Arc::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, shared) = (client.unwrap(), Arc::clone(&shared));
                // A client that goes away ends its connection with an error.
                std::thread::spawn(move || serve(client, emulator, &shared).ok());
            }
        });
        Recorder { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Denies calls of a kind from now on.
    pub(crate) fn deny(&self, kind: Option<&str>) {
        self.state.lock().unwrap().denied = kind.map(str::to_owned);
    }

    /// Changes answers from now on.
    pub(crate) fn replay(&self, answer: Option<ReplayedAnswer>) {
        self.state.lock().unwrap().replay = answer;
    }

    /// Ends this process by SIGKILL at a call. Calls are counted from now on.
    pub(crate) fn kill_at(&self, point: KillPoint, process: u32) {
        let mut state = self.state.lock().unwrap();
        state.kill = Some(point);
        state.process = process.try_into().ok().and_then(Pid::from_raw);
    }

    /// Returns the calls so far, and forgets them and the process to end.
    pub(crate) fn take_calls(&self) -> Vec<RecordedCall> {
        let mut state = self.state.lock().unwrap();
        (state.kill, state.process) = (None, None);
        std::mem::take(&mut state.calls)
    }

    /// Returns the permissions that the calls so far took, and forgets the calls.
    pub(crate) fn take(&self) -> Vec<CallPermission> {
        let calls = self.take_calls().into_iter();
        calls.filter_map(|call| call.permission).collect()
    }
}

/// Request of an AWS client.
struct AwsCallRequest {
    method: String,
    path: String,
    head: String,
    body: Vec<u8>,
}

impl AwsCallRequest {
    fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<AwsCallRequest>> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Ok(None);
            }
        }
        let mut words = head.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        let mut request = AwsCallRequest {
            method,
            path,
            head,
            body: Vec::new(),
        };
        let length = request.header("content-length").unwrap_or("0");
        request.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(found.1)
    }

    /// Returns service and region of the signature.
    fn scope(&self) -> Option<(&str, &str)> {
        let scope = self.header("authorization")?.split_once("Credential=")?.1;
        let mut parts = scope.split('/').skip(2);
        let region = parts.next()?;
        Some((parts.next()?, region))
    }

    fn permission(&self) -> Option<CallPermission> {
        let (service, region) = self.scope()?;
        let path = self.path.split('?').next()?.to_owned();
        let path = percent_encoding::percent_decode_str(&path)
            .decode_utf8()
            .ok()?;
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let account = "000000000000";
        let (action, resource, kind) = match service {
            "apigateway" => {
                let stars = parts[1..].iter().enumerate();
                let stars = stars.map(|(index, part)| if index % 2 == 1 { "*" } else { *part });
                let kind = stars.collect::<Vec<_>>().join("/");
                let path = path.strip_prefix("/v2").unwrap_or(&path);
                let resource = format!("arn:aws:apigateway:{region}::{path}");
                (self.method.clone(), Some(resource), kind)
            }
            "lambda" => {
                let action = lambda_action(&self.method, parts.last()?);
                let arn = |name| format!("arn:aws:lambda:{region}:{account}:function:{name}");
                (action.to_owned(), parts.get(2).map(arn), String::new())
            }
            "cloudformation" => {
                let stack = self.parameter("StackName");
                let resource = stack.map(|stack| match stack.starts_with("arn:") {
                    true => stack,
                    false => format!("arn:aws:cloudformation:{region}:{account}:stack/{stack}/id"),
                });
                (self.parameter("Action")?, resource, String::new())
            }
            "s3" => {
                let action = s3_action(&self.method, parts.len());
                let resource = format!("arn:aws:s3:::{}", parts.join("/"));
                (action.to_owned(), Some(resource), String::new())
            }
            "iam" | "monitoring" | "ec2" | "dynamodb" | "logs" | "cognito-idp" => {
                let (action, resource) = self.named_resource(service, region)?;
                (action, resource, String::new())
            }
            "execute-api" => {
                let resource = self.connection_resource(region, &path);
                ("ManageConnections".to_owned(), resource, String::new())
            }
            _ => return None,
        };
        let service = match service {
            "monitoring" => "cloudwatch",
            service => service,
        };
        Some(CallPermission {
            kind: format!("{service}:{action} {kind}"),
            action: format!("{service}:{action}"),
            resource,
        })
    }

    /// Returns the action of a read, and the ARN of what it names.
    fn named_resource(&self, service: &str, region: &str) -> Option<(String, Option<String>)> {
        let account = "000000000000";
        let arn = match service {
            "iam" => self.iam_resource(),
            "monitoring" => self
                .parameter("DashboardName")
                .map(|name| format!("arn:aws:cloudwatch::{account}:dashboard/{name}")),
            "dynamodb" | "logs" => self.json_resource(service, region),
            _ => None,
        };
        let action = match self.header("x-amz-target") {
            Some(target) => target.rsplit('.').next()?.to_owned(),
            None => self.parameter("Action")?,
        };
        Some((action, arn))
    }

    /// Returns the role or the managed policy that a request to IAM names.
    fn iam_resource(&self) -> Option<String> {
        let role = self.parameter("PolicySourceArn").or_else(|| {
            let name = self.parameter("RoleName")?;
            Some(format!("arn:aws:iam::000000000000:role/{name}"))
        });
        role.or_else(|| self.parameter("PolicyArn"))
    }

    /// Returns the connection of a path of the management API, whose host begins with the API.
    fn connection_resource(&self, region: &str, path: &str) -> Option<String> {
        let api = self.header("host")?.split('.').next()?;
        let (stage, id) = path.trim_start_matches('/').split_once("/@connections/")?;
        let stage = stage.rsplit('/').next().unwrap_or(stage);
        let method = &self.method;
        Some(format!(
            "arn:aws:execute-api:{region}:000000000000:{api}/{stage}/{method}/@connections/{id}"
        ))
    }

    /// Returns the table or the log group that a request in JSON names.
    fn json_resource(&self, service: &str, region: &str) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let arn = |resource: String| format!("arn:aws:{service}:{region}:000000000000:{resource}");
        if service == "dynamodb" {
            return text("TableName").map(|name| arn(format!("table/{name}")));
        }
        let group = ["logGroupName", "logGroupIdentifier", "logGroupNamePrefix"];
        let group = group.into_iter().find_map(text);
        let group = group.or_else(|| body["logGroupNames"][0].as_str().map(str::to_owned))?;
        Some(arn(format!("log-group:{group}:*")))
    }

    /// Returns a parameter of a form.
    fn parameter(&self, name: &str) -> Option<String> {
        let form = std::str::from_utf8(&self.body).ok()?;
        let mut parameters = form.split('&').filter_map(|pair| pair.split_once('='));
        let value = parameters.find(|(found, _)| *found == name)?.1;
        let value = percent_encoding::percent_decode_str(value);
        Some(value.decode_utf8().ok()?.into_owned())
    }
}

fn s3_action(method: &str, parts: usize) -> &'static str {
    match (method, parts) {
        ("HEAD", 1) => "ListBucket",
        ("HEAD" | "GET", _) => "GetObject",
        ("PUT", _) => "PutObject",
        other => panic!("unknown call of S3: {other:?}"),
    }
}

fn lambda_action(method: &str, last_part: &str) -> &'static str {
    match (method, last_part) {
        ("GET", "account-settings") => "GetAccountSettings",
        ("GET", "concurrency") => "GetFunctionConcurrency",
        ("GET", "configuration") => "GetFunctionConfiguration",
        ("GET", "policy") => "GetPolicy",
        ("PUT", "code") => "UpdateFunctionCode",
        ("POST", "versions") => "PublishVersion",
        other => panic!("unknown call of Lambda: {other:?}"),
    }
}

/// Treatment of a request by the proxy.
struct Verdict {
    /// Answer in place of the emulator's.
    denied: Option<String>,
    kill: Option<KillMoment>,
    replay: Option<ReplayedAnswer>,
}

impl Verdict {
    fn of(request: &AwsCallRequest, state: &Mutex<RecorderState>) -> Verdict {
        let permission = request.permission();
        let mut state = state.lock().unwrap();
        let denied = permission
            .as_ref()
            .filter(|permission| state.denied.as_deref() == Some(permission.kind.as_str()));
        let denied = denied.map(|permission| denial(&request.method, permission));
        let is_of = |permission: &CallPermission, replay: &ReplayedAnswer| {
            permission.kind.trim_end() == replay.call
        };
        let replay = state.replay.clone().filter(|replay| {
            permission
                .as_ref()
                .is_some_and(|permission| is_of(permission, replay))
        });
        let kill = state.record(RecordedCall {
            method: request.method.clone(),
            path: request.path.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            permission,
            is_handshake: request.header("upgrade").is_some(),
        });
        Verdict {
            denied,
            kill,
            replay,
        }
    }
}

fn serve(
    client: TcpStream,
    emulator: SocketAddr,
    state: &Mutex<RecorderState>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let Some(request) = AwsCallRequest::read(&mut reader)? else {
        return Ok(());
    };
    let mut client = client;
    let is_upgrade = request.header("upgrade").is_some();
    let Verdict {
        denied,
        kill,
        replay,
    } = Verdict::of(&request, state);
    if let Some(answer) = denied {
        return client.write_all(answer.as_bytes());
    }
    if kill == Some(KillMoment::BeforeEffect) {
        state.lock().unwrap().kill();
        return Ok(());
    }
    let mut server = TcpStream::connect(emulator)?;
    // One request a connection, so that the end of the answer is the end of the connection.
    let head = match is_upgrade {
        true => request.head.clone(),
        false => request
            .head
            .replacen("\r\n", "\r\nConnection: close\r\n", 1),
    };
    server.write_all(head.as_bytes())?;
    server.write_all(&request.body)?;
    if kill == Some(KillMoment::AfterEffect) {
        match is_upgrade {
            // The connection is open when the answer begins.
            true => server.read_exact(&mut [0])?,
            false => drop(server.read_to_end(&mut Vec::new())?),
        }
        state.lock().unwrap().kill();
        return Ok(());
    }
    if let Some(replay) = replay {
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        return client.write_all(&replay.apply(&answer));
    }
    let (mut answers, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let back = std::thread::spawn(move || {
        std::io::copy(&mut answers, &mut to_client).ok();
        to_client.shutdown(std::net::Shutdown::Both).ok();
    });
    if is_upgrade {
        std::io::copy(&mut reader, &mut server).ok();
        server.shutdown(std::net::Shutdown::Both).ok();
    }
    back.join().unwrap();
    Ok(())
}

/// Returns the answer of AWS to a caller who lacks a permission, in the protocol of the service.
fn denial(method: &str, permission: &CallPermission) -> String {
    let CallPermission {
        action, resource, ..
    } = permission;
    let resource = resource.as_deref().unwrap_or("*");
    let text = format!(
        "User: arn:aws:iam::000000000000:user/test is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
    );
    let body = match action.split(':').next() {
        Some("s3") if method == "HEAD" => String::new(),
        Some("s3") => format!("<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>"),
        Some("cloudformation" | "iam" | "cloudwatch") => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{text}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        ),
        Some("ec2") => format!(
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>{text}</Message></Error></Errors></Response>"
        ),
        _ => format!(r#"{{"Message":"{text}"}}"#),
    };
    format!(
        "HTTP/1.1 403 Forbidden\r\nx-amzn-errortype: AccessDeniedException\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
