use std::collections::HashSet;

use stackgen_model::{FunctionLink, LogicalId, Model, Qualifier, Resolved, Resource};

use crate::context::RuleContext;
use crate::facts::constant_id;
use crate::rule::rule;
use crate::{Finding, Location, Severity};

rule! {
    /// An API calls a version of a function that is published only once.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation publishes an `AWS::Lambda::Version` if its logical ID is new, or if its `Description` or
    /// `CodeSha256` changes. The code is not a property of it. If the logical ID stays the same, the function's code is
    /// updated, the update succeeds, and the version that the API calls keeps the first code. If an alias names the
    /// version, it is reported as a note, because a deployment tool may move the alias outside the stack.
    ///
    /// ## How to fix it
    ///
    /// End the version's logical ID in a digest of code and configuration, as CDK's `currentVersion`, SAM's
    /// `AutoPublishAlias` and the Serverless Framework do. The digest must not change if they do not: publishing an
    /// unchanged function fails with `A version for this Lambda function exists` (row D17). Or call the function
    /// itself, whose code is live at once (row D2).
    id: "SG314",
    name: "constant-version-id",
    severity: Warning,
    confidence: Medium,
    rows: ["D17", "D2"],
    fixable: false,
    example: "integrations/constant_version_id.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for api in context.websockets() {
        let integrations = api.integrations.iter();
        let integrations = integrations.map(|it| (&*it.resource, &it.function, "IntegrationUri"));
        let authorizers = api.authorizers.iter();
        let authorizers = authorizers.map(|it| (&*it.resource, &it.function, "AuthorizerUri"));
        for (caller, link, property) in integrations.chain(authorizers) {
            let Some(called) = called_version(context.model, link) else {
                continue;
            };
            // A version is one mistake, however many callers it has.
            if called.is_constant() && seen.insert(&called.version.logical_id) {
                let location = Location::of(caller, &[property]);
                found.push(called.finding(&caller.logical_id, location));
            }
        }
    }
    found
}

/// A called version, and the alias in between.
struct CalledVersion<'a> {
    version: &'a Resource,
    alias: Option<&'a Resource>,
}

fn called_version<'a>(model: &'a Model, link: &FunctionLink) -> Option<CalledVersion<'a>> {
    match link.qualifier.as_ref()? {
        Qualifier::Version(id) => Some(CalledVersion {
            version: model.resource(id)?,
            alias: None,
        }),
        Qualifier::Alias(id) => {
            let alias = model.resource(id)?;
            let version = alias.properties.text("FunctionVersion")?;
            let version = model.resource(&version.as_reference()?.logical_id)?;
            let is_version = version.kind == "AWS::Lambda::Version";
            is_version.then_some(CalledVersion {
                version,
                alias: Some(alias),
            })
        }
        Qualifier::Named(_) => None,
    }
}

impl CalledVersion<'_> {
    /// Returns true if a change of the code does not publish a new version.
    fn is_constant(&self) -> bool {
        let properties = &self.version.properties;
        let absent = |key: &str| properties.get(key).is_none_or(|it| *it == Resolved::Null);
        // A build may write the code's digest into these.
        let same = absent("CodeSha256") && absent("Description");
        same && properties.as_map().is_some() && constant_id::is_constant(self.version)
    }

    fn finding(&self, caller: &LogicalId, location: Location) -> Finding {
        let id = &self.version.logical_id;
        let message = format!(
            "version {id} always has the same logical ID, so {caller} keeps calling its first code"
        );
        let finding = Finding::new(&RULE, Location::of(self.version, &[]), message)
            .related(location, "called here")
            .hint("append to its logical ID a digest of the function's code and configuration, or call the function itself");
        match self.alias {
            None => finding,
            Some(alias) => Finding {
                severity: Severity::Note,
                ..finding.related(
                    Location::of(alias, &["FunctionVersion"]),
                    "this alias names it",
                )
            },
        }
    }
}
