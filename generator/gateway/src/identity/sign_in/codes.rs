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

/// Maximum number of codes, and of refresh tokens. Nobody signs in that often on a laptop.
const MAX_ENTRIES: usize = 1_000;

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
    /// The code was right, but the machine provides no random numbers for a refresh token.
    NoRandomNumbers,
}

/// Codes and refresh tokens of a gateway.
#[derive(Default)]
pub(super) struct SignInCodes {
    issued: Mutex<IssuedCodes>,
}

#[derive(Default)]
struct IssuedCodes {
    codes: HashMap<String, IssuedCode>,
    refresh_tokens: HashMap<String, SignedIn>,
}

struct IssuedCode {
    expires: Instant,
    request: AuthorizationRequest,
    subject: String,
    auth_time: u64,
    code_use: CodeUse,
}

enum CodeUse {
    Unused,
    Exchanged {
        refresh_token: String,
    },
    /// The exchange was refused, or a second one revoked the refresh token.
    Failed,
}

/// A user with a new refresh token.
pub(super) struct Exchanged {
    pub(super) user: SignedIn,
    pub(super) nonce: Option<String>,
    pub(super) refresh_token: String,
}

impl IssuedCode {
    /// Returns true if the code has a refresh token, which a second use revokes.
    fn is_exchanged(&self) -> bool {
        matches!(self.code_use, CodeUse::Exchanged { .. })
    }
}

impl SignInCodes {
    /// Creates a code for a request that a user answered. `auth_time` is the time of the answer in seconds since 1970. Returns
    /// `None` if the machine provides no random numbers.
    pub(super) fn create(
        &self,
        request: AuthorizationRequest,
        subject: String,
        auth_time: u64,
    ) -> Option<String> {
        let (code, now) = (secret()?, Instant::now());
        let mut issued = self.lock();
        issued
            .codes
            .retain(|_, code| code.expires > now || code.is_exchanged());
        if issued.codes.len() >= MAX_ENTRIES {
            issued.codes.clear();
        }
        let entry = IssuedCode {
            expires: now + CODE_LIFETIME,
            request,
            subject,
            auth_time,
            code_use: CodeUse::Unused,
        };
        issued.codes.insert(code.clone(), entry);
        Some(code)
    }

    /// Exchanges a code. Every attempt uses it up. A second one also revokes the refresh token of the first, because one of both
    /// clients has stolen the code (RFC 6749, 4.1.2).
    pub(super) fn exchange(&self, exchange: &CodeExchange<'_>) -> Result<Exchanged, CodeRefusal> {
        let mut issued = self.lock();
        let code = issued.codes.get_mut(exchange.code);
        let code = code.ok_or(CodeRefusal::Unknown)?;
        match std::mem::replace(&mut code.code_use, CodeUse::Failed) {
            CodeUse::Unused => {}
            CodeUse::Exchanged { refresh_token } => {
                issued.refresh_tokens.remove(&refresh_token);
                return Err(CodeRefusal::Used);
            }
            CodeUse::Failed => return Err(CodeRefusal::Used),
        }
        if code.expires <= Instant::now() {
            return Err(CodeRefusal::Expired);
        }
        check(&code.request, exchange)?;
        let refresh_token = secret().ok_or(CodeRefusal::NoRandomNumbers)?;
        code.code_use = CodeUse::Exchanged {
            refresh_token: refresh_token.clone(),
        };
        let user = SignedIn {
            client_id: code.request.client_id.clone(),
            subject: code.subject.clone(),
            scope: code.request.scope.clone(),
            auth_time: code.auth_time,
        };
        let nonce = code.request.nonce.clone();
        if issued.refresh_tokens.len() >= MAX_ENTRIES {
            issued.refresh_tokens.clear();
        }
        issued
            .refresh_tokens
            .insert(refresh_token.clone(), user.clone());
        Ok(Exchanged {
            user,
            nonce,
            refresh_token,
        })
    }

    /// Returns the user of a refresh token of this client. The token is valid until the gateway ends; Cognito's is for 30 days by
    /// default.
    pub(super) fn refresh(&self, token: &str, client_id: &str) -> Option<SignedIn> {
        let issued = self.lock();
        let user = issued.refresh_tokens.get(token)?;
        (user.client_id == client_id).then(|| user.clone())
    }

    fn lock(&self) -> MutexGuard<'_, IssuedCodes> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Returns true for a verifier as RFC 7636 (4.1) requires.
fn is_verifier(text: &str) -> bool {
    let is_unreserved = |letter: u8| letter.is_ascii_alphanumeric() || b"-._~".contains(&letter);
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}

impl CodeRefusal {
    /// Returns the reason.
    pub(super) fn description(self) -> &'static str {
        match self {
            CodeRefusal::Unknown => {
                "the issuer does not know this code: it has expired, or the issuer was restarted"
            }
            CodeRefusal::Expired => "the code is older than 60 seconds",
            CodeRefusal::Used => "the code was used before",
            CodeRefusal::Client => "the code was created for another client_id",
            CodeRefusal::Address => "the code was created for another redirect_uri",
            CodeRefusal::Verifier => "code_verifier does not match code_challenge",
            CodeRefusal::NoRandomNumbers => "this machine provides no random numbers",
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
        codes.create(request, "ada".to_owned(), 1).unwrap()
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

    /// Returns the reason why a code is refused that is exchanged with the right parameters.
    fn refusal(codes: &SignInCodes, code: &str) -> Option<CodeRefusal> {
        codes.exchange(&right(code)).err()
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
        let exchanged = codes.exchange(&right(&first)).unwrap();
        assert_eq!(
            (exchanged.user, exchanged.nonce.as_deref()),
            (user(), Some("n"))
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(refusal(&codes, &second), Some(CodeRefusal::Expired));
        code(&codes);
        assert_eq!(refusal(&codes, &second), Some(CodeRefusal::Unknown));
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_is_used_once_and_a_second_use_revokes_the_refresh_token() {
        for seconds in [0, 61] {
            let codes = SignInCodes::default();
            let code = code(&codes);
            let exchanged = codes.exchange(&right(&code)).unwrap();
            let refresh = |client| codes.refresh(&exchanged.refresh_token, client);
            assert_eq!(refresh("page"), Some(user()));
            assert_eq!(refresh("other"), None);
            tokio::time::advance(Duration::from_secs(seconds)).await;
            // Another sign-in removes expired codes.
            self::code(&codes);
            assert_eq!(refusal(&codes, &code), Some(CodeRefusal::Used));
            assert_eq!(refresh("page"), None, "after {seconds} s");
            assert_eq!(refusal(&codes, &code), Some(CodeRefusal::Used));
        }
    }

    #[tokio::test]
    async fn a_wrong_try_uses_the_code_up() {
        let other = "x".repeat(43);
        let short = &VERIFIER[..42];
        for (change, expected) in [
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
            assert_eq!(codes.exchange(&wrong).err(), Some(expected));
            assert_eq!(refusal(&codes, &code), Some(CodeRefusal::Used));
        }
    }

    #[tokio::test]
    async fn many_sign_ins_need_bounded_memory() {
        let codes = SignInCodes::default();
        for _ in 0..2 * MAX_ENTRIES {
            let code = code(&codes);
            codes.exchange(&right(&code)).unwrap();
        }
        let issued = codes.lock();
        assert!(issued.codes.len() <= MAX_ENTRIES && issued.refresh_tokens.len() <= MAX_ENTRIES);
    }
}
