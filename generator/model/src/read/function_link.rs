//! Links to functions from ARNs, names and invocation URIs.

use std::sync::Arc;

use super::Reader;
use crate::resource::Resource;
use crate::{
    FunctionLink, Link, LogicalId, Piece, Pseudo, Qualifier, Text, Unknown, UnknownReason,
};

pub(super) const ALIAS: &str = "AWS::Lambda::Alias";
pub(super) const FUNCTION: &str = "AWS::Lambda::Function";

impl Reader<'_> {
    /// Returns the function of `arn:…:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations`. Any
    /// other URI names no function.
    pub(super) fn invoked(&self, uri: Option<&Text>) -> FunctionLink {
        let Some(uri) = uri else {
            return FunctionLink::default();
        };
        match invocation_path(uri) {
            Some(after) => match after.strip_suffix("/invocations") {
                Some(function) => self.function(&function),
                None => link(Link::elsewhere(Some(after))),
            },
            None => match self.function(uri) {
                // HTTP APIs accept the bare ARN of a function.
                found @ FunctionLink {
                    function: Link::To(_) | Link::Unknown(_),
                    ..
                } => found,
                _ => FunctionLink::default(),
            },
        }
    }

    /// Returns the function that an ARN or a name refers to, with its qualifier.
    pub(super) fn function(&self, text: &Text) -> FunctionLink {
        if let [Piece::Reference(first), rest @ ..] = text.pieces()
            && let Some(resource) = self.resources.get(&first.logical_id)
        {
            let found = self.referenced_function(resource, first.attribute.as_deref());
            if let Some(found) = found {
                return self.qualified(found, rest.iter().cloned().collect());
            }
        }
        if let Some((before, name)) = text.split_once(":function:") {
            return self.function_of_arn(text, &before, name);
        }
        if text.as_literal().is_some_and(|name| !name.contains('/')) {
            return self.named(text, text.clone());
        }
        link(Link::elsewhere(Some(text.clone())))
    }

    fn referenced_function(
        &self,
        resource: &Arc<Resource>,
        attribute: Option<&str>,
    ) -> Option<FunctionLink> {
        let id = resource.logical_id.clone();
        match (resource.kind.as_str(), attribute) {
            (FUNCTION, None | Some("Arn")) => Some(link(Link::To(id))),
            ("AWS::Lambda::Version", None) => {
                Some(self.version_or_alias(resource, Qualifier::Version(id)))
            }
            (ALIAS, None) => Some(self.version_or_alias(resource, Qualifier::Alias(id))),
            _ => None,
        }
    }

    /// Returns the function of a version or an alias. It must be a function itself: a version of a version is not one.
    fn version_or_alias(&self, resource: &Resource, qualifier: Qualifier) -> FunctionLink {
        let name = resource.properties.text("FunctionName");
        let function = name.as_ref().and_then(|name| {
            let first = name.references().next()?;
            let resource = self.resources.get(&first.logical_id)?;
            (resource.kind == FUNCTION).then(|| Link::To(resource.logical_id.clone()))
        });
        let by_name = || match name.as_ref().filter(|name| name.as_literal().is_some()) {
            Some(literal) => self.function(literal).function,
            None => Link::elsewhere(name.clone()),
        };
        FunctionLink {
            function: function.unwrap_or_else(by_name),
            qualifier: Some(qualifier),
        }
    }

    /// Resolves `function:{name}[:{qualifier}]` of an ARN. The name is a function of this template only if account and
    /// region are those of this stack.
    fn function_of_arn(&self, whole: &Text, before: &Text, name: Text) -> FunctionLink {
        if let [Piece::Reference(first), rest @ ..] = name.pieces()
            && let Some(resource) = self.resources.get(&first.logical_id)
            && resource.kind == FUNCTION
            && first.attribute.is_none()
        {
            return self.qualified(
                link(Link::To(resource.logical_id.clone())),
                rest.iter().cloned().collect(),
            );
        }
        if has_stage_variable(whole) {
            let reason = UnknownReason::StageVariable;
            let unknown = Unknown::new(reason, stackgen_cfn::Span::default(), whole.to_string());
            return link(Link::Unknown(unknown));
        }
        if self.is_here(before) {
            return self.named(whole, name);
        }
        link(Link::elsewhere(Some(whole.clone())))
    }

    /// True if `arn:{partition}:lambda:{region}:{account}` names the account and region of this stack.
    fn is_here(&self, arn: &Text) -> bool {
        let own = |pseudo: Pseudo| match self.inputs.pseudo(pseudo) {
            Some(value) => value.to_owned(),
            None => format!("${{{}}}", pseudo.name()),
        };
        let end = format!(":lambda:{}:{}", own(Pseudo::Region), own(Pseudo::AccountId));
        arn.to_string().ends_with(&end)
    }

    /// Returns the link to a function by its name, in this template or outside of it.
    fn named(&self, whole: &Text, name: Text) -> FunctionLink {
        let (name, qualifier) = match name.split_once(":") {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (name, None),
        };
        let named = |resource: &&&Arc<Resource>| {
            resource
                .properties
                .text("FunctionName")
                .is_some_and(|own| own == name && own.unknown().is_none())
        };
        match self.index.functions(&name).iter().find(named) {
            Some(resource) => FunctionLink {
                function: Link::To(resource.logical_id.clone()),
                qualifier: qualifier.map(Qualifier::Named),
            },
            None => link(Link::elsewhere(Some(whole.clone()))),
        }
    }

    /// Adds the qualifier from the rest of a text: nothing, or `:qualifier`.
    fn qualified(&self, found: FunctionLink, rest: Text) -> FunctionLink {
        if rest == Text::new() {
            return found;
        }
        let Some(text) = rest.strip_prefix(":") else {
            return link(Link::elsewhere(Some(rest)));
        };
        if has_stage_variable(&text) {
            let reason = UnknownReason::StageVariable;
            let unknown = Unknown::new(reason, stackgen_cfn::Span::default(), text.to_string());
            return link(Link::Unknown(unknown));
        }
        let version = self.referenced(&text, "AWS::Lambda::Version", Some("Version"));
        let qualifier = match version {
            Some(version) => Qualifier::Version(version.logical_id.clone()),
            None => match found
                .function
                .to()
                .and_then(|function| self.alias_named(function, &text))
            {
                Some(alias) => Qualifier::Alias(alias),
                None => Qualifier::Named(text),
            },
        };
        FunctionLink {
            qualifier: Some(qualifier),
            ..found
        }
    }

    fn alias_named(&self, function: &LogicalId, name: &Text) -> Option<LogicalId> {
        let of_function = |alias: &&&Arc<Resource>| {
            let of = alias.properties.text("FunctionName");
            let of = of.as_ref().and_then(|of| of.references().next());
            of.is_some_and(|of| of.logical_id == *function)
                && alias.properties.text("Name").as_ref() == Some(name)
        };
        let mut aliases = self.index.aliases(function, name).iter();
        let alias = aliases.find(of_function)?;
        Some(alias.logical_id.clone())
    }
}

/// Returns the text after `:lambda:path/2015-03-31/functions/`. A second slash after `path`, as in AWS's examples, is
/// equivalent.
fn invocation_path(uri: &Text) -> Option<Text> {
    let (_, path) = uri.split_once(":lambda:path/")?;
    let path = path.strip_prefix("/").unwrap_or(path);
    path.strip_prefix("2015-03-31/functions/")
}

fn link(function: Link) -> FunctionLink {
    FunctionLink {
        function,
        qualifier: None,
    }
}

fn has_stage_variable(text: &Text) -> bool {
    let literals = text.pieces().iter();
    literals
        .filter_map(|piece| match piece {
            Piece::Literal(text) => Some(text),
            _ => None,
        })
        .any(|text| text.contains("${stageVariables."))
}
