//! Requests that botocore signed, and what an attacker could make of them.

use http::HeaderValue;

use super::*;

const KEY: &str = "ASIAFUNCTION00000000";
const REGION: &str = "eu-west-1";

fn secret(access_key: &str) -> Option<FunctionSecret> {
    (access_key == KEY).then(|| FunctionSecret {
        function: "chat".to_owned(),
        secret_key: "s3cr3t".to_owned(),
        session_token: "t0k3n".to_owned(),
    })
}

/// A request that botocore signed.
struct SignedRequest {
    service: &'static str,
    method: &'static str,
    uri: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

const REQUESTS: [SignedRequest; 5] = [
    SignedRequest {
        service: "sqs",
        method: "POST",
        uri: "/",
        headers: &[
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=ASIAFUNCTION00000000/20261130/eu-west-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=e302abb5d45fd007894f19dacfd051cd21849728d673edb7204ccafb97de3d29",
            ),
            ("content-type", "application/x-amz-json-1.0"),
            ("host", "127.0.0.1:4510"),
            ("x-amz-date", "20261130T080000Z"),
            ("x-amz-security-token", "t0k3n"),
            ("x-amz-target", "AmazonSQS.SendMessage"),
        ],
        body: r#"{"QueueUrl":"q","MessageBody":"hi"}"#,
    },
    SignedRequest {
        service: "sns",
        method: "POST",
        uri: "/",
        headers: &[
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=ASIAFUNCTION00000000/20261130/eu-west-1/sns/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=a700c9500e88fe4d9802f835159cade0b4051dba87e6ea79550037c7573c917f",
            ),
            (
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
            ("host", "127.0.0.1:4510"),
            ("x-amz-date", "20261130T080000Z"),
            ("x-amz-security-token", "t0k3n"),
        ],
        body: "Action=Publish&Message=a+b",
    },
    SignedRequest {
        service: "bedrock",
        method: "POST",
        uri: "/model/anthropic.claude%3A0/invoke?b=2&a=%20x",
        headers: &[
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=ASIAFUNCTION00000000/20261130/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amzn-bedrock-accept, Signature=9cd7c8946573386b57864c834b5c3bb370315409742ba52318baadf432a787b6",
            ),
            ("content-type", "application/json"),
            ("host", "127.0.0.1:4510"),
            ("x-amz-date", "20261130T080000Z"),
            ("x-amz-security-token", "t0k3n"),
            ("x-amzn-bedrock-accept", " application/json "),
        ],
        body: "{}",
    },
    SignedRequest {
        service: "s3",
        method: "PUT",
        uri: "/bucket/a%20b/..%2Fc~d?partNumber=1&uploadId=x",
        headers: &[
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=ASIAFUNCTION00000000/20261130/eu-west-1/s3/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=f6bf2c654edc31de7db1c13021de78a840b06401ce92437eaad34523d533ef45",
            ),
            ("content-type", "text/plain"),
            ("host", "127.0.0.1:4510"),
            (
                "x-amz-content-sha256",
                "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            ),
            ("x-amz-date", "20261130T080000Z"),
            ("x-amz-security-token", "t0k3n"),
        ],
        body: "hello",
    },
    SignedRequest {
        service: "s3",
        method: "GET",
        uri: "/bucket?list-type=2&prefix=a%2F",
        headers: &[
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=ASIAFUNCTION00000000/20261130/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=aa175799a426b2abc7833a56ae57614456871621678b5d72b1fd3dc0df57cc46",
            ),
            ("host", "127.0.0.1:4510"),
            (
                "x-amz-content-sha256",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            ("x-amz-date", "20261130T080000Z"),
            ("x-amz-security-token", "t0k3n"),
        ],
        body: "",
    },
];

/// Builds the request.
fn request(signed: &SignedRequest) -> Parts {
    let uri = signed.uri;
    let mut request = http::Request::builder().method(signed.method).uri(uri);
    for (name, value) in signed.headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn now() -> SystemTime {
    // The requests were signed at 2026-11-30T08:00:00Z.
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_025_600)
}

fn verified(head: &Parts, body: &[u8]) -> Result<VerifiedRequest, SignatureError> {
    verify(head, body, REGION, now(), secret)
}

#[test]
fn requests_that_botocore_signs_are_verified() {
    for signed in &REQUESTS {
        let expected = VerifiedRequest {
            function: "chat".to_owned(),
            service: signed.service.to_owned(),
        };
        let body = signed.body.as_bytes();
        let verified = verified(&request(signed), body);
        assert_eq!(verified, Ok(expected), "{} {}", signed.service, signed.uri);
    }
}

#[test]
fn a_changed_request_is_refused() {
    for signed in &REQUESTS {
        let body = signed.body.as_bytes();
        let refused = |change: &dyn Fn(&mut Parts)| {
            let mut head = request(signed);
            change(&mut head);
            verified(&head, body).unwrap_err()
        };
        let set = |name: &'static str, value: &'static str| {
            refused(&|head| {
                head.headers.insert(name, HeaderValue::from_static(value));
            })
        };
        let wrong = SignatureError::Wrong;
        assert_eq!(refused(&|head| head.method = http::Method::DELETE), wrong);
        assert_eq!(refused(&|head| head.uri = "/other".parse().unwrap()), wrong);
        assert_eq!(set("host", "other"), wrong);
        assert_eq!(set("x-amz-date", "20261130T080001Z"), wrong);
        assert_eq!(set("x-amz-security-token", "other"), wrong);
        // A header that the function did not sign could change what the service does.
        let added = set("x-amz-copy-source", "/other/secret");
        assert_eq!(
            added,
            SignatureError::Unsigned("x-amz-copy-source".to_owned())
        );
        let other_body = verified(&request(signed), b"other");
        assert_eq!(other_body.unwrap_err(), wrong);
        if signed.body.is_empty() {
            continue;
        }
        assert_eq!(verified(&request(signed), b"").unwrap_err(), wrong);
    }
    let mut target = request(&REQUESTS[0]);
    let other = HeaderValue::from_static("AmazonSQS.DeleteQueue");
    target.headers.insert("x-amz-target", other.clone());
    let body = REQUESTS[0].body.as_bytes();
    assert_eq!(verified(&target, body), Err(SignatureError::Wrong));
    let mut twice = request(&REQUESTS[0]);
    twice.headers.append("x-amz-target", other);
    assert_eq!(verified(&twice, body), Err(SignatureError::Wrong));
    let mut hosts = request(&REQUESTS[0]);
    hosts
        .headers
        .append("host", HeaderValue::from_static("127.0.0.1:4510"));
    assert_eq!(verified(&hosts, body), Err(SignatureError::Wrong));
}

#[test]
fn the_key_the_region_and_the_time_must_be_those_of_the_run() {
    let (head, body) = (request(&REQUESTS[0]), REQUESTS[0].body.as_bytes());
    let other_secret = |key: &str| {
        secret(key).map(|secret| FunctionSecret {
            secret_key: "other".to_owned(),
            ..secret
        })
    };
    let verify = |region: &str, now, secrets: &dyn Fn(&str) -> Option<FunctionSecret>| {
        super::verify(&head, body, region, now, secrets)
    };
    let wrong = verify(REGION, now(), &other_secret);
    assert_eq!(wrong, Err(SignatureError::Wrong));
    assert_eq!(
        verify(REGION, now(), &|_| None),
        Err(SignatureError::UnknownKey)
    );
    let other = SignatureError::OtherRegion(REGION.to_owned(), "us-east-1".to_owned());
    assert_eq!(verify("us-east-1", now(), &secret), Err(other));
    for seconds in [0, 299] {
        let offset = Duration::from_secs(seconds);
        assert!(verify(REGION, now() + offset, &secret).is_ok());
        assert!(verify(REGION, now() - offset, &secret).is_ok());
    }
    let late = Duration::from_secs(301);
    assert_eq!(
        verify(REGION, now() + late, &secret),
        Err(SignatureError::Time)
    );
    assert_eq!(
        verify(REGION, now() - late, &secret),
        Err(SignatureError::Time)
    );
}

#[test]
fn other_kinds_of_signatures_are_refused() {
    let refused = |change: &dyn Fn(&mut Parts)| {
        let mut head = request(&REQUESTS[0]);
        change(&mut head);
        verified(&head, REQUESTS[0].body.as_bytes()).unwrap_err()
    };
    let authorization = |value: &'static str| {
        refused(&|head| {
            head.headers
                .insert(AUTHORIZATION, HeaderValue::from_static(value));
        })
    };
    for value in [
        "",
        "Basic YTpi",
        "AWS4-ECDSA-P256-SHA256 Credential=ASIAFUNCTION00000000/20261130/sqs/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=ASIAFUNCTION00000000/20261130/eu-west-1/sqs/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=ASIAFUNCTION00000000/20261130/eu-west-1/sqs, SignedHeaders=host, Signature=00",
    ] {
        assert_eq!(authorization(value), SignatureError::Malformed, "{value}");
    }
    assert_eq!(
        authorization(
            "AWS4-HMAC-SHA256 Credential=ASIAFUNCTION00000000/20261130/eu-west-1/sqs/aws4_request, SignedHeaders=x-amz-date, Signature=00"
        ),
        SignatureError::Unsigned("host".to_owned())
    );
    assert_eq!(
        refused(&|head| drop(head.headers.remove(AUTHORIZATION))),
        SignatureError::Malformed
    );
    let presigned = refused(&|head| {
        head.uri = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b"
            .parse()
            .unwrap();
    });
    assert_eq!(presigned, SignatureError::Presigned);
    let mut upload = request(&REQUESTS[3]);
    for value in [
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    ] {
        upload
            .headers
            .insert(PAYLOAD, HeaderValue::from_static(value));
        let refused = verified(&upload, REQUESTS[3].body.as_bytes());
        assert_eq!(refused, Err(SignatureError::UnsignedBody), "{value}");
    }
}

/// S3's clients put a bucket before `localhost`. Without it, the rest of the path would name another bucket.
#[test]
fn only_addresses_of_the_gateway_are_hosts() {
    for host in [
        "127.0.0.1:4510",
        "localhost",
        "localhost:4510",
        "[::1]:4510",
    ] {
        assert!(is_plain_address(host), "{host}");
    }
    for host in [
        "bucket.localhost:4510",
        "bucket.127.0.0.1:4510",
        "s3.amazonaws.com",
        "",
        "a b",
    ] {
        assert!(!is_plain_address(host), "{host}");
    }
}
