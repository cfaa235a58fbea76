//! Mistakes in posting to connections.

use serde_json::{Value, json};

use crate::template::Template;
use crate::{Mistake, mistake};

pub const MISTAKES: &[Mistake] = &[
    mistake(
        "ManageConnections is granted to nobody",
        "manage-connections-missing",
        &[|it| {
            if !it.0.to_string().contains("MANAGEMENT_ENDPOINT") {
                let api = it.api();
                endpoint(
                    it,
                    json!({ "Fn::Sub": format!("https://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/prod") }),
                )?;
            }
            it.remove_action("execute-api:ManageConnections")
                .then_some(())
        }],
    ),
    mistake(
        "ManageConnections on everything",
        "manage-connections-account-wide",
        &[|it| manage(it, json!("*"))],
    ),
    mistake(
        "ManageConnections without a stage and a method",
        "manage-connections-matches-nothing",
        &[|it| {
            let api = it.api();
            let arn = format!(
                "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{api}}}/@connections/*"
            );
            manage(it, json!({ "Fn::Sub": arn }))
        }],
    ),
    mistake(
        "execute-api:Invoke on connections",
        "wrong-action-for-connections",
        &[|it| {
            let statement = it.statements("execute-api:ManageConnections").pop()?;
            statement["Action"] = json!("execute-api:Invoke");
            Some(())
        }],
    ),
    mistake(
        "wss:// as the management endpoint",
        "management-endpoint-wss",
        &[|it| {
            let api = it.api();
            endpoint(
                it,
                json!({ "Fn::Sub": format!("wss://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/prod") }),
            )
        }],
    ),
    mistake(
        "ApiEndpoint as the management endpoint",
        "management-endpoint-wss",
        &[|it| {
            let api = it.api();
            endpoint(it, json!({ "Fn::GetAtt": [api, "ApiEndpoint"] }))
        }],
    ),
    mistake(
        "a management endpoint without a stage",
        "management-endpoint-without-stage",
        &[|it| {
            let api = it.api();
            endpoint(
                it,
                json!({ "Fn::Sub": format!("https://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}") }),
            )
        }],
    ),
    mistake(
        "a management endpoint of a stage that is not there",
        "endpoint-of-no-stage",
        &[|it| {
            let api = it.api();
            endpoint(
                it,
                json!({ "Fn::Sub": format!("https://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/production") }),
            )
        }],
    ),
    mistake(
        "an API's id written into the management endpoint",
        "hard-coded-api-id",
        &[|it| {
            endpoint(
                it,
                json!({ "Fn::Sub": "https://a1b2c3d4e5.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod" }),
            )
        }],
    ),
    mistake(
        "the HTTP API as the management endpoint",
        "management-endpoint-of-another-api",
        &[|it| {
            it.put(
                "Other",
                "AWS::ApiGatewayV2::Api",
                json!({ "Name": "other", "ProtocolType": "HTTP" }),
            );
            endpoint(
                it,
                json!({ "Fn::Sub": "https://${Other}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod" }),
            )
        }],
    ),
];

fn manage(it: &mut Template, resource: Value) -> Option<()> {
    it.statements("execute-api:ManageConnections").pop()?["Resource"] = resource;
    Some(())
}

fn endpoint(it: &mut Template, value: Value) -> Option<()> {
    let function = it.connect_function()?;
    it.set_variable(&function, "MANAGEMENT_ENDPOINT", value);
    Some(())
}
