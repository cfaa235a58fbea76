//! Trying a stage as its callers do, and what the answers show.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::account::ApiDescription;
use crate::progress::Step;
use crate::retry::OperationContext;
use crate::{Account, Api, DeployError, Handshake, Protocol, StageName, Verify};

/// A caller that a stage is tried as. What it sends is up to the [`Verify`] port, which knows callers by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name: letters, digits, hyphens and underscores.
    pub name: String,
    /// Whether it has credentials, so that an authorizer that refuses it is wrong.
    pub has_credentials: bool,
    /// The status that must come back; `None` for 101 of a WebSocket API, and for any answer of an integration of an
    /// HTTP API.
    pub status: Option<u16>,
    /// The path of a request to an HTTP API that the engine chose.
    pub path: Option<String>,
}

impl Caller {
    /// A caller without credentials.
    pub fn anonymous() -> Self {
        Caller {
            name: "anonymous".to_owned(),
            has_credentials: false,
            status: None,
            path: None,
        }
    }
}

/// The way to verify a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// The callers. If there are none, an anonymous one is tried.
    pub callers: Vec<Caller>,
    /// Further statuses that count as the expected answer.
    pub also: Vec<u16>,
}

/// How often and how long to try: it takes a while until a moved stage is seen everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tries {
    /// The number of good rounds in a row that are enough. A round tries every caller once.
    pub enough: usize,
    /// The time between two rounds.
    pub pause: Duration,
    /// The time for which bad answers are tolerated.
    pub window: Duration,
}

/// The meaning of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// The integration answered as expected.
    Verified,
    /// The authorizer, IAM or an API key refused the caller. It shows nothing of the integration.
    AuthorizerOnly,
    /// Another answer than the expected one.
    Failed,
}

/// An answer, and what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The name of the caller.
    pub caller: String,
    /// The answer.
    #[serde(flatten)]
    pub handshake: Handshake,
    /// Its judgement.
    pub judgement: Judgement,
    /// Its meaning in words.
    pub meaning: String,
}

/// All answers of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The URL that was tried.
    pub url: String,
    /// Every handshake or request, in order.
    pub handshakes: Vec<Attempt>,
    /// The meaning of the answer that decided.
    pub meaning: String,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tries = match self.handshakes.len() {
            1 => "1 attempt".to_owned(),
            many => format!("{many} attempts"),
        };
        write!(f, "{} ({tries})", self.meaning)
    }
}

/// The result of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrialOutcome {
    Verified(Evidence),
    AuthorizerOnly(Evidence),
    Failed(Evidence),
}

/// A stage that can be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageTrial {
    /// The URL of the stage.
    pub url: String,
    /// The protocol of the API.
    pub protocol: Protocol,
    /// Whether callers need the consent of an authorizer, of IAM, or an API key.
    pub guarded: bool,
    /// The callers, at least one.
    pub callers: Vec<Caller>,
    /// Further statuses that count as the expected answer.
    pub also: Vec<u16>,
}

impl StageTrial {
    /// Finds out how a stage can be tried. Tries nothing.
    ///
    /// # Errors
    ///
    /// [`DeployError::NothingToTry`] if no URL reaches the stage or no route can be called.
    pub(crate) async fn resolve(
        account: &impl Account,
        api: &Api,
        stage: &StageName,
        verification: &Verification,
        description: &ApiDescription,
        ctx: OperationContext<'_>,
    ) -> Result<StageTrial, DeployError> {
        let nothing = |reason: &str| DeployError::NothingToTry {
            api: api.name.clone(),
            stage: stage.clone(),
            reason: reason.to_owned(),
        };
        let url = match api.url(stage) {
            Some(url) => url,
            None => mapped_url(account, api, stage, ctx).await?.ok_or_else(|| {
                nothing("no endpoint and no custom domain that it knows reaches it")
            })?,
        };
        let mut callers = verification.callers.clone();
        if callers.is_empty() && api.protocol == Protocol::WebSocket {
            callers.push(Caller::anonymous());
        }
        if callers.is_empty() {
            let path = description.open_path().ok_or_else(|| {
                nothing("it has no GET route that needs no authorization and no path parameters")
            })?;
            callers.push(Caller {
                path: Some(path),
                ..Caller::anonymous()
            });
        }
        Ok(StageTrial {
            url,
            protocol: api.protocol,
            guarded: api.protocol == Protocol::WebSocket && description.connect_is_guarded(),
            callers,
            also: verification.also.clone(),
        })
    }

    /// Tries every caller until all answers are good often enough, or have been bad for too long.
    ///
    /// # Errors
    ///
    /// [`DeployError::Interrupted`].
    pub(crate) async fn run(
        &self,
        verifier: &impl Verify,
        ctx: OperationContext<'_>,
    ) -> Result<TrialOutcome, DeployError> {
        let tries = &ctx.retry.tries;
        let started = tokio::time::Instant::now();
        let (mut handshakes, mut in_a_row) = (Vec::new(), 0);
        loop {
            let round = self.round(verifier, ctx).await?;
            let (judgement, meaning) = verdict(&round);
            handshakes.extend(round);
            in_a_row = match judgement {
                Judgement::Verified => in_a_row + 1,
                _ => 0,
            };
            let enough = in_a_row >= tries.enough;
            let over = judgement != Judgement::Verified && started.elapsed() >= tries.window;
            if enough || over {
                let evidence = Evidence {
                    url: self.url.clone(),
                    handshakes,
                    meaning,
                };
                return Ok(match judgement {
                    Judgement::Verified => TrialOutcome::Verified(evidence),
                    Judgement::AuthorizerOnly => TrialOutcome::AuthorizerOnly(evidence),
                    Judgement::Failed => TrialOutcome::Failed(evidence),
                });
            }
            ctx.interrupt.sleep(tries.pause).await?;
        }
    }

    async fn round(
        &self,
        verifier: &impl Verify,
        ctx: OperationContext<'_>,
    ) -> Result<Vec<Attempt>, DeployError> {
        let mut round = Vec::new();
        for caller in &self.callers {
            let tried = verifier.attempt(&self.url, self.protocol, caller);
            let handshake = ctx.interrupt.unless(tried).await?;
            let (judgement, meaning) = self.judge(caller, &handshake);
            ctx.step(Step::Tried {
                caller: &caller.name,
                meaning: &meaning,
                judgement,
            });
            round.push(Attempt {
                caller: caller.name.clone(),
                handshake,
                judgement,
                meaning,
            });
        }
        Ok(round)
    }

    /// Judges an answer to a caller.
    pub fn judge(&self, caller: &Caller, handshake: &Handshake) -> (Judgement, String) {
        use Judgement::{AuthorizerOnly, Failed, Verified};
        let status = match handshake {
            Handshake::Unanswered(reason) => return (Failed, format!("no answer: {reason}")),
            Handshake::Unmet(reason) => return (Failed, reason.clone()),
            Handshake::Answered(status) => *status,
        };
        let expected = caller.status == Some(status) || self.also.contains(&status);
        let refused = matches!(status, 401 | 403);
        if self.guarded
            && refused
            && (expected || !caller.has_credentials && caller.status.is_none())
        {
            let meaning = "authorizer only: it refuses the caller, which shows nothing of $connect";
            return (
                AuthorizerOnly,
                format!("{status}: {meaning} (rows A2, A5, A6)"),
            );
        }
        let by_default = caller.status.is_none()
            && match self.protocol {
                Protocol::WebSocket => status == 101,
                Protocol::Http => status < 500 && !matches!(status, 401 | 403 | 404 | 429),
            };
        let meaning = match (expected || by_default, self.protocol) {
            (true, _) if status == 101 => "a WebSocket was opened",
            (true, _) if expected => "as expected",
            (true, _) => "the integration answers",
            (false, Protocol::WebSocket) => self.handshake_meaning(status),
            (false, Protocol::Http) => request_meaning(status),
        };
        let judgement = if expected || by_default {
            Verified
        } else {
            Failed
        };
        (judgement, format!("{status}: {meaning}"))
    }

    /// The meaning of a handshake's status that is not the expected one.
    fn handshake_meaning(&self, status: u16) -> &'static str {
        match status {
            101 => "a WebSocket was opened, and the caller should have been refused",
            401 | 403 if self.guarded => "the authorizer refuses the caller (rows A2, A5, A6)",
            403 => "forbidden, and nothing guards $connect: no such stage or deployment (row C3)",
            500 => "a function may not be invoked, or an authorizer failed (rows C7, A7, A16)",
            502 => "the function of $connect failed (row C6)",
            504 => "the function of $connect took too long (row C8)",
            429 => "throttled (rows M19, D18)",
            426 => "no handshake arrived: is a proxy in between? (row C4)",
            501..=599 => "the service failed",
            _ => {
                "the function of $connect refuses the caller (row C5); if it should, declare the status"
            }
        }
    }
}

/// The meaning of the status of a request to an HTTP API that is not the expected one.
fn request_meaning(status: u16) -> &'static str {
    match status {
        401 | 403 => "an authorizer refuses the caller",
        404 => "no such route or stage",
        429 => "throttled",
        500 => "the integration failed, or may not be invoked",
        503 => "the integration took too long, or is not available",
        501..=599 => "the service failed",
        _ => "another status was expected",
    }
}

/// The judgement of a round: one failure makes it fail, and one caller that got through makes it verified.
fn verdict(round: &[Attempt]) -> (Judgement, String) {
    let find = |judgement| round.iter().find(|attempt| attempt.judgement == judgement);
    let failed = find(Judgement::Failed);
    let deciding = failed
        .or_else(|| find(Judgement::Verified))
        .or(round.last());
    match deciding {
        Some(attempt) if round.len() > 1 => (
            attempt.judgement,
            format!("{}: {}", attempt.caller, attempt.meaning),
        ),
        Some(attempt) => (attempt.judgement, attempt.meaning.clone()),
        None => (Judgement::Failed, "no caller was tried".to_owned()),
    }
}

/// Returns the URL of a stage below a custom domain name. One with mutual TLS is left out: its client certificates are
/// not here.
async fn mapped_url(
    account: &impl Account,
    api: &Api,
    stage: &StageName,
    ctx: OperationContext<'_>,
) -> Result<Option<String>, DeployError> {
    let scheme = match api.protocol {
        Protocol::WebSocket => "wss",
        Protocol::Http => "https",
    };
    for domain in ctx.read(|| account.custom_domains()).await? {
        if domain.mutual_tls {
            continue;
        }
        let name = &domain.name;
        let mappings = ctx.read(|| account.mappings(name, &api.id)).await?;
        let found = mappings.iter().find(|mapping| mapping.stage == *stage);
        if let Some(mapping) = found {
            return Ok(Some(match mapping.key.as_deref() {
                Some(key) if !key.is_empty() => format!("{scheme}://{name}/{key}"),
                _ => format!("{scheme}://{name}"),
            }));
        }
    }
    Ok(None)
}
