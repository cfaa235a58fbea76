//! Codes and refresh tokens, for which a page gets tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::request::AuthorizationRequest;
use crate::secret::secret;

/// Time in which a code must be exchanged.
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// Maximum number of codes and of refresh tokens that are kept. Nobody signs in that often on a laptop.
const MAX_KEPT: usize = 1_000;

/// A signed-in user of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignedIn {
    pub(super) client_id: String,
    pub(super) subject: String,
    pub(super) scope: String,
    /// Seconds since 1970 at which the user signed in.
    pub(super) auth_time: u64,
}

/// A page's exchange of a code.
pub(super) struct CodeExchange<'a> {
    pub(super) code: &'a str,
    pub(super) client_id: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: &'a str,
}

/// Reason to refuse a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeRefusal {
    Unknown,
    Expired,
    Used,
    Client,
    Address,
    Verifier,
}

/// Codes and refresh tokens of a gateway.
#[derive(Debug, Default)]
pub(super) struct SignInCodes {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, SignedIn>,
}

#[derive(Debug)]
struct Code {
    expires: Instant,
    request: AuthorizationRequest,
    user: SignedIn,
    use_of_it: Use,
}

#[derive(Debug)]
enum Use {
    Unused,
    /// Exchanged for a refresh token, or tried in vain.
    Used(Option<String>),
}

/// A user with a new refresh token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exchanged {
    pub(super) user: SignedIn,
    pub(super) nonce: Option<String>,
    pub(super) refresh_token: String,
}

impl SignInCodes {
    /// Creates a code for a request that a user answered. Returns `None` if the machine provides no random numbers.
    pub(super) fn create(&self, request: AuthorizationRequest, user: SignedIn) -> Option<String> {
        let (code, now) = (secret()?, Instant::now());
        let mut kept = self.kept();
        kept.codes.retain(|_, code| code.expires > now);
        if kept.codes.len() >= MAX_KEPT {
            kept.codes.clear();
        }
        let entry = Code {
            expires: now + CODE_LIFETIME,
            request,
            user,
            use_of_it: Use::Unused,
        };
        kept.codes.insert(code.clone(), entry);
        Some(code)
    }

    /// Exchanges a code. Every try uses it up. A second one also revokes the refresh token of the first, because one of both has
    /// stolen the code (RFC 6749, 4.1.2). Returns `Ok(None)` if the machine provides no random numbers.
    pub(super) fn exchange(
        &self,
        exchange: &CodeExchange<'_>,
    ) -> Result<Option<Exchanged>, CodeRefusal> {
        let mut kept = self.kept();
        let code = kept.codes.get_mut(exchange.code);
        let code = code.ok_or(CodeRefusal::Unknown)?;
        if code.expires <= Instant::now() {
            return Err(CodeRefusal::Expired);
        }
        if let Use::Used(stolen) = &mut code.use_of_it {
            if let Some(stolen) = stolen.take() {
                kept.refresh_tokens.remove(&stolen);
            }
            return Err(CodeRefusal::Used);
        }
        code.use_of_it = Use::Used(None);
        check(&code.request, exchange)?;
        let Some(refresh_token) = secret() else {
            return Ok(None);
        };
        code.use_of_it = Use::Used(Some(refresh_token.clone()));
        let (user, nonce) = (code.user.clone(), code.request.nonce.clone());
        if kept.refresh_tokens.len() >= MAX_KEPT {
            kept.refresh_tokens.clear();
        }
        kept.refresh_tokens
            .insert(refresh_token.clone(), user.clone());
        Ok(Some(Exchanged {
            user,
            nonce,
            refresh_token,
        }))
    }

    /// Returns the user of a refresh token of this client. The token stays valid until the gateway ends, as Cognito's stay for a
    /// month.
    pub(super) fn refresh(&self, token: &str, client_id: &str) -> Option<SignedIn> {
        let kept = self.kept();
        let user = kept.refresh_tokens.get(token)?;
        (user.client_id == client_id).then(|| user.clone())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(request: &AuthorizationRequest, exchange: &CodeExchange<'_>) -> Result<(), CodeRefusal> {
    if request.client_id != exchange.client_id {
        return Err(CodeRefusal::Client);
    }
    if request.redirect_uri != exchange.redirect_uri {
        return Err(CodeRefusal::Address);
    }
    match is_verifier(exchange.verifier) && challenge(exchange.verifier) == request.challenge {
        true => Ok(()),
        false => Err(CodeRefusal::Verifier),
    }
}

/// Returns the challenge of a verifier by the method S256.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Returns true for a verifier as RFC 7636 (4.1) wants it.
fn is_verifier(text: &str) -> bool {
    let is_unreserved = |letter: u8| letter.is_ascii_alphanumeric() || b"-._~".contains(&letter);
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}

impl CodeRefusal {
    /// Returns the reason.
    pub(super) fn description(self) -> &'static str {
        match self {
            CodeRefusal::Unknown => "the issuer did not create this code, or it was restarted",
            CodeRefusal::Expired => "the code is older than 60 seconds",
            CodeRefusal::Used => "the code was used before",
            CodeRefusal::Client => "the code was created for another client_id",
            CodeRefusal::Address => "the code was created for another redirect_uri",
            CodeRefusal::Verifier => "code_verifier does not match code_challenge",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn code(codes: &SignInCodes) -> String {
        let request = AuthorizationRequest {
            client_id: "page".to_owned(),
            redirect_uri: "http://127.0.0.1:1/".to_owned(),
            scope: "openid".to_owned(),
            state: None,
            nonce: Some("n".to_owned()),
            challenge: challenge(VERIFIER),
        };
        codes.create(request, user()).unwrap()
    }

    fn user() -> SignedIn {
        SignedIn {
            client_id: "page".to_owned(),
            subject: "ada".to_owned(),
            scope: "openid".to_owned(),
            auth_time: 1,
        }
    }

    fn right(code: &str) -> CodeExchange<'_> {
        CodeExchange {
            code,
            client_id: "page",
            redirect_uri: "http://127.0.0.1:1/",
            verifier: VERIFIER,
        }
    }

    #[test]
    fn the_challenge_is_that_of_the_example_in_rfc_7636() {
        assert_eq!(
            challenge(VERIFIER),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_expires_after_a_minute() {
        let codes = SignInCodes::default();
        let (first, second) = (code(&codes), code(&codes));
        tokio::time::advance(Duration::from_secs(59)).await;
        let exchanged = codes.exchange(&right(&first)).unwrap().unwrap();
        assert_eq!(
            (exchanged.user, exchanged.nonce.as_deref()),
            (user(), Some("n"))
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(codes.exchange(&right(&second)), Err(CodeRefusal::Expired));
        code(&codes);
        assert_eq!(codes.exchange(&right(&second)), Err(CodeRefusal::Unknown));
    }

    #[tokio::test]
    async fn a_code_is_used_once_and_a_second_use_revokes_the_refresh_token() {
        let codes = SignInCodes::default();
        let code = code(&codes);
        let exchanged = codes.exchange(&right(&code)).unwrap().unwrap();
        let refresh = |client| codes.refresh(&exchanged.refresh_token, client);
        assert_eq!(refresh("page"), Some(user()));
        assert_eq!(refresh("other"), None);
        assert_eq!(codes.exchange(&right(&code)), Err(CodeRefusal::Used));
        assert_eq!(refresh("page"), None);
    }

    #[tokio::test]
    async fn a_wrong_try_uses_the_code_up() {
        let other = "x".repeat(43);
        let short = &VERIFIER[..42];
        for (change, refusal) in [
            (
                CodeExchange {
                    verifier: &other,
                    ..right("")
                },
                CodeRefusal::Verifier,
            ),
            (
                CodeExchange {
                    verifier: short,
                    ..right("")
                },
                CodeRefusal::Verifier,
            ),
            (
                CodeExchange {
                    verifier: "",
                    ..right("")
                },
                CodeRefusal::Verifier,
            ),
            (
                CodeExchange {
                    client_id: "other",
                    ..right("")
                },
                CodeRefusal::Client,
            ),
            (
                CodeExchange {
                    redirect_uri: "http://127.0.0.1:1",
                    ..right("")
                },
                CodeRefusal::Address,
            ),
        ] {
            let codes = SignInCodes::default();
            let code = code(&codes);
            let wrong = CodeExchange {
                code: &code,
                ..change
            };
            assert_eq!(codes.exchange(&wrong), Err(refusal));
            assert_eq!(codes.exchange(&right(&code)), Err(CodeRefusal::Used));
        }
    }

    #[tokio::test]
    async fn many_sign_ins_need_bounded_memory() {
        let codes = SignInCodes::default();
        for _ in 0..2 * MAX_KEPT {
            let code = code(&codes);
            codes.exchange(&right(&code)).unwrap();
        }
        let kept = codes.kept();
        assert!(kept.codes.len() <= MAX_KEPT && kept.refresh_tokens.len() <= MAX_KEPT);
    }
}
