//! A server that answers as STS and API Gateway do.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Account without APIs, on loopback. STS answers AssumeRole and GetCallerIdentity: the caller with access key `AKIDALICE` is
/// the user alice, a role named `protected` takes the code 123456 of an MFA device, and nobody may assume a role named
/// `forbidden`. All other requests are answered with 404.
pub struct FakeAws {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<AwsRequest>>>,
}

/// Request to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsRequest {
    /// Access key of the caller.
    pub access_key: String,
    /// Parameters of a request to STS, `Action` among them.
    pub parameters: BTreeMap<String, String>,
}

impl FakeAws {
    /// Starts the server.
    ///
    /// # Panics
    ///
    /// Panics if loopback has no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("the listener is bound");
        let requests = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&seen)));
            }
        });
        FakeAws { address, requests }
    }

    /// Returns the address of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests so far, in order.
    pub fn requests(&self) -> Vec<AwsRequest> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AwsRequest {
    /// Returns a parameter, or an empty text.
    pub fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    fn answer(&self) -> (u16, String) {
        match self.get("Action") {
            "GetCallerIdentity" => (200, self.identity()),
            "AssumeRole" => self.assume_role(),
            _ => (404, r#"{"message":"there is none"}"#.to_owned()),
        }
    }

    /// The access key of a role is `ASIA` and the role's name.
    fn identity(&self) -> String {
        let arn = match self.access_key.strip_prefix("ASIA") {
            Some(role) => format!("arn:aws:sts::111122223333:assumed-role/{role}/session"),
            None => "arn:aws:iam::111122223333:user/alice".to_owned(),
        };
        let result = format!("<Arn>{arn}</Arn><UserId>U</UserId><Account>111122223333</Account>");
        response("GetCallerIdentity", &result)
    }

    fn assume_role(&self) -> (u16, String) {
        let arn = self.get("RoleArn");
        let role = arn.rsplit('/').next().unwrap_or_default();
        let code = self.get("TokenCode");
        if role == "protected" && code != "123456" {
            let message = match code {
                "" => "not authorized to perform: sts:AssumeRole",
                _ => "MultiFactorAuthentication failed with invalid MFA one time pass code.",
            };
            return error("AccessDenied", message);
        }
        if role == "forbidden" {
            let message = format!("not authorized to perform: sts:AssumeRole on resource: {arn}");
            return error("AccessDenied", &message);
        }
        let session = self.get("RoleSessionName");
        let result = format!(
            "<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/{role}/{session}</Arn>\
             <AssumedRoleId>AROA:{session}</AssumedRoleId></AssumedRoleUser><Credentials>\
             <AccessKeyId>ASIA{role}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
             <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        );
        (200, response("AssumeRole", &result))
    }
}

fn response(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn error(code: &str, message: &str) -> (u16, String) {
    let text = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    (403, text)
}

async fn serve(mut client: TcpStream, requests: Arc<Mutex<Vec<AwsRequest>>>) -> io::Result<()> {
    loop {
        let request = read_request(&mut client).await?;
        let (status, text) = request.answer();
        record(&requests, request);
        let answer = format!(
            "HTTP/1.1 {status} Answer\r\nx-amzn-ErrorType: NotFoundException\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        client.write_all(answer.as_bytes()).await?;
    }
}

fn record(requests: &Mutex<Vec<AwsRequest>>, request: AwsRequest) {
    let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
    requests.push(request);
}

async fn read_request(client: &mut TcpStream) -> io::Result<AwsRequest> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |searched: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(name, _)| name.eq_ignore_ascii_case(searched));
        found.map_or("", |(_, value)| value)
    };
    let length = header("content-length").parse().unwrap_or_default();
    let mut body = vec![0; length];
    client.read_exact(&mut body).await?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let key = header("authorization").split_once("Credential=");
    let key = key.and_then(|(_, rest)| rest.split('/').next());
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    Ok(AwsRequest {
        access_key: key.unwrap_or_default().to_owned(),
        parameters: pairs
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect(),
    })
}

/// Decodes the characters that ARNs and numbers contain.
fn decoded(value: &str) -> String {
    value.replace("%3A", ":").replace("%2F", "/")
}
