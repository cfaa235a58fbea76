//! Whether a stage serves what the account holds, and how that is known.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use stackgen_model::SnapshotDigest;
use stackgen_model::diff::{Change, snapshots};

use crate::account::{ApiDescription, Wiring};
use crate::code::BuiltCode;
use crate::retry::OperationContext;
use crate::{
    Account, AccountErrorKind, Api, CreatedBy, DeployError, Deployment, DeploymentMetadata,
    FunctionName, Stage, StageName,
};

/// What a template says of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSnapshot {
    /// The digest of what its deployment freezes.
    pub digest: SnapshotDigest,
    /// The canonical form of that.
    pub snapshot: String,
}

/// What is known of a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The API.
    pub api: Api,
    /// Its stage.
    pub stage: Stage,
    /// The deployment that the stage serves.
    pub deployment: Option<Deployment>,
    /// Who made that.
    pub maker: Option<CreatedBy>,
    /// What stackgen wrote into it.
    pub label: Option<DeploymentMetadata>,
    /// What a deployment would freeze as the account is.
    pub account_digest: SnapshotDigest,
    /// What the template's deployment freezes.
    pub template_digest: Option<SnapshotDigest>,
    /// What to think of it.
    pub verdict: Verdict,
    /// What differs between the template, or what was deployed of it, and the account.
    pub changes: Vec<Change>,
    /// What `changes` is of.
    pub changes_are: Option<ChangeBasis>,
    /// Code that was built, beside the account's.
    pub code: Vec<CodeStatus>,
    /// The same changes for people.
    #[serde(skip)]
    pub in_words: String,
}

/// What the changes are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeBasis {
    /// The stage serves what the template says; these are in the account and not served.
    Undeployed,
    /// They are between the template and the account; what the stage serves of them is not known.
    FromTemplate,
}

/// Whether the stage serves what the account holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Whether it does.
    pub state: State,
    /// How sure that is.
    pub sureness: Confidence,
    /// Why.
    pub because: &'static str,
}

/// Whether a stage serves what the account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It does.
    Current,
    /// It does not.
    Stale,
    /// The deployment does not tell.
    Unknown,
    /// It serves nothing.
    NotDeployed,
}

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// No doubt is known.
    Certain,
    /// Something that cannot be read could make it otherwise.
    Likely,
}

/// Code that was built, beside the account's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeStatus {
    /// The function.
    pub function: FunctionName,
    /// `CodeSha256` of what was built.
    pub built: String,
    /// `CodeSha256` in the account; `None` when there is no such function.
    pub account: Option<String>,
}

impl Status {
    /// True if the stage is known to serve what the account holds.
    pub fn is_current(&self) -> bool {
        self.verdict.state == State::Current
    }

    /// True if a trial of the deployment that it serves is recorded and passed.
    pub fn is_verified(&self) -> bool {
        self.label.as_ref().is_some_and(DeploymentMetadata::passed)
    }

    /// True if a trial of the deployment that it serves is recorded and failed.
    pub fn failed_trial(&self) -> bool {
        self.label.as_ref().is_some_and(DeploymentMetadata::failed)
    }
}

/// Finds out whether a stage serves what the account holds. Of the templates the first is the current one; others may
/// tell what was deployed before.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn status(
    account: &impl Account,
    api: &Api,
    stage: &StageName,
    templates: &[TemplateSnapshot],
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<Status, DeployError> {
    let place = ctx.read(|| account.account_region()).await?;
    let stage = ctx.read(|| account.stage(&api.id, stage)).await?;
    let description = ApiDescription::read(account, &api.id, ctx).await?;
    let wiring = description.wiring(&place);
    let deployment = match &stage.deployment {
        Some(id) => Some(ctx.read(|| account.deployment(&api.id, id)).await?),
        None => None,
    };
    let label = deployment.as_ref().and_then(Deployment::metadata);
    let served = label.as_ref().map(|label| &label.digest);
    let template = templates.first();
    let said_so = templates.iter().find(|said| Some(&said.digest) == served);
    let compared = said_so.or(template);
    let (changes, in_words) =
        compared.map_or_else(Default::default, |said| differences(api, said, &wiring));
    let changes_are = (!changes.is_empty()).then_some(match said_so {
        Some(_) => ChangeBasis::Undeployed,
        None => ChangeBasis::FromTemplate,
    });
    let says = template.is_some_and(|said| said.digest == wiring.digest);
    Ok(Status {
        verdict: verdict(&stage, deployment.as_ref(), said_so, &wiring, says),
        api: api.clone(),
        maker: deployment.as_ref().map(Deployment::created_by),
        label,
        account_digest: wiring.digest,
        template_digest: template.map(|said| said.digest.clone()),
        changes,
        changes_are,
        code: code(account, built, ctx).await?,
        in_words,
        stage,
        deployment,
    })
}

fn verdict(
    stage: &Stage,
    deployment: Option<&Deployment>,
    said_so: Option<&TemplateSnapshot>,
    wiring: &Wiring,
    template_says_so: bool,
) -> Verdict {
    let verdict = |state, sureness, because| Verdict {
        state,
        sureness,
        because,
    };
    use Confidence::{Certain, Likely};
    use State::{Current, NotDeployed, Stale, Unknown};
    if stage.auto_deploy {
        return verdict(
            Current,
            Likely,
            "API Gateway deploys every change by itself (rows D4, D5)",
        );
    }
    let Some(deployment) = deployment else {
        return verdict(
            NotDeployed,
            Certain,
            "the stage has no deployment and refuses everything (row C3)",
        );
    };
    let (maker, label) = (deployment.created_by(), deployment.metadata());
    match label {
        None => verdict(
            Unknown,
            Certain,
            "its deployment does not tell what it froze: stackgen did not make it",
        ),
        Some(label) if label.digest == wiring.digest => match maker {
            CreatedBy::Template => verdict(
                Current,
                Likely,
                "the digests are the same; a route that was removed in the same stack update would linger (row D20)",
            ),
            _ => verdict(Current, Certain, "the digests are the same"),
        },
        // The template names versions and roles by logical ids, the account by numbers and ARNs.
        Some(_)
            if said_so.is_some_and(|said| masked(&said.snapshot) == masked(&wiring.snapshot)) =>
        {
            verdict(
                Current,
                Likely,
                "it was made from this template, and the account says the same, but for versions and roles, which a template cannot name",
            )
        }
        Some(_) if maker == CreatedBy::Template && !template_says_so => verdict(
            Stale,
            Likely,
            "the digests differ; a parameter with another value than its default makes the same difference",
        ),
        Some(_) => verdict(Stale, Certain, "the digests differ"),
    }
}

/// What differs, without what a template and an account never say alike.
fn differences(api: &Api, said: &TemplateSnapshot, wiring: &Wiring) -> (Vec<Change>, String) {
    let (template, account) = (masked(&said.snapshot), masked(&wiring.snapshot));
    let diff = snapshots(&api.name, &template.to_string(), &account.to_string());
    let words = diff.human();
    (diff.changes, words)
}

/// A snapshot with all versions and all roles alike.
fn masked(snapshot: &str) -> Json {
    let mut snapshot = serde_json::from_str(snapshot).unwrap_or(Json::Null);
    mask(&mut snapshot);
    snapshot
}

fn mask(json: &mut Json) {
    let Json::Object(map) = json else {
        return;
    };
    mask_map(map);
    for value in map.values_mut() {
        mask(value);
    }
}

fn mask_map(map: &mut Map<String, Json>) {
    if let Some(qualifier) = map.get_mut("Qualifier") {
        let text = qualifier.as_str().unwrap_or_default();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || text.starts_with("version ") {
            *qualifier = Json::from("a version");
        }
    }
    for key in ["CredentialsArn", "AuthorizerCredentialsArn"] {
        if let Some(role) = map.get_mut(key) {
            *role = Json::from("a role");
        }
    }
}

async fn code(
    account: &impl Account,
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<Vec<CodeStatus>, DeployError> {
    let mut found = Vec::new();
    for code in built {
        let account = match ctx.read(|| account.function(&code.function, None)).await {
            Ok(state) => Some(state.code_sha256),
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        found.push(CodeStatus {
            function: code.function.clone(),
            built: code.sha256.clone(),
            account,
        });
    }
    Ok(found)
}
