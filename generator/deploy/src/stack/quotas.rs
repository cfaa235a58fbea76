//! Quotas that stop a deploy in its middle: a check before it, as far as quotas and their use can be read.
//!
//! Not checked are quotas that no template of one stack comes near (tables, log groups, alarms), and rates, which retries respect
//! (row D15).

use stackgen_cfn::{Map, Node};

use super::error::StackError;
use super::names::{skip, unread};
use super::ports::QuotaReader;
use super::quota::{API_PARTS, MAX_APIS, MAX_RESOURCES};
use crate::error::{AccountError, AccountErrorKind, DeployError};
use crate::progress::DeployStep;
use crate::retry::OperationContext;

pub use super::quota::{ApiPartQuota, Quota, QuotaExceeded, QuotaUsage};

/// Use of quotas by a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaDemand {
    /// Number of resources.
    pub resources: u64,
    /// True if the stack does not exist yet.
    pub creates_stack: bool,
    /// Number of new roles.
    pub roles: u64,
    /// Number of new APIs.
    pub apis: u64,
    /// Bytes of code to upload.
    pub code: u64,
    /// Numbers of parts of each API that are above the default.
    pub parts: Vec<PartDemand>,
}

/// Number of parts of an API that is above the default of its quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartDemand {
    quota: &'static ApiPartQuota,
    is_http: bool,
    number: u64,
}

impl PartDemand {
    /// Returns the code of the quota in Service Quotas.
    pub fn code(&self) -> Option<&'static str> {
        self.quota.code(self.is_http)
    }
}

impl QuotaDemand {
    /// Returns what a template uses. `exists` returns true for logical IDs that the stack has already. Resources under a condition
    /// may not be created: they count only as resources of the template.
    pub fn of(template: &Node, exists: impl Fn(&str) -> bool) -> Self {
        let resources = template.get("Resources").and_then(Node::as_map);
        let all: Vec<_> = resources.into_iter().flat_map(Map::iter).collect();
        let is =
            |resource: &Node, kind: &str| resource.get("Type").and_then(Node::as_str) == Some(kind);
        let new = |kind: &str| {
            let of_kind = all.iter().filter(|(_, resource)| is(resource, kind));
            let certain = of_kind.filter(|(_, resource)| resource.get("Condition").is_none());
            count(certain.filter(|(id, _)| !exists(id)))
        };
        QuotaDemand {
            resources: count(all.iter()),
            creates_stack: false,
            roles: new("AWS::IAM::Role"),
            apis: new("AWS::ApiGatewayV2::Api"),
            code: 0,
            parts: part_demands(template),
        }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.fold(0, |number, _| number + 1)
}

/// Returns the parts of APIs in a template of which there are more than the default of the quota. A part whose API is not in the
/// template is left out.
pub fn part_demands(template: &Node) -> Vec<PartDemand> {
    let resources = template.get("Resources").and_then(Node::as_map);
    let all = resources.into_iter().flat_map(Map::iter);
    let certain = all.filter(|(_, resource)| resource.get("Condition").is_none());
    let all: Vec<_> = certain.collect();
    let mut demands = Vec::new();
    for (api, resource) in &all {
        if resource.get("Type").and_then(Node::as_str) != Some("AWS::ApiGatewayV2::Api") {
            continue;
        }
        let protocol = resource.at_path(&["Properties", "ProtocolType"]);
        let is_http = protocol.and_then(Node::as_str) == Some("HTTP");
        for quota in &API_PARTS {
            let parts = all.iter().filter(|(_, part)| {
                let is_kind = part.get("Type").and_then(Node::as_str) == Some(quota.kind);
                let of = part.at_path(&["Properties", "ApiId"]);
                let of = of.and_then(|of| of.as_call()?.as_ref_name());
                is_kind && of == Some(api)
            });
            let number = count(parts);
            if number > quota.default {
                demands.push(PartDemand {
                    quota,
                    is_http,
                    number,
                });
            }
        }
    }
    demands
}

/// Checks that a deploy stays within quotas. A quota that the caller may not read is skipped with a note.
///
/// # Errors
///
/// [`StackError::Quotas`] with all quotas that are exceeded, [`DeployError::Interrupted`], and errors of the credentials.
pub async fn check_quotas(
    account: &impl QuotaReader,
    demand: &QuotaDemand,
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    let mut check = QuotaCheck {
        exceeded: Vec::new(),
        ctx,
    };
    check.require(Quota::StackResources, demand.resources, MAX_RESOURCES);
    if demand.creates_stack {
        let limit = ctx.read(|| account.stack_quota()).await;
        if let Some(Some(limit)) = check.answer("stacks", limit)? {
            let number = ctx.read(|| account.stack_count()).await;
            if let Some(number) = check.answer("stacks", number)? {
                check.require(Quota::Stacks, number + 1, limit);
            }
        }
    }
    if demand.code > 0 {
        let usage = ctx.read(|| account.code_storage()).await;
        if let Some(usage) = check.answer("code storage", usage)? {
            check.require(Quota::CodeStorage, usage.used + demand.code, usage.limit);
        }
    }
    if demand.roles > 0 {
        let usage = ctx.read(|| account.roles()).await;
        if let Some(usage) = check.answer("roles", usage)? {
            check.require(Quota::Roles, usage.used + demand.roles, usage.limit);
        }
    }
    if demand.apis > 0 {
        let number = ctx.read(|| account.api_count()).await;
        if let Some(number) = check.answer("APIs", number)? {
            check.require(Quota::Apis, number + demand.apis, MAX_APIS);
        }
    }
    for part in &demand.parts {
        let limit = match part.code() {
            Some(code) => {
                let limit = ctx.read(|| account.gateway_quota(code)).await;
                match check.answer(part.quota.parts, limit)? {
                    Some(None) => {
                        check.skip_without_value(part);
                        None
                    }
                    limit => limit.flatten(),
                }
            }
            None => {
                check.skip_unreadable(part);
                None
            }
        };
        if let Some(limit) = limit {
            check.require(Quota::ApiPart(part.quota), part.number, limit);
        }
    }
    match check.exceeded.is_empty() {
        true => Ok(()),
        false => Err(StackError::Quotas(check.exceeded)),
    }
}

struct QuotaCheck<'a> {
    exceeded: Vec<QuotaExceeded>,
    ctx: OperationContext<'a>,
}

impl QuotaCheck<'_> {
    fn require(&mut self, quota: Quota, needed: u64, limit: u64) {
        if needed > limit {
            self.exceeded.push(QuotaExceeded {
                quota,
                needed,
                limit,
            });
        }
    }

    /// Returns an answer; `None` with a note if there is none.
    fn answer<T>(
        &self,
        what: &str,
        answer: Result<T, DeployError>,
    ) -> Result<Option<T>, StackError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => {
                let error = unread(error)?;
                let is_refused = |error: &AccountError| error.kind == AccountErrorKind::Refused;
                // Partitions and emulators refuse some of these operations.
                if !matches!(&error, DeployError::Account(error) if is_refused(error)) {
                    skip(
                        &format!("the check of the quota of {what}"),
                        &error,
                        self.ctx,
                    );
                }
                Ok(None)
            }
        }
    }

    /// Notes that a number is above the default of a quota that no call returns.
    fn skip_unreadable(&self, part: &PartDemand) {
        self.skip_default(
            part,
            "unless AWS Support raised it, and that cannot be read",
        );
    }

    /// Notes that a number is above the default of a quota of which Service Quotas has no value. It has none of a quota that was
    /// never raised, and sometimes of others: AWS says only that a value which is not available is not returned.
    fn skip_without_value(&self, part: &PartDemand) {
        let unless = "unless it was raised, and Service Quotas has no value of it";
        self.skip_default(part, unless);
    }

    fn skip_default(&self, part: &PartDemand, unless: &str) {
        let quota = part.quota;
        self.ctx.step(DeployStep::Skipped {
            what: &format!("the check of the quota of {}", quota.parts),
            reason: &format!(
                "an API has {}, its quota is {} {unless}",
                part.number, quota.default
            ),
        });
    }
}
