//! Reading functions, their policies, the rights of roles, and private endpoints.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};
use stackgen_deploy::{
    AccountErrorKind, CalledVersion, DeployError, FunctionName, FunctionVersion,
};

use super::{ExaminedAccount, Gatherer};
use crate::doctor::checks::{
    invocations, invoke_right, posting, posting_right, served_invocations,
};
use crate::doctor::evidence::{FunctionFacts, QualifiedFunction, RightVerdict, RoleRight};
use crate::doctor::part::EvidencePart;
use crate::doctor::policy::{IamPolicy, PolicyDecision};
use crate::doctor::ports::{FunctionDetails, SimulatedRight};
use crate::doctor::reader::EvidenceReader;

/// Functions, the versions that the stage calls, and their resource policies.
#[derive(Default)]
pub(super) struct FunctionEvidence {
    pub(super) functions: BTreeMap<FunctionName, FunctionFacts>,
    pub(super) versions: BTreeMap<CalledVersion, Option<FunctionDetails>>,
    pub(super) policies: BTreeMap<QualifiedFunction, Option<String>>,
}

impl<A: ExaminedAccount> Gatherer<'_, A> {
    pub(super) async fn functions(
        &self,
        evidence: &EvidenceReader<'_>,
    ) -> Result<FunctionEvidence, DeployError> {
        if !self.needs(EvidencePart::Functions) {
            return Ok(FunctionEvidence::default());
        }
        let mut names: BTreeSet<FunctionName> =
            self.request.project.functions.keys().cloned().collect();
        let (mut versions, mut qualified) = (BTreeSet::new(), BTreeSet::new());
        if let Some(description) = evidence.wiring() {
            let mut all = invocations(description, evidence);
            all.extend(served_invocations(description, evidence));
            for one in all {
                names.insert(one.function.function.clone());
                versions.extend(called_version(&one.function));
                if one.role.is_none() {
                    qualified.insert(one.function);
                }
            }
        }
        let names: Vec<_> = names.into_iter().collect();
        let (functions, versions, policies) = tokio::join!(
            try_join_all(names.iter().map(|name| self.function(name))),
            try_join_all(versions.iter().map(|version| self.version(version))),
            try_join_all(qualified.iter().map(|function| self.policy(function))),
        );
        self.done(EvidencePart::Functions, evidence);
        self.done(EvidencePart::Permissions, evidence);
        Ok(FunctionEvidence {
            functions: names.into_iter().zip(functions?).collect(),
            versions: versions?.into_iter().flatten().collect(),
            policies: policies?.into_iter().flatten().collect(),
        })
    }

    async fn function(&self, name: &FunctionName) -> Result<FunctionFacts, DeployError> {
        let part = EvidencePart::Functions;
        let (details, reserved) = tokio::join!(
            self.find(part, || self.account.function_details(name, None)),
            self.read(part, || self.account.reserved_concurrency(name)),
        );
        let details = details?;
        Ok(FunctionFacts {
            is_known: details.is_some(),
            details: details.flatten(),
            reserved: reserved?.flatten(),
        })
    }

    async fn version(
        &self,
        version: &CalledVersion,
    ) -> Result<Option<(CalledVersion, Option<FunctionDetails>)>, DeployError> {
        let (name, number) = (&version.function, Some(version.version.as_str()));
        let part = EvidencePart::Functions;
        let found = self
            .find(part, || self.account.function_details(name, number))
            .await?;
        Ok(found.map(|details| (version.clone(), details)))
    }

    async fn policy(
        &self,
        function: &QualifiedFunction,
    ) -> Result<Option<(QualifiedFunction, Option<String>)>, DeployError> {
        let (name, qualifier) = (&function.function, function.qualifier.as_deref());
        let part = EvidencePart::Permissions;
        let found = self
            .read(part, || self.account.function_policy(name, qualifier))
            .await?;
        Ok(found.map(|policy| (function.clone(), policy)))
    }

    /// Reads the rights that invocations and posts to connections need.
    pub(super) async fn rights(
        &self,
        evidence: &EvidenceReader<'_>,
    ) -> Result<BTreeMap<RoleRight, RightVerdict>, DeployError> {
        if !self.needs(EvidencePart::Rights) {
            return Ok(BTreeMap::new());
        }
        let mut rights = BTreeSet::new();
        if let Some(description) = evidence.wiring() {
            let mut all = invocations(description, evidence);
            all.extend(served_invocations(description, evidence));
            rights.extend(all.iter().filter_map(|one| invoke_right(one, evidence)));
        }
        let posting = posting(evidence).into_iter();
        rights.extend(posting.filter_map(|(_, details)| posting_right(details, evidence)));
        let mut by_role: BTreeMap<String, Vec<RoleRight>> = BTreeMap::new();
        for right in rights {
            by_role.entry(right.role.clone()).or_default().push(right);
        }
        let roles = by_role.values().map(|rights| self.rights_of_role(rights));
        let verdicts = join_all(roles).await;
        self.done(EvidencePart::Rights, evidence);
        let mut all = BTreeMap::new();
        for verdicts in verdicts {
            all.extend(verdicts?);
        }
        Ok(all)
    }

    /// Decides the rights of one role: by simulation, or by its policies where that is not allowed.
    async fn rights_of_role(
        &self,
        rights: &[RoleRight],
    ) -> Result<Vec<(RoleRight, RightVerdict)>, DeployError> {
        let mut verdicts = Vec::new();
        let mut documents: Option<Vec<IamPolicy>> = None;
        for right in rights {
            let simulated = match &documents {
                Some(_) => None,
                None => self.simulate(right).await?,
            };
            if let Some(decision) = simulated {
                verdicts.push((right.clone(), RightVerdict::Simulated(decision)));
                continue;
            }
            if documents.is_none() {
                let part = EvidencePart::Rights;
                let texts = self
                    .read(part, || self.account.role_policies(&right.role))
                    .await?;
                let Some(texts) = texts else {
                    return Ok(verdicts);
                };
                documents = Some(texts.iter().map(|text| IamPolicy::parse(text)).collect());
            }
            let policies = documents.as_deref().unwrap_or_default();
            let decision: PolicyDecision =
                IamPolicy::decide(policies, right.action, &right.resource);
            verdicts.push((right.clone(), RightVerdict::Policies(decision)));
        }
        Ok(verdicts)
    }

    /// Asks IAM for a decision; `None` if it may not be asked, so that the policies have to be read.
    async fn simulate(&self, right: &RoleRight) -> Result<Option<SimulatedRight>, DeployError> {
        let call = || {
            self.account
                .simulate_right(&right.role, right.action, &right.resource)
        };
        match self.ctx.read(call).await {
            Ok(decision) => Ok(Some(decision)),
            Err(DeployError::Interrupted) => Err(DeployError::Interrupted),
            Err(error) => {
                let denied = matches!(&error, DeployError::Account(one) if one.kind == AccountErrorKind::AccessDenied);
                if denied {
                    self.note::<()>(EvidencePart::Rights, Err(error))?;
                }
                Ok(None)
            }
        }
    }

    /// Reads the private endpoints of VPCs with functions that post to connections.
    pub(super) async fn private_endpoints(
        &self,
        evidence: &EvidenceReader<'_>,
    ) -> Result<BTreeMap<String, Vec<String>>, DeployError> {
        if !self.needs(EvidencePart::Network) {
            return Ok(BTreeMap::new());
        }
        let posting = posting(evidence).into_iter();
        let vpcs: BTreeSet<_> = posting
            .filter_map(|(_, details)| details.vpc.clone())
            .collect();
        let mut found = BTreeMap::new();
        for vpc in vpcs {
            let part = EvidencePart::Network;
            let endpoints = self
                .read(part, || self.account.private_api_endpoints(&vpc))
                .await?;
            if let Some(endpoints) = endpoints {
                found.insert(vpc, endpoints);
            }
        }
        self.done(EvidencePart::Network, evidence);
        Ok(found)
    }
}

/// Returns the version if the qualifier is the number of one.
fn called_version(function: &QualifiedFunction) -> Option<CalledVersion> {
    let number = function.qualifier.as_deref()?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| CalledVersion {
        function: function.function.clone(),
        version: FunctionVersion::new(number),
    })
}
