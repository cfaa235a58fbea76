//! Account and region of templates that are written for one account or region.

use std::collections::BTreeSet;

use stackgen_gateway_common::ArnScope;
use stackgen_model::{Link, Model, Piece, Pseudo, Text};

/// Stands for the stack's own account or region in a text.
const PSEUDO: &str = "<pseudo>";

/// Returns the account and the region that the ARNs of the template's own resources name literally, in place of those of
/// `default`. CDK writes such ARNs for a stack with a fixed environment. Parts that some ARNs leave to the stack, or that
/// differ, stay as they are.
pub fn template_scope(model: &Model, default: ArnScope) -> ArnScope {
    let (mut regions, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    for text in own_arns(model) {
        let text = written(text);
        for arn in text.split("arn:").skip(1) {
            let mut fields = arn.split(':').skip(2);
            let (Some(region), Some(account)) = (fields.next(), fields.next()) else {
                continue;
            };
            if region == PSEUDO || is_region(region) {
                regions.insert(region.to_owned());
            }
            if account == PSEUDO || is_account(account) {
                accounts.insert(account.to_owned());
            }
        }
    }
    let only = |values: BTreeSet<String>, default: String| match values.len() {
        1 => values
            .into_iter()
            .find(|value| value != PSEUDO)
            .unwrap_or(default),
        _ => default,
    };
    ArnScope {
        region: only(regions, default.region),
        account: only(accounts, default.account),
        partition: default.partition,
    }
}

/// Returns the ARNs of resources of the template: URIs of its functions, and ARNs of its APIs in permissions and policies.
fn own_arns(model: &Model) -> impl Iterator<Item = &Text> {
    let of_function = |(link, uri)| matches!(link, &Link::To(_)).then_some(uri).flatten();
    let integrations = model.apis.iter().flat_map(|api| &api.integrations);
    let integrations = integrations.map(|it| (&it.function.function, it.uri.as_ref()));
    let authorizers = model.apis.iter().flat_map(|api| &api.authorizers);
    let authorizers = authorizers.map(|it| (&it.function.function, it.uri.as_ref()));
    let permissions = model.permissions.iter();
    let sources = permissions.filter_map(|it| it.source_arn.as_ref());
    let grants = model.roles.iter().flat_map(|role| &role.grants);
    let resources = grants.flat_map(|grant| &grant.resources);
    let of_api = |text: &&Text| {
        let mut references = text.references();
        references.any(|it| {
            let resource = model.resource(&it.logical_id);
            resource.is_some_and(|resource| resource.kind == "AWS::ApiGatewayV2::Api")
        })
    };
    let uris = integrations.chain(authorizers).filter_map(of_function);
    uris.chain(sources.chain(resources).filter(of_api))
}

/// Returns a text with placeholders for everything that is not literal.
fn written(text: &Text) -> String {
    let pieces = text.pieces().iter().map(|piece| match piece {
        Piece::Literal(literal) => literal.as_str(),
        Piece::Pseudo(Pseudo::Region | Pseudo::AccountId) => PSEUDO,
        _ => "<other>",
    });
    pieces.collect()
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Matches `eu-central-1` and `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let Some((location, number)) = text.rsplit_once('-') else {
        return false;
    };
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_lowercase());
    number.parse::<u8>().is_ok() && location.contains('-') && location.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use stackgen_cfn::Sources;
    use stackgen_model::Inputs;

    use super::*;

    /// Returns region and account for a template whose integration and permission have these parts in their ARNs.
    fn scope(uri: &str, permission: &str) -> (String, String) {
        let text = format!(
            "
Resources:
  Api: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ Name: a, ProtocolType: WEBSOCKET }} }}
  Function: {{ Type: AWS::Lambda::Function }}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub 'arn:aws:apigateway:{uri}:lambda:path/2015-03-31/functions/${{Function.Arn}}/invocations'
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Function
      Action: lambda:InvokeFunction
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub 'arn:aws:execute-api:{permission}:${{Api}}/*'
"
        );
        let mut sources = Sources::new();
        let node = stackgen_cfn::parse(sources.add("t.yaml", text.as_str())).expect("a template");
        let model = Model::from_template(&node, &Inputs::none());
        let scope = template_scope(&model, ArnScope::default());
        (scope.region, scope.account)
    }

    #[test]
    fn literal_parts_of_own_arns_are_the_accounts() {
        let default = ArnScope::default();
        let (region, account) = (default.region.as_str(), default.account.as_str());
        for (uri, permission, expected) in [
            (
                "eu-west-1",
                "eu-west-1:111122223333",
                ("eu-west-1", "111122223333"),
            ),
            (
                "${AWS::Region}",
                "${AWS::Region}:111122223333",
                (region, "111122223333"),
            ),
            (
                "${AWS::Region}",
                "${AWS::Region}:${AWS::AccountId}",
                (region, account),
            ),
            // Where the template leaves a part to the stack elsewhere, or contradicts itself, a mistake must show.
            (
                "eu-west-1",
                "${AWS::Region}:${AWS::AccountId}",
                (region, account),
            ),
            (
                "eu-west-1",
                "eu-west-2:111122223333",
                (region, "111122223333"),
            ),
            ("eu-west-1", "*:*", ("eu-west-1", account)),
        ] {
            let (region, account) = scope(uri, permission);
            assert_eq!(
                (region.as_str(), account.as_str()),
                expected,
                "{uri} {permission}"
            );
        }
    }
}
