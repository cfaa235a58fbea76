//! Verifying a stage: opening handshakes as its callers, and judging the answers.

mod after_move;
mod judge;
mod record;

use crate::account::ApiDescription;
use crate::progress::DeployStep;
use crate::retry::OperationContext;
use crate::{Account, ApiInfo, ApiProtocol, DeployError, StageClient, StageName};

pub use crate::evidence::{CallerProfile, Judgement, VerifyAttempt, VerifyEvidence};
pub use crate::retry::VerifyPolicy;
pub(crate) use after_move::{DeploymentOrigin, StageCheck};
pub use judge::StageExpectation;
pub use record::clear_record;
pub(crate) use record::write_description;

/// A request to verify a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyRequest {
    /// The callers. If there are none, an anonymous one.
    pub callers: Vec<CallerProfile>,
    /// Further statuses that count as the expected answer.
    pub accepted: Vec<u16>,
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerifyOutcome {
    pub(crate) judgement: Judgement,
    pub(crate) evidence: VerifyEvidence,
}

/// Verifier of a stage: its URL, the callers, and the answers that they expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageVerifier {
    /// The URL of the stage.
    pub url: String,
    /// The callers, at least one.
    pub callers: Vec<CallerProfile>,
    /// The expected answers.
    pub expectation: StageExpectation,
}

impl StageVerifier {
    /// Finds the URL of a stage and its callers. Opens no handshake.
    ///
    /// # Errors
    ///
    /// [`DeployError::CannotVerify`] if no URL leads to the stage, or an anonymous caller can call no route.
    pub async fn resolve(
        account: &impl Account,
        api: &ApiInfo,
        stage: &StageName,
        request: &VerifyRequest,
        description: &ApiDescription,
        ctx: OperationContext<'_>,
    ) -> Result<StageVerifier, DeployError> {
        let cannot_verify = |reason: &str| DeployError::CannotVerify {
            api: api.name.clone(),
            stage: stage.clone(),
            reason: reason.to_owned(),
        };
        let url = match api.url(stage) {
            Some(url) => url,
            None => mapped_url(account, api, stage, ctx).await?.ok_or_else(|| {
                cannot_verify(
                    "it has no endpoint, and no custom domain name without mutual TLS leads to it",
                )
            })?,
        };
        let mut callers = request.callers.clone();
        if callers.is_empty() && api.protocol == ApiProtocol::WebSocket {
            callers.push(CallerProfile::anonymous());
        }
        if callers.is_empty() {
            let path = description.open_path().ok_or_else(|| {
                cannot_verify("it has no GET route without authorization and path parameters")
            })?;
            callers.push(CallerProfile {
                path: Some(path),
                ..CallerProfile::anonymous()
            });
        }
        Ok(StageVerifier {
            url,
            callers,
            expectation: StageExpectation {
                protocol: api.protocol,
                guarded: api.protocol == ApiProtocol::WebSocket && description.connect_is_guarded(),
                accepted: request.accepted.clone(),
            },
        })
    }

    /// Makes rounds of attempts until enough are good, or they have been bad for too long.
    ///
    /// # Errors
    ///
    /// [`DeployError::Interrupted`].
    pub(crate) async fn run(
        &self,
        client: &impl StageClient,
        ctx: OperationContext<'_>,
    ) -> Result<VerifyOutcome, DeployError> {
        let policy = &ctx.retry.verify;
        let started = tokio::time::Instant::now();
        let (mut attempts, mut good_rounds) = (Vec::new(), 0);
        loop {
            let round = self.round(client, ctx).await?;
            let (judgement, meaning) = judge_round(&round);
            attempts.extend(round);
            good_rounds = match judgement {
                Judgement::Verified => good_rounds + 1,
                _ => 0,
            };
            let is_verified = good_rounds >= policy.rounds;
            let is_over = judgement != Judgement::Verified && started.elapsed() >= policy.timeout;
            if is_verified || is_over {
                let evidence = VerifyEvidence {
                    url: self.url.clone(),
                    attempts,
                    meaning,
                };
                return Ok(VerifyOutcome {
                    judgement,
                    evidence,
                });
            }
            ctx.interrupt.sleep(policy.interval).await?;
        }
    }

    /// Makes one attempt for each caller.
    async fn round(
        &self,
        client: &impl StageClient,
        ctx: OperationContext<'_>,
    ) -> Result<Vec<VerifyAttempt>, DeployError> {
        let mut round = Vec::new();
        for caller in &self.callers {
            let answer = client.attempt(&self.url, self.expectation.protocol, caller);
            let answer = ctx.interrupt.unless(answer).await?;
            let (judgement, meaning) = self.expectation.judge(caller, &answer);
            ctx.step(DeployStep::Attempted {
                caller: &caller.name,
                meaning: &meaning,
                judgement,
            });
            round.push(VerifyAttempt {
                caller: caller.name.clone(),
                answer,
                judgement,
                meaning,
            });
        }
        Ok(round)
    }
}

/// Judges a round: one failure makes it fail, and one caller that reached the integration makes it verified.
fn judge_round(round: &[VerifyAttempt]) -> (Judgement, String) {
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
        None => (Judgement::Failed, "there was no caller".to_owned()),
    }
}

/// Returns the URL of a stage below a custom domain name. One with mutual TLS is left out: its client certificates are
/// not here.
async fn mapped_url(
    account: &impl Account,
    api: &ApiInfo,
    stage: &StageName,
    ctx: OperationContext<'_>,
) -> Result<Option<String>, DeployError> {
    let scheme = match api.protocol {
        ApiProtocol::WebSocket => "wss",
        ApiProtocol::Http => "https",
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
