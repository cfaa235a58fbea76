//! Decides which resources of a policy match connections of an API (rows K1 to K3).

use std::collections::HashMap;

use stackgen_model::{Api, LogicalId, Model, Piece, Pseudo, Text};

use crate::facts::Facts;
use crate::facts::arn::{self, Match};
use crate::facts::endpoints;
use crate::facts::function_roles;
use crate::facts::policies::RoleStatement;

/// Action for posting to connections, reading their state and closing them (row K1).
pub(crate) const MANAGE_CONNECTIONS: &str = "execute-api:ManageConnections";

/// Name of every connection in the ARNs that IAM evaluates. The braces are part of it: API Gateway does not put the
/// connection's ID there (row K1).
pub(crate) const ANY_CONNECTION: &str = "{connectionId}";

/// Maximum number of stages per API that are compared. API Gateway allows ten (row L6).
const MAX_STAGES: usize = 16;

/// Returns true if a statement names the action, and not only all actions of all services.
pub(crate) fn allows_managing(statement: &RoleStatement<'_>) -> bool {
    statement.actions().any(|action| {
        action.as_literal() != Some("*")
            && function_roles::matches_action(&action, MANAGE_CONNECTIONS) == Match::Yes
    })
}

/// ARNs of the connections of the template's WebSocket APIs, as far as they are known.
pub(crate) struct ConnectionArns<'a> {
    model: &'a Model,
    of_api: HashMap<&'a LogicalId, Vec<Text>>,
}

impl<'a> ConnectionArns<'a> {
    pub(crate) fn of(facts: &Facts<'a>) -> ConnectionArns<'a> {
        let arns = |api: &'a Api| {
            let id = api.id.to()?;
            let stages = stage_names(facts, api).unwrap_or_else(|| vec![Text::from(UNKNOWN_WORD)]);
            let paths = stages.into_iter().flat_map(paths);
            Some((id, paths.map(|path| arn::execute_api(id, path)).collect()))
        };
        ConnectionArns {
            model: facts.model,
            of_api: facts.websockets().filter_map(arns).collect(),
        }
    }

    /// Compares a resource of a statement with the connections of an API.
    pub(crate) fn matches_api(&self, pattern: &Text, api: &LogicalId) -> Match {
        let arns = self.of_api.get(api).map(Vec::as_slice).unwrap_or_default();
        let all = arns
            .iter()
            .map(|arn| arn::matches(self.model, pattern, arn));
        best(all)
    }

    /// Returns the API whose connections the pattern would match with another stage name.
    pub(crate) fn api_without_stage(&self, pattern: &Text) -> Option<&'a LogicalId> {
        let reaches = |api: &LogicalId| {
            let mut arns = paths(Text::from(UNKNOWN_WORD)).map(|path| arn::execute_api(api, path));
            arns.any(|arn| arn::matches(self.model, pattern, &arn) != Match::No)
        };
        let ids = pattern.references().map(|reference| &reference.logical_id);
        let mut named = ids.filter_map(|id| self.of_api.get_key_value(id));
        named.find_map(|(&id, _)| reaches(id).then_some(id))
    }

    /// Compares a resource of a statement with the connections of the APIs that it names, or of any API.
    pub(crate) fn matches_any(&self, pattern: &Text) -> Match {
        let ids = pattern.references().map(|reference| &reference.logical_id);
        let mut named = ids.filter(|id| self.of_api.contains_key(*id)).peekable();
        if named.peek().is_some() {
            return best(named.map(|api| self.matches_api(pattern, api)));
        }
        if names_other_api(self.model, pattern) {
            return Match::No;
        }
        let anywhere =
            paths(Text::from(UNKNOWN_WORD)).map(|path| arn::execute_api_of(UNKNOWN_WORD, path));
        best(anywhere.map(|arn| arn::matches(self.model, pattern, &arn)))
    }
}

/// Returns true if an ARN names an API of the template without connections.
pub(crate) fn names_other_api(model: &Model, arn: &Text) -> bool {
    let mut references = arn.references();
    references.any(|reference| {
        reference.attribute.is_none()
            && endpoints::other_api(model, &reference.logical_id).is_some()
    })
}

/// Stands for an unknown word.
const UNKNOWN_WORD: Piece = Piece::Pseudo(Pseudo::StackName);

/// Returns the names of an API's stages, if the template shows all of them.
pub(crate) fn stage_names(facts: &Facts<'_>, api: &Api) -> Option<Vec<Text>> {
    let of_stages = api.stages.iter().map(|stage| stage.name.clone());
    let of_deployments = api.deployments.iter().map(|it| it.stage_name.clone());
    let of_deployments = of_deployments.filter(Option::is_some);
    let names: Option<Vec<_>> = of_stages.chain(of_deployments).collect();
    let known = |names: &Vec<Text>| {
        facts.is_complete(api) && !names.is_empty() && names.len() <= MAX_STAGES
    };
    names.filter(known)
}

fn paths(stage: Text) -> impl Iterator<Item = Text> {
    let methods = ["POST", "GET", "DELETE"].into_iter();
    methods.map(move |method| {
        let mut path = stage.clone();
        path.push(Piece::Literal(format!(
            "/{method}/@connections/{ANY_CONNECTION}"
        )));
        path
    })
}

fn best(all: impl Iterator<Item = Match>) -> Match {
    let rank = |found: &Match| match found {
        Match::Yes => 2,
        Match::Unknown => 1,
        Match::No => 0,
    };
    all.max_by_key(rank).unwrap_or(Match::No)
}

/// Returns the ARN for an API's connections and a method, as templates write it.
pub(crate) fn suggested_arn(facts: &Facts<'_>, api: &Api, method: &str) -> Option<String> {
    let stage = match stage_names(facts, api)?.as_slice() {
        [stage] => stage.clone(),
        _ => Text::literal("*"),
    };
    let mut path = stage;
    path.push(Piece::Literal(format!("/{method}/@connections/*")));
    Some(arn::execute_api(api.id.to()?, path).to_string())
}
