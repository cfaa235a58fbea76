//! Keys that people write because another AWS service or framework has them, and why they have no place here.

/// Why a key is not there to be set, and the reference row that says so.
pub(super) struct Explanation {
    pub(super) hint: &'static str,
    pub(super) row: Option<&'static str>,
}

/// What to say about an unknown key of a definition of the schema (`""` is the file itself).
pub(super) fn unknown_key(definition: &str, key: &str) -> Option<Explanation> {
    match definition {
        "VerifyCaller" => verify_caller(key).map(|hint| Explanation { hint, row: None }),
        _ => stack(definition, key),
    }
}

fn stack(definition: &str, key: &str) -> Option<Explanation> {
    let (hint, row) = match (definition, key) {
        ("Route", "authorizer" | "authorizationType" | "authorizerId" | "auth") => (
            "API Gateway authorizes `$connect` alone, once a connection; `websocket.authorizer` does that, and what it \
             returns reaches every later route in `requestContext.authorizer`",
            Some("A1"),
        ),
        ("Route", "requestParameters") => {
            ("request parameters are refused off `$connect`", Some("M9"))
        }
        (
            "Authorizer",
            "ttl"
            | "resultTtl"
            | "cacheTtl"
            | "authorizerResultTtlInSeconds"
            | "resultTtlInSeconds",
        ) => (
            "API Gateway does not cache a WebSocket authorizer's answer and refuses the setting, 0 included",
            Some("A11"),
        ),
        (
            "Authorizer",
            "payloadFormatVersion"
            | "authorizerPayloadFormatVersion"
            | "enableSimpleResponses"
            | "simpleResponses",
        ) => (
            "simple responses and payload format versions are for HTTP APIs only",
            Some("A12"),
        ),
        ("Authorizer", "type" | "authorizerType") => (
            "a WebSocket API has REQUEST authorizers only; to check a JWT, let the function do it",
            Some("F6"),
        ),
        ("Authorizer", "issuer" | "audience" | "jwt" | "jwtConfiguration") => (
            "a WebSocket API has REQUEST authorizers only: give issuer and audience to the function in its environment",
            Some("F6"),
        ),
        ("WebSocket", "cors" | "corsConfiguration") => (
            "a WebSocket API has no CORS: check the `Origin` header in the authorizer or in `$connect`",
            Some("F1"),
        ),
        ("Stage", "autoDeploy") => (
            "stackgen makes a deployment for every change of the wiring and points the stage at it; under AutoDeploy \
             that cannot be",
            Some("D5"),
        ),
        ("Function" | "FunctionDefaults", "timeoutSeconds" | "timeoutInSeconds") => {
            ("write `timeout: 10s`", None)
        }
        ("Function" | "FunctionDefaults", "memorySize" | "memoryMb") => {
            ("write `memory: 256`, in MB", None)
        }
        ("Function", "code" | "codeUri") => (
            "write `binary:` for a cargo binary or `zip:` for a zip file",
            None,
        ),
        _ => return None,
    };
    Some(Explanation { hint, row })
}

/// What to say about an unknown key of a caller under `verify`.
fn verify_caller(key: &str) -> Option<&'static str> {
    match key {
        "token" => Some(
            "write `query: { token: env:TOKEN }` or `headers: { Authorization: 'command:./mint-token' }`",
        ),
        "url" | "uri" => Some("the URL is the stage's own; `path` is for the HTTP API"),
        "body" => Some("a request has no body; `send` is a message over the WebSocket API"),
        _ => None,
    }
}
