//! Hints for keys that other AWS services or frameworks have and stackgen.yaml does not.

/// Hint for an unknown key, and the reference row behind it.
pub(super) struct KeyExplanation {
    pub(super) hint: &'static str,
    pub(super) row: Option<&'static str>,
}

/// Returns the hint for an unknown key of a schema definition (`""` is the file itself).
pub(super) fn explain(definition: &str, key: &str) -> Option<KeyExplanation> {
    match definition {
        "" => file(key).map(|hint| KeyExplanation { hint, row: None }),
        "VerifyCaller" => verify_caller(key).map(|hint| KeyExplanation { hint, row: None }),
        "Function" | "FunctionDefaults" => {
            function(definition, key).map(|hint| KeyExplanation { hint, row: None })
        }
        "Route" => route(key),
        _ => api(definition, key),
    }
}

fn file(key: &str) -> Option<&'static str> {
    match key {
        "web" | "website" | "webPage" | "webpage" | "site" | "static" | "frontend" => {
            Some("write `page: web` for the folder of the web page that `stackgen dev` serves")
        }
        _ => None,
    }
}

fn route(key: &str) -> Option<KeyExplanation> {
    let (hint, row) = match key {
        "authorizer" | "authorizationType" | "authorizerId" | "auth" => (
            "use `websocket.authorizer`: API Gateway authorizes only `$connect`, once per connection, and passes the \
             context that the authorizer returns to later routes in `requestContext.authorizer`",
            Some("A1"),
        ),
        "requestTemplates" | "mappingTemplate" | "template" => (
            "write `request` for one template, or `requests` and `requestSelection` for several",
            Some("M20"),
        ),
        "responseTemplates" | "integrationResponses" => (
            "write `response` for one template, or `responses` for templates by status",
            Some("M22"),
        ),
        "responseSelection" | "integrationResponseSelectionExpression" => (
            "remove it: no operation of API Gateway sets it; the status, or the error message of a function, selects one of `responses`",
            Some("M22"),
        ),
        "integration" | "integrationType" | "type" => (
            "name the backend itself: `function`, `table`, `queue`, `topic`, `stateMachine`, `eventBus`, `stream`, \
             `service`, `http`, `httpProxy` or `mock`",
            None,
        ),
        "uri" | "url" | "integrationUri" | "endpoint" => (
            "write `httpProxy:` and the URL, or `http:` to map messages and answers with templates",
            Some("M25"),
        ),
        "credentials" | "credentialsArn" | "roleArn" => (
            "remove it: the route gets a role that allows its one action; write `role` to use another one",
            Some("M23"),
        ),
        "passthroughBehavior" => ("write `passthrough: never`", Some("M21")),
        "lambda" | "handler" => ("write `function:` and the name of a function", None),
        "vpcLink" | "connectionId" | "connectionType" => (
            "declare the integration and its route under `resources`: routes here do not use VPC links",
            None,
        ),
        _ => return None,
    };
    Some(KeyExplanation { hint, row })
}

fn api(definition: &str, key: &str) -> Option<KeyExplanation> {
    let (hint, row) = match (definition, key) {
        (
            "Authorizer",
            "ttl"
            | "resultTtl"
            | "cacheTtl"
            | "authorizerResultTtlInSeconds"
            | "resultTtlInSeconds",
        ) => (
            "remove it: API Gateway does not cache results of a WebSocket authorizer and refuses a TTL, even 0",
            Some("A11"),
        ),
        (
            "Authorizer",
            "payloadFormatVersion"
            | "authorizerPayloadFormatVersion"
            | "enableSimpleResponses"
            | "simpleResponses",
        ) => (
            "remove it: only HTTP APIs have simple responses and payload format versions",
            Some("A12"),
        ),
        ("Authorizer", "type" | "authorizerType") => (
            "remove it: a WebSocket API supports only REQUEST authorizers; validate a JWT in the function",
            Some("F6"),
        ),
        ("Authorizer", "issuer" | "audience" | "jwt" | "jwtConfiguration") => (
            "pass issuer and audience to the function as environment variables: a WebSocket API supports only REQUEST \
             authorizers",
            Some("F6"),
        ),
        ("WebSocket", "cors" | "corsConfiguration") => (
            "check the `Origin` header in the authorizer or in `$connect`: a WebSocket API has no CORS",
            Some("F1"),
        ),
        ("Stage", "autoDeploy") => (
            "remove it: stackgen creates a deployment for each change of the wiring and activates it, which \
             AutoDeploy does not allow",
            Some("D5"),
        ),
        _ => return None,
    };
    Some(KeyExplanation { hint, row })
}

fn function(definition: &str, key: &str) -> Option<&'static str> {
    match (definition, key) {
        (_, "timeoutSeconds" | "timeoutInSeconds") => Some("write `timeout: 10s`"),
        (_, "memorySize" | "memoryMb") => Some("write `memory: 256`, in MB"),
        (
            "Function",
            "maximumRetryAttempts" | "retryAttempts" | "eventInvokeConfig" | "destinations",
        ) => Some(
            "write `asyncInvoke: { retries: 0, maximumAge: 1m, onFailure: { queue: Failures } }`",
        ),
        ("Function" | "FunctionDefaults", "deadLetterQueue" | "deadLetterConfig" | "dlq") => {
            Some("write `deadLetter: { queue: failures }`")
        }
        ("Function" | "FunctionDefaults", "vpcConfig" | "subnetIds" | "securityGroupIds") => {
            Some("write `vpc: { subnetIds: […], securityGroupIds: […] }`")
        }
        ("Function", "events" | "eventSource" | "eventSourceMappings") => {
            Some("write `eventSources: [{ queue: jobs }]`, or `schedule: rate(5 minutes)`")
        }
        ("Function" | "FunctionDefaults", "ephemeralStorageSize" | "tmpSize") => {
            Some("write `ephemeralStorage: 1024`, in MB")
        }
        ("Function", "cron" | "rate" | "schedules") => Some("write `schedule: rate(5 minutes)`"),
        ("Function", "code" | "codeUri") => {
            Some("write `binary:` for a cargo binary or `zip:` for a zip file")
        }
        _ => None,
    }
}

fn verify_caller(key: &str) -> Option<&'static str> {
    match key {
        "token" => Some(
            "write `query: { token: env:TOKEN }` or `headers: { Authorization: 'command:./mint-token' }`",
        ),
        "url" | "uri" => {
            Some("remove it: the URL is the stage's; to call a path of the HTTP API, use `path`")
        }
        "body" => Some(
            "remove it: requests have no body; to send a message over the WebSocket API, use `send`",
        ),
        _ => None,
    }
}
