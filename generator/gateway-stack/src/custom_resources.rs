//! Custom resources, which do not run, and the functions that exist only for them.

use std::collections::BTreeSet;

use stackgen_model::{LogicalId, Model};

use super::desired::refers_to_any;

/// Returns true for the types of custom resources.
pub(super) fn is_custom(kind: &str) -> bool {
    kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

/// Returns the functions that custom resources name as their providers and that no API calls.
pub(super) fn functions(model: &Model) -> BTreeSet<&LogicalId> {
    let resources = model.resources.values();
    let custom = resources.filter(|resource| is_custom(&resource.kind));
    let tokens = custom.filter_map(|resource| resource.properties.text("ServiceToken"));
    let providers: BTreeSet<LogicalId> = tokens
        .filter_map(|token| Some(token.as_reference()?.logical_id.clone()))
        .collect();
    let functions = model.functions.iter();
    functions
        .map(|function| &function.resource.logical_id)
        .filter(|id| providers.contains(*id))
        .filter(|id| {
            let mut resources = model.resources.values();
            !resources.any(|resource| {
                resource.kind.starts_with("AWS::ApiGatewayV2::")
                    && refers_to_any(resource, std::slice::from_ref(*id))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use stackgen_cfn::Sources;
    use stackgen_model::Inputs;

    use super::*;

    #[test]
    fn functions_are_of_custom_resources_if_no_api_calls_them() {
        let text = "
Resources:
  Provider: { Type: AWS::Lambda::Function }
  Both: { Type: AWS::Lambda::Function }
  Other: { Type: AWS::Lambda::Function }
  One: { Type: Custom::One, Properties: { ServiceToken: !GetAtt Provider.Arn } }
  Two: { Type: AWS::CloudFormation::CustomResource, Properties: { ServiceToken: !GetAtt Both.Arn, Of: !Ref Other } }
  Far: { Type: Custom::Far, Properties: { ServiceToken: 'arn:aws:lambda:us-east-1:111122223333:function:far' } }
  Integration: { Type: AWS::ApiGatewayV2::Integration, Properties: { IntegrationUri: !GetAtt Both.Arn } }
";
        let mut sources = Sources::new();
        let node = stackgen_cfn::parse(sources.add("t.yaml", text)).expect("a template");
        let model = Model::from_template(&node, &Inputs::none());
        let found: Vec<_> = functions(&model)
            .into_iter()
            .map(LogicalId::as_str)
            .collect();
        assert_eq!(found, ["Provider"]);
    }
}
