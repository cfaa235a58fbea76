//! Sign-in at the issuer: authorization code with PKCE, and attacks on it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support;
use crate::web_page::PageWorld;

const CLIENT: &str = "example-client-id";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";

type Fields<'a> = [(&'a str, &'a str)];

/// Encodes fields as a query or form, with changes. An empty change removes the field.
fn encoded(fields: &Fields<'_>, changes: &Fields<'_>) -> String {
    let unchanged = |field: &&(&str, &str)| !changes.iter().any(|change| change.0 == field.0);
    let all = fields.iter().filter(unchanged).chain(changes);
    let all = all.filter(|(_, value)| !value.is_empty());
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let all = all.map(|(name, value)| format!("{name}={}", encode(value)));
    all.collect::<Vec<_>>().join("&")
}

/// Returns a parameter of the URL that an answer leads to.
fn parameter(answer: &Response<Bytes>, name: &str) -> Option<String> {
    let location = answer.headers().get("location")?.to_str().unwrap();
    let (_, query) = location.split_once('?')?;
    let value = query
        .split('&')
        .find_map(|one| one.strip_prefix(&format!("{name}=")))?;
    Some(
        percent_decode_str(value)
            .decode_utf8()
            .unwrap()
            .into_owned(),
    )
}

fn text(answer: &Response<Bytes>) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}

impl PageWorld {
    fn address(&self) -> String {
        format!("{}/speak.html", self.origin)
    }

    async fn discovery(&self) -> Value {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        serde_json::from_slice(support::get(&url).await.body()).unwrap()
    }

    /// Returns the URL of a sign-in.
    fn sign_in(&self, changes: &Fields<'_>) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let address = self.address();
        let fields = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", &address),
            ("scope", "openid"),
            ("state", "a&b"),
            ("nonce", "n1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        format!("{}/authorize?{}", self.issuer, encoded(&fields, changes))
    }

    /// Answers the form of a sign-in.
    async fn answer(&self, url: &str, origin: &str, form: &Fields<'_>) -> Response<Bytes> {
        let request = Request::post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin);
        support::send(request.body(encoded(form, &[])).unwrap()).await
    }

    fn endpoint(&self) -> &str {
        self.issuer.strip_suffix("/_stackgen/issuer").unwrap()
    }

    async fn code(&self) -> String {
        let url = self.sign_in(&[]);
        let answer = self
            .answer(&url, self.endpoint(), &[("username", "ada")])
            .await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(parameter(&answer, "state").as_deref(), Some("a&b"));
        parameter(&answer, "code").unwrap()
    }

    /// Asks for tokens as the page does. Returns the status and the answer.
    async fn tokens(&self, fields: &Fields<'_>) -> (StatusCode, Value) {
        let request = Request::post(format!("{}/token", self.issuer))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.origin);
        let answer = support::send(request.body(encoded(fields, &[])).unwrap()).await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(
            answer.headers()["access-control-allow-origin"],
            self.origin.as_str()
        );
        (
            answer.status(),
            serde_json::from_slice(answer.body()).unwrap(),
        )
    }

    async fn exchange(&self, code: &str, changes: &Fields<'_>) -> (StatusCode, Value) {
        let address = self.address();
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", code),
            ("redirect_uri", &address),
            ("code_verifier", VERIFIER),
        ];
        let changed = fields.map(|(name, value)| {
            let change = changes.iter().find(|change| change.0 == name);
            (name, change.map_or(value, |change| change.1))
        });
        self.tokens(&changed).await
    }

    async fn refresh(&self, token: &str, client: &str) -> (StatusCode, Value) {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", client),
            ("refresh_token", token),
        ];
        self.tokens(&fields).await
    }

    /// Verifies a token with the published keys, and returns its claims.
    async fn claims(&self, token: &Value) -> Value {
        let token = token.as_str().unwrap();
        let discovery = self.discovery().await;
        let keys = support::get(discovery["jwks_uri"].as_str().unwrap()).await;
        let keys: JwkSet = serde_json::from_slice(keys.body()).unwrap();
        let kid = decode_header(token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        validation.validate_aud = false;
        decode::<Value>(token, &key, &validation).unwrap().claims
    }
}

fn assert_refused(answer: &(StatusCode, Value), error: &str) {
    let (status, body) = answer;
    assert!(status.is_client_error(), "{body}");
    assert_eq!(body["error"], error, "{body}");
    assert!(body.get("id_token").is_none() && body.get("access_token").is_none());
}

#[tokio::test]
async fn a_user_signs_in_and_gets_both_tokens_and_new_ones_later() {
    let world = PageWorld::start().await;
    let discovery = world.discovery().await;
    assert_eq!(discovery["issuer"], world.issuer);
    let authorize = format!("{}/authorize", world.issuer);
    assert_eq!(discovery["authorization_endpoint"], authorize);
    assert_eq!(
        discovery["token_endpoint"],
        format!("{}/token", world.issuer)
    );

    let form = support::get(&world.sign_in(&[])).await;
    assert_eq!(form.status(), StatusCode::OK);
    let code = world.code().await;
    let (status, tokens) = world.exchange(&code, &[]).await;
    assert_eq!(
        (status, &tokens["token_type"]),
        (StatusCode::OK, &"Bearer".into())
    );
    let id = world.claims(&tokens["id_token"]).await;
    let claim = |name: &str| id[name].as_str().unwrap();
    assert_eq!(
        [
            claim("sub"),
            claim("aud"),
            claim("nonce"),
            claim("token_use")
        ],
        ["ada", CLIENT, "n1", "id"]
    );
    let access = world.claims(&tokens["access_token"]).await;
    assert_eq!(access["client_id"], CLIENT);
    assert_eq!(access["scope"], "openid");

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let (status, renewed) = world.refresh(refresh, CLIENT).await;
    assert_eq!(status, StatusCode::OK);
    let renewed = world.claims(&renewed["id_token"]).await;
    assert_eq!(
        (&renewed["sub"], &renewed["auth_time"]),
        (&id["sub"], &id["auth_time"])
    );
    assert_refused(&world.refresh("guess", CLIENT).await, "invalid_grant");
    assert_refused(&world.refresh(refresh, "other").await, "invalid_client");
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn a_wrong_verifier_or_address_gets_no_token_and_uses_the_code_up() {
    let world = PageWorld::start().await;
    let elsewhere = format!("{}/listen.html", world.origin);
    let wrong_verifier = "another-verifier-of-more-than-forty-three-characters";
    for (change, error) in [
        (("code_verifier", wrong_verifier), "invalid_grant"),
        (("code_verifier", ""), "invalid_grant"),
        (("redirect_uri", elsewhere.as_str()), "invalid_grant"),
        (("redirect_uri", ""), "invalid_grant"),
    ] {
        let code = world.code().await;
        assert_refused(&world.exchange(&code, &[change]).await, error);
        assert_refused(&world.exchange(&code, &[]).await, "invalid_grant");
    }
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn an_unknown_client_grant_or_code_gets_no_token() {
    let world = PageWorld::start().await;
    let code = world.code().await;
    let other = [("client_id", "other")];
    assert_refused(&world.exchange(&code, &other).await, "invalid_client");
    let password = [("grant_type", "password")];
    let refused = world.exchange(&code, &password).await;
    assert_refused(&refused, "unsupported_grant_type");
    assert_refused(&world.exchange("guess", &[]).await, "invalid_grant");
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn a_code_is_used_once_and_a_second_use_revokes_the_refresh_token() {
    let world = PageWorld::start().await;
    let code = world.code().await;
    let (_, tokens) = world.exchange(&code, &[]).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(world.refresh(refresh, CLIENT).await.0, StatusCode::OK);
    assert_refused(&world.exchange(&code, &[]).await, "invalid_grant");
    assert_refused(&world.refresh(refresh, CLIENT).await, "invalid_grant");
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn a_code_is_sent_to_the_page_only() {
    let world = PageWorld::start().await;
    let page = &world.origin;
    let port = page.rsplit(':').next().unwrap();
    let host = format!("127.0.0.1:{port}");
    for address in [
        "https://evil.example/speak.html".to_owned(),
        format!("http://evil.example:{port}/speak.html"),
        format!("https://{host}/speak.html"),
        page.clone(),
        format!("{page}.evil.example/"),
        format!("{page}@evil.example/"),
        format!("http://ada@{host}/"),
        format!("http://{host}:80/"),
        format!("{page}0/"),
        format!("{page}/\\evil.example"),
        format!("{page}/#fragment"),
        format!("{page}/\r\nSet-Cookie: a=b"),
        format!("//{host}/"),
        "javascript:alert(1)".to_owned(),
        world.endpoint().to_owned() + "/",
        String::new(),
    ] {
        let url = world.sign_in(&[("redirect_uri", &address)]);
        let form = [("username", "ada")];
        for answer in [
            support::get(&url).await,
            world.answer(&url, world.endpoint(), &form).await,
        ] {
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{address}");
            assert!(answer.headers().get("location").is_none(), "{address}");
        }
    }
    let named = format!("http://localhost:{port}/speak.html");
    let url = world.sign_in(&[("redirect_uri", &named)]);
    assert_eq!(support::get(&url).await.status(), StatusCode::OK);
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn other_flows_than_a_code_with_s256_are_refused() {
    let world = PageWorld::start().await;
    for (changes, error) in [
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge", VERIFIER)], "invalid_request"),
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_mode", "fragment")], "invalid_request"),
        ([("scope", "email")], "invalid_scope"),
        ([("prompt", "none")], "login_required"),
    ] {
        let url = world.sign_in(&changes);
        for answer in [
            support::get(&url).await,
            world
                .answer(&url, world.endpoint(), &[("username", "ada")])
                .await,
        ] {
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{changes:?}");
            assert_eq!(parameter(&answer, "error").as_deref(), Some(error));
            assert_eq!(parameter(&answer, "state").as_deref(), Some("a&b"));
            assert_eq!(parameter(&answer, "code"), None);
        }
    }
    let twice = world.sign_in(&[]) + "&redirect_uri=https%3A%2F%2Fevil.example";
    assert_eq!(support::get(&twice).await.status(), StatusCode::BAD_REQUEST);
    let unknown = support::get(&world.sign_in(&[("client_id", "<script>")])).await;
    assert_eq!(unknown.status(), StatusCode::BAD_REQUEST);
    assert!(!text(&unknown).contains("<script>"), "{}", text(&unknown));
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn the_form_has_no_script_and_only_itself_may_answer_it() {
    let world = PageWorld::start().await;
    let url = world.sign_in(&[]);
    let form = support::get(&url).await;
    let policy = form.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!text(&form).contains("<script") && !text(&form).contains("style="));

    let name = [("username", "ada")];
    for origin in ["https://evil.example", "null", world.origin.as_str()] {
        let answer = world.answer(&url, origin, &name).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin}");
    }
    let long = "x".repeat(129);
    for name in ["", "  ", "a\nb", long.as_str()] {
        let form = [("username", name)];
        let answer = world.answer(&url, world.endpoint(), &form).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    let cancel = [("username", "ada"), ("cancel", "yes")];
    let answer = world.answer(&url, world.endpoint(), &cancel).await;
    assert_eq!(
        parameter(&answer, "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(parameter(&answer, "code"), None);
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn only_the_page_may_read_the_issuers_answers() {
    let world = PageWorld::start().await;
    let status = async |path: &str, origin: &str, host: Option<&str>| {
        let url = format!("{}{path}", world.issuer);
        let request = Request::get(url).header("origin", origin);
        let request = match host {
            Some(host) => request.header("host", host),
            None => request,
        };
        let answer = support::send(request.body("").unwrap()).await;
        let readable = answer.headers().get("access-control-allow-origin");
        (
            answer.status(),
            readable.map(|origin| origin.to_str().unwrap().to_owned()),
        )
    };
    let page = world.origin.as_str();
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ] {
        assert_eq!(
            status(path, page, None).await,
            (StatusCode::OK, Some(page.to_owned()))
        );
        for foreign in ["https://evil.example", "null", "http://127.0.0.1:1"] {
            assert_eq!(
                status(path, foreign, None).await,
                (StatusCode::FORBIDDEN, None)
            );
        }
        let rebound = status(path, page, Some("rebound.example")).await;
        assert_eq!(rebound, (StatusCode::FORBIDDEN, None));
    }
    // What is beside the issuer stays closed to the page.
    for path in [
        "/../state",
        "/../../_stackgen/state",
        "x/../state",
        "%2f..%2fstate",
    ] {
        let (status, readable) = status(path, page, None).await;
        assert!(
            status.is_client_error() && readable.is_none(),
            "{path} {status}"
        );
    }
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn without_a_page_nobody_signs_in() {
    let world = PageWorld::start().await;
    let url = world.sign_in(&[]);
    world.gateway.serve_page(None).unwrap();
    let discovery = world.discovery().await;
    assert_eq!(discovery.get("authorization_endpoint"), None);
    assert_eq!(support::get(&url).await.status(), StatusCode::BAD_REQUEST);
    world.gateway.shutdown().await;
}
