//! Roles of IAM: simulation, and policies.

use std::collections::BTreeSet;

use stackgen_deploy::AccountResult;
use stackgen_diagnose::doctor::SimulatedRight;

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService, element_texts, texts};

const VERSION: &str = "2010-05-08";

impl Aws {
    /// Calls IAM, and returns its answer in XML.
    pub(crate) async fn ask_iam(
        &self,
        call: AwsCall,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> AccountResult<String> {
        let operation = iam_operation(call, parameters);
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request = SignedRequest::query(VERSION, action, &parameters);
        self.send_signed(SignedService::Iam, call, &operation, request)
            .await
    }

    /// Calls IAM. Returns the texts of all elements with a name.
    pub(crate) async fn call_iam(
        &self,
        call: AwsCall,
        action: &str,
        parameters: &[(&str, &str)],
        element: &str,
    ) -> AccountResult<Vec<String>> {
        let answer = self.ask_iam(call, action, parameters).await?;
        texts(&answer, element).ok_or_else(|| iam_operation(call, parameters).lacks("XML"))
    }

    pub(super) async fn simulate(
        &self,
        role: &str,
        action: &str,
        resource: &str,
    ) -> AccountResult<SimulatedRight> {
        let parameters = [
            ("PolicySourceArn", role),
            ("ActionNames.member.1", action),
            ("ResourceArns.member.1", resource),
        ];
        let call = AwsCall::SimulatePrincipalPolicy;
        let answer = self
            .ask_iam(call, "SimulatePrincipalPolicy", &parameters)
            .await?;
        let lacks = |what| iam_operation(call, &parameters).lacks(what);
        let document = roxmltree::Document::parse(&answer).map_err(|_| lacks("XML"))?;
        let mut decisions = element_texts(&document, "EvalDecision");
        let decision = decisions.next().ok_or_else(|| lacks("EvalDecision"))?;
        let mut nodes = document.descendants();
        // Keys of the request's context that a condition needs, and that the simulation was not given.
        let lacks_context = nodes.any(|node| {
            let mut members = node.children().filter(roxmltree::Node::is_element);
            node.tag_name().name() == "MissingContextValues" && members.next().is_some()
        });
        Ok(match decision {
            "allowed" => SimulatedRight::Allowed,
            "implicitDeny" if lacks_context => SimulatedRight::Conditional,
            _ => SimulatedRight::Denied,
        })
    }

    pub(super) async fn read_role_policies(&self, role: &str) -> AccountResult<Vec<String>> {
        let name = role.rsplit('/').next().unwrap_or(role);
        let mut documents = Vec::new();
        let role = [("RoleName", name)];
        let call = AwsCall::ListRolePolicies;
        for policy in self
            .call_iam(call, "ListRolePolicies", &role, "member")
            .await?
        {
            let parameters = [("RoleName", name), ("PolicyName", &policy)];
            let call = AwsCall::GetRolePolicy;
            let found = self
                .call_iam(call, "GetRolePolicy", &parameters, "PolicyDocument")
                .await?;
            documents.extend(found.iter().map(|text| decoded(text)));
        }
        let call = AwsCall::ListAttachedRolePolicies;
        let attached = self
            .call_iam(call, "ListAttachedRolePolicies", &role, "PolicyArn")
            .await?;
        let attached: BTreeSet<_> = attached.into_iter().collect();
        for arn in attached {
            let parameters = [("PolicyArn", arn.as_str())];
            let call = AwsCall::GetManagedPolicy;
            let versions = self
                .call_iam(call, "GetPolicy", &parameters, "DefaultVersionId")
                .await?;
            for version in versions {
                let parameters = [("PolicyArn", arn.as_str()), ("VersionId", version.as_str())];
                let call = AwsCall::GetPolicyVersion;
                let found = self
                    .call_iam(call, "GetPolicyVersion", &parameters, "Document")
                    .await?;
                documents.extend(found.iter().map(|text| decoded(text)));
            }
        }
        Ok(documents)
    }
}

fn iam_operation(call: AwsCall, parameters: &[(&str, &str)]) -> AwsOperation {
    AwsOperation::on(call, parameters.first().map_or("", |(_, value)| value))
}

/// Decodes a policy document, which IAM encodes for URLs.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}
