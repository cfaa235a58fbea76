//! Attributes that AWS computes: references to the resource in the template.
//!
//! In the patterns, `{ref}` is `Ref`, `{Name}` is `Fn::GetAtt` of that attribute, `{AWS::Region}` a pseudo parameter and
//! `{.name}` an attribute of the configuration.

use std::collections::BTreeMap;

use super::random;
use super::{Evaluator, ResourceInstance};
use crate::functions::known;
use crate::template_types::is_in_template;
use crate::token::TokenMeaning;
use crate::value::HclValue;

/// Computed attributes of a type.
struct ComputedAttributes {
    kind: &'static str,
    /// Attribute of the configuration that is equal to `Ref`.
    name: &'static str,
    attributes: &'static [(&'static str, &'static str)],
}

const fn of(
    kind: &'static str,
    name: &'static str,
    attributes: &'static [(&'static str, &'static str)],
) -> ComputedAttributes {
    ComputedAttributes {
        kind,
        name,
        attributes,
    }
}

const INVOKE: &str = "arn:{AWS::Partition}:apigateway:{AWS::Region}:lambda:path/2015-03-31/functions/{Arn}/invocations";
const INVOKE_REF: &str = "arn:{AWS::Partition}:apigateway:{AWS::Region}:lambda:path/2015-03-31/functions/{ref}/invocations";

/// All types with computed attributes. Other types have `id`, which is `Ref`.
const TYPES: &[ComputedAttributes] = &[
    of(
        "aws_apigatewayv2_api",
        "",
        &[
            ("id", "{ref}"),
            (
                "arn",
                "arn:{AWS::Partition}:apigateway:{AWS::Region}::/apis/{ref}",
            ),
            (
                "execution_arn",
                "arn:{AWS::Partition}:execute-api:{AWS::Region}:{AWS::AccountId}:{ref}",
            ),
        ],
    ),
    of("aws_apigatewayv2_api_mapping", "", &[("id", "{ref}")]),
    of("aws_apigatewayv2_authorizer", "", &[("id", "{ref}")]),
    of("aws_apigatewayv2_deployment", "", &[("id", "{ref}")]),
    of(
        "aws_apigatewayv2_domain_name",
        "domain_name",
        &[("id", "{ref}"), ("domain_name", "{ref}")],
    ),
    of("aws_apigatewayv2_integration", "", &[("id", "{ref}")]),
    of(
        "aws_apigatewayv2_integration_response",
        "",
        &[("id", "{ref}")],
    ),
    of("aws_apigatewayv2_model", "", &[("id", "{ref}")]),
    of("aws_apigatewayv2_route", "", &[("id", "{ref}")]),
    of("aws_apigatewayv2_route_response", "", &[("id", "{ref}")]),
    of(
        "aws_apigatewayv2_stage",
        "name",
        &[("id", "{ref}"), ("name", "{ref}")],
    ),
    of(
        "aws_cloudwatch_event_bus",
        "name",
        &[("id", "{ref}"), ("name", "{ref}"), ("arn", "{Arn}")],
    ),
    of(
        "aws_cloudwatch_event_rule",
        "name",
        &[("id", "{ref}"), ("name", "{ref}"), ("arn", "{Arn}")],
    ),
    of(
        "aws_cloudwatch_log_group",
        "name",
        &[
            ("id", "{ref}"),
            ("name", "{ref}"),
            (
                "arn",
                "arn:{AWS::Partition}:logs:{AWS::Region}:{AWS::AccountId}:log-group:{ref}",
            ),
        ],
    ),
    of(
        "aws_cognito_user_pool",
        "",
        &[
            ("id", "{ref}"),
            ("arn", "{Arn}"),
            ("endpoint", "{ProviderName}"),
        ],
    ),
    of("aws_cognito_user_pool_client", "", &[("id", "{ref}")]),
    of(
        "aws_dynamodb_table",
        "name",
        &[
            ("id", "{ref}"),
            ("name", "{ref}"),
            ("arn", "{Arn}"),
            ("stream_arn", "{StreamArn}"),
        ],
    ),
    of("aws_iam_policy", "", &[("id", "{ref}"), ("arn", "{ref}")]),
    of(
        "aws_iam_role",
        "name",
        &[
            ("id", "{ref}"),
            ("name", "{ref}"),
            ("arn", "{Arn}"),
            ("unique_id", "{RoleId}"),
        ],
    ),
    of(
        "aws_kinesis_stream",
        "name",
        &[("id", "{Arn}"), ("name", "{ref}"), ("arn", "{Arn}")],
    ),
    of(
        "aws_lambda_alias",
        "",
        &[
            ("id", "{ref}"),
            ("arn", "{ref}"),
            ("invoke_arn", INVOKE_REF),
        ],
    ),
    of(
        "aws_lambda_function",
        "function_name",
        &[
            ("id", "{ref}"),
            ("function_name", "{ref}"),
            ("arn", "{Arn}"),
            ("invoke_arn", INVOKE),
        ],
    ),
    of(
        "aws_lambda_layer_version",
        "",
        &[("id", "{ref}"), ("arn", "{ref}"), ("layer_arn", "{ref}")],
    ),
    of(
        "aws_s3_bucket",
        "bucket",
        &[
            ("id", "{ref}"),
            ("bucket", "{ref}"),
            ("arn", "{Arn}"),
            ("bucket_domain_name", "{DomainName}"),
            ("bucket_regional_domain_name", "{RegionalDomainName}"),
        ],
    ),
    of(
        "aws_secretsmanager_secret",
        "",
        &[("id", "{ref}"), ("arn", "{ref}")],
    ),
    of(
        "aws_sfn_state_machine",
        "",
        &[("id", "{ref}"), ("arn", "{ref}")],
    ),
    of(
        "aws_sns_topic",
        "",
        &[("id", "{ref}"), ("arn", "{ref}"), ("name", "{TopicName}")],
    ),
    of(
        "aws_sqs_queue",
        "",
        &[
            ("id", "{ref}"),
            ("url", "{ref}"),
            ("arn", "{Arn}"),
            ("name", "{QueueName}"),
        ],
    ),
    of(
        "aws_ssm_parameter",
        "name",
        &[("id", "{ref}"), ("name", "{ref}")],
    ),
];

impl Evaluator<'_> {
    /// Returns the attributes of a resource that the configuration does not set.
    pub(super) fn computed_attributes(
        &self,
        instance: &ResourceInstance,
    ) -> BTreeMap<String, HclValue> {
        if let Some(random) = random::attributes(instance) {
            return random
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
        }
        if matches!(instance.kind.as_str(), "terraform_data" | "null_resource") {
            let input = instance.attributes.get("input").cloned();
            return input
                .into_iter()
                .map(|input| ("output".to_owned(), input))
                .collect();
        }
        let computed = TYPES.iter().find(|one| one.kind == instance.kind);
        let Some(computed) = computed else {
            if !is_in_template(&instance.kind) {
                return BTreeMap::new();
            }
            let id = self.tokens.reference(&instance.address, None, None);
            return BTreeMap::from([("id".to_owned(), HclValue::Text(id))]);
        };
        let entries = computed.attributes.iter().map(|(attribute, pattern)| {
            let text = self.pattern(instance, computed.name, pattern);
            ((*attribute).to_owned(), HclValue::Text(text))
        });
        let mut entries: BTreeMap<_, _> = entries.collect();
        entries.extend(self.special_attributes(instance));
        entries
    }

    /// Returns attributes that depend on others of the configuration.
    fn special_attributes(&self, instance: &ResourceInstance) -> Vec<(String, HclValue)> {
        let own_name = |attribute: &str| {
            let text = self.named_text(instance, "name")?;
            let token = self
                .tokens
                .reference(&instance.address, Some(attribute), Some(text));
            Some(("name".to_owned(), HclValue::Text(token)))
        };
        match instance.kind.as_str() {
            "aws_sqs_queue" => own_name("QueueName").into_iter().collect(),
            "aws_sns_topic" => own_name("TopicName").into_iter().collect(),
            "aws_apigatewayv2_api" => {
                vec![("api_endpoint".to_owned(), self.api_endpoint(instance))]
            }
            "aws_apigatewayv2_stage" => self.stage_attributes(instance),
            "aws_lambda_function" => self.version_attributes(instance),
            "aws_ssm_parameter" => vec![("arn".to_owned(), self.parameter_arn(instance))],
            _ => Vec::new(),
        }
    }

    fn parameter_arn(&self, parameter: &ResourceInstance) -> HclValue {
        const BEFORE: &str = "arn:{AWS::Partition}:ssm:{AWS::Region}:{AWS::AccountId}:parameter";
        let literal = self.named_text(parameter, "name");
        let slash = match literal.is_some_and(|name| name.starts_with('/')) {
            true => "",
            false => "/",
        };
        let before = self.pattern(parameter, "", BEFORE);
        let name = self.pattern(parameter, "name", "{ref}");
        HclValue::Text(format!("{before}{slash}{name}"))
    }

    /// Returns the text of an attribute of the configuration, as far as it is known.
    fn named_text(&self, instance: &ResourceInstance, name: &str) -> Option<String> {
        let value = instance.attributes.get(name)?;
        known(&self.tokens, value).as_text().map(str::to_owned)
    }

    fn pattern(&self, instance: &ResourceInstance, name: &str, pattern: &str) -> String {
        let (mut text, mut rest) = (String::new(), pattern);
        while let Some((literal, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(literal);
            text.push_str(&match word {
                "ref" => {
                    self.tokens
                        .reference(&instance.address, None, self.named_text(instance, name))
                }
                "AWS::AccountId" => self.tokens.pseudo("AWS::AccountId"),
                "AWS::Partition" => self.tokens.pseudo("AWS::Partition"),
                "AWS::Region" => self.tokens.pseudo("AWS::Region"),
                "AWS::URLSuffix" => self.tokens.pseudo("AWS::URLSuffix"),
                attribute => {
                    let equal = self.arn(instance, name, attribute);
                    self.tokens
                        .reference(&instance.address, Some(attribute), equal)
                }
            });
            rest = after;
        }
        text + rest
    }

    /// Returns the text of an ARN attribute, for functions that take it apart.
    fn arn(&self, instance: &ResourceInstance, name: &str, attribute: &str) -> Option<String> {
        if attribute != "Arn" {
            return None;
        }
        let own = match name {
            "" => self.named_text(instance, "name")?,
            name => self
                .tokens
                .reference(&instance.address, None, self.named_text(instance, name)),
        };
        let path = match instance.kind.as_str() {
            "aws_lambda_function" => "lambda:{AWS::Region}:{AWS::AccountId}:function:",
            "aws_dynamodb_table" => "dynamodb:{AWS::Region}:{AWS::AccountId}:table/",
            "aws_sqs_queue" => "sqs:{AWS::Region}:{AWS::AccountId}:",
            "aws_iam_role" => "iam::{AWS::AccountId}:role/",
            "aws_s3_bucket" => "s3:::",
            "aws_kinesis_stream" => "kinesis:{AWS::Region}:{AWS::AccountId}:stream/",
            _ => return None,
        };
        let before = self.pattern(instance, "", &format!("arn:{{AWS::Partition}}:{path}"));
        Some(before + &own)
    }

    fn api_endpoint(&self, instance: &ResourceInstance) -> HclValue {
        let is_websocket = self
            .named_text(instance, "protocol_type")
            .is_some_and(|it| it == "WEBSOCKET");
        let scheme = if is_websocket { "wss" } else { "https" };
        let host = self.pattern(
            instance,
            "",
            "{ref}.execute-api.{AWS::Region}.{AWS::URLSuffix}",
        );
        HclValue::Text(format!("{scheme}://{host}"))
    }

    fn stage_attributes(&self, stage: &ResourceInstance) -> Vec<(String, HclValue)> {
        let Some(api) = stage
            .attributes
            .get("api_id")
            .and_then(|api| api.to_text().ok())
        else {
            return Vec::new();
        };
        let meaning = api
            .chars()
            .next()
            .and_then(|token| self.tokens.meaning(token));
        let protocol = match meaning {
            Some(TokenMeaning::Reference {
                id,
                attribute: None,
            }) => self.protocol_of(&id),
            _ => None,
        };
        let is_websocket = protocol.is_none_or(|protocol| protocol == "WEBSOCKET");
        let name = self.pattern(stage, "name", "{ref}");
        let host = self.pattern(stage, "", ".execute-api.{AWS::Region}.{AWS::URLSuffix}/");
        let url = match is_websocket {
            true => format!("wss://{api}{host}{name}"),
            false
                if self
                    .named_text(stage, "name")
                    .is_some_and(|name| name == "$default") =>
            {
                format!("https://{api}{host}")
            }
            false => format!("https://{api}{host}{name}"),
        };
        let arn = self.pattern(
            stage,
            "",
            "arn:{AWS::Partition}:execute-api:{AWS::Region}:{AWS::AccountId}:",
        );
        let entries = [
            ("invoke_url", url),
            ("execution_arn", format!("{arn}{api}/{name}")),
        ];
        entries
            .map(|(name, text)| (name.to_owned(), HclValue::Text(text)))
            .to_vec()
    }

    /// Returns the protocol of an API, by its address.
    fn protocol_of(&self, address: &str) -> Option<String> {
        let instances = self.instances.borrow();
        let all = instances.values().flat_map(super::Repetition::instances);
        let api = all.into_iter().find(|one| one.address == address)?;
        self.named_text(&api, "protocol_type")
    }

    /// Returns the attributes of a function's published version, or of `$LATEST`.
    fn version_attributes(&self, function: &ResourceInstance) -> Vec<(String, HclValue)> {
        let is_published = function
            .attributes
            .get("publish")
            .and_then(HclValue::as_bool)
            == Some(true);
        let arn = self.pattern(function, "function_name", "{Arn}");
        let (version, qualified) = match is_published {
            false => ("$LATEST".to_owned(), format!("{arn}:$LATEST")),
            true => {
                let id = version_id(&function.address);
                (
                    self.tokens.reference(&id, Some("Version"), None),
                    self.tokens.reference(&id, None, None),
                )
            }
        };
        let before = self.pattern(
            function,
            "",
            "arn:{AWS::Partition}:apigateway:{AWS::Region}:lambda:path/2015-03-31/functions/",
        );
        let invoke = format!("{before}{qualified}/invocations");
        let entries = [
            ("version", version),
            ("qualified_arn", qualified),
            ("qualified_invoke_arn", invoke),
        ];
        entries
            .map(|(name, text)| (name.to_owned(), HclValue::Text(text)))
            .to_vec()
    }
}

/// Returns the logical ID of the version that a function with `publish = true` has.
pub(crate) fn version_id(address: &str) -> String {
    format!("{address}.version")
}
