use std::collections::HashSet;

use stackgen_model::{FunctionLink, LogicalId, Model, Qualifier, Resolved, Resource};

use crate::context::RuleContext;
use crate::facts::constant_id;
use crate::rule::rule;
use crate::{Finding, Location, Severity};

rule! {
    /// An API calls a version of a function that is published once and never again.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation publishes an `AWS::Lambda::Version` when its logical id is new, or its `Description` or `CodeSha256`
    /// changes. The code itself is no property of it: with a logical id that stays the same, the function is updated, the
    /// update succeeds, and the version that the API calls has the code of the first day. An alias that names the version
    /// is a note, as a deployment tool may move it outside of the stack.
    ///
    /// ## How to fix it
    ///
    /// Give the version a logical id with a digest of code and configuration at its end, as CDK's `currentVersion`, SAM's
    /// `AutoPublishAlias` and the Serverless Framework do. The digest must not change without them: publishing what has not
    /// changed fails with `A version for this Lambda function exists` (row D17). Or call the function itself, whose code is
    /// live at once (row D2).
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
            let Some(named) = named(context.model, link) else {
                continue;
            };
            // One version is one mistake, whoever calls it.
            if named.is_constant() && seen.insert(&named.version.logical_id) {
                let location = Location::of(caller, &[property]);
                found.push(named.finding(&caller.logical_id, location));
            }
        }
    }
    found
}

/// A version that is called, and the alias that it is called by.
struct CalledVersion<'a> {
    version: &'a Resource,
    alias: Option<&'a Resource>,
}

fn named<'a>(model: &'a Model, link: &FunctionLink) -> Option<CalledVersion<'a>> {
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
    /// Whether nothing that is made anew with every change of code makes the version anew.
    fn is_constant(&self) -> bool {
        let properties = &self.version.properties;
        let absent = |key: &str| properties.get(key).is_none_or(|it| *it == Resolved::Null);
        // What these say may be the code's own digest, or be written by a build.
        let same = absent("CodeSha256") && absent("Description");
        same && properties.as_map().is_some() && constant_id::is_constant(self.version)
    }

    fn finding(&self, caller: &LogicalId, location: Location) -> Finding {
        let id = &self.version.logical_id;
        let message = format!(
            "version {id} has the same logical id for ever, so that {caller} calls the code of the first day"
        );
        let finding = Finding::new(&RULE, Location::of(self.version, &[]), message)
            .related(location, "what is called")
            .hint("end its id in a digest of the function's code and configuration, or call the function itself");
        match self.alias {
            None => finding,
            Some(alias) => Finding {
                severity: Severity::Note,
                ..finding.related(
                    Location::of(alias, &["FunctionVersion"]),
                    "the alias that names it",
                )
            },
        }
    }
}
