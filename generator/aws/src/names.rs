//! Names of resources that exist.

use aws_sdk_apigatewayv2::types::ApiMapping;
use serde_json::{Value, json};
use stackgen_deploy::stack::NameReader;
use stackgen_deploy::stack::names::FixedName;
use stackgen_deploy::{Account as _, AccountErrorKind, AccountResult, ApiId};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::pages::pages;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService, encoded, texts};

const CLOUD_WATCH: &str = "2010-08-01";

impl NameReader for Aws {
    async fn is_taken(&self, name: &FixedName, own: &[&str]) -> AccountResult<bool> {
        match name {
            FixedName::Api(name) => {
                let apis = self.apis().await?;
                let is_own = |id: &ApiId| own.contains(&id.as_str());
                Ok(apis.iter().any(|api| api.name == *name && !is_own(&api.id)))
            }
            FixedName::Function(name) => exists(self.function(name, None).await),
            FixedName::Table(name) => {
                let body = json!({ "TableName": name });
                let call = AwsCall::DescribeTable;
                exists(self.call_table(call, name, body).await)
            }
            FixedName::Role(name) => {
                let role = [("RoleName", name.as_str())];
                let call = AwsCall::GetRole;
                exists(self.call_iam(call, "GetRole", &role, "RoleName").await)
            }
            FixedName::LogGroup(name) => self.has_log_group(name).await,
            FixedName::Bucket(name) => self.is_bucket_taken(name).await,
            FixedName::UserPoolDomain(name) => self.has_user_pool_domain(name).await,
            FixedName::DomainName(name) => {
                let domains = self.custom_domains().await?;
                Ok(domains.iter().any(|domain| domain.name == *name))
            }
            FixedName::ApiMapping { domain, key } => self.has_mapping(domain, key).await,
            FixedName::Alarm(name) => self.has_alarm(name).await,
            FixedName::Dashboard(name) => self.has_dashboard(name).await,
            FixedName::Record { zone, name, kind } => self.has_record(zone, name, kind).await,
        }
    }
}

/// Returns whether the answer is about something that exists.
fn exists<T>(answer: AccountResult<T>) -> AccountResult<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.kind == AccountErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Aws {
    async fn has_log_group(&self, name: &str) -> AccountResult<bool> {
        let operation = AwsOperation::on(
            AwsCall::DescribeLogGroups,
            format_args!("log groups {name}*"),
        );
        let request = self.logs.describe_log_groups().log_group_name_prefix(name);
        let found = operation.result(request.send().await)?;
        // The list is sorted, so a group with exactly this name comes first.
        let mut groups = found.log_groups().iter();
        Ok(groups.any(|group| group.log_group_name() == Some(name)))
    }

    /// Cognito describes a domain that does not exist by an empty object. Whether it describes one of another account is not
    /// documented.
    async fn has_user_pool_domain(&self, name: &str) -> AccountResult<bool> {
        let call = AwsCall::DescribeUserPoolDomain;
        let operation = AwsOperation::on(call, format_args!("domain {name}"));
        let target = "AWSCognitoIdentityProviderService.DescribeUserPoolDomain";
        let request = SignedRequest::json(target, "1.1", &json!({ "Domain": name }));
        let answer = self
            .send_signed(SignedService::Cognito, call, &operation, request)
            .await?;
        let answer: Value = serde_json::from_str(&answer).map_err(|_| operation.lacks("JSON"))?;
        Ok(answer["DomainDescription"]["Domain"].is_string())
    }

    /// Returns the mappings of a custom domain to all APIs.
    pub(crate) async fn all_mappings(&self, domain: &str) -> AccountResult<Vec<ApiMapping>> {
        let path = format!("/domainnames/{domain}/apimappings");
        let operation = AwsOperation::gateway(AwsCall::GetApiMappings, path);
        let found = pages(&operation, |token| async {
            let page = self.gateway.get_api_mappings().domain_name(domain);
            let page = operation.result(page.set_next_token(token).send().await)?;
            Ok((operation.items(page.items)?, page.next_token))
        });
        found.await
    }

    async fn has_mapping(&self, domain: &str, key: &str) -> AccountResult<bool> {
        match self.all_mappings(domain).await {
            Ok(found) => Ok(found
                .iter()
                .any(|mapping| mapping.api_mapping_key().unwrap_or_default() == key)),
            Err(error) if error.kind == AccountErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn has_alarm(&self, name: &str) -> AccountResult<bool> {
        let parameters = [("AlarmNames.member.1".to_owned(), name.to_owned())];
        let found = self.call_cloud_watch(AwsCall::DescribeAlarms, &parameters);
        let operation = AwsOperation::on(AwsCall::DescribeAlarms, name);
        let names = texts(&found.await?, "AlarmName").ok_or_else(|| operation.lacks("XML"))?;
        Ok(names.iter().any(|found| found == name))
    }

    async fn has_dashboard(&self, name: &str) -> AccountResult<bool> {
        let parameters = [("DashboardName".to_owned(), name.to_owned())];
        let found = self.call_cloud_watch(AwsCall::GetDashboard, &parameters);
        exists(found.await)
    }

    async fn call_cloud_watch(
        &self,
        call: AwsCall,
        parameters: &[(String, String)],
    ) -> AccountResult<String> {
        let subject = parameters.first().map_or("", |(_, name)| name);
        let operation = AwsOperation::on(call, subject);
        let request = SignedRequest::query(CLOUD_WATCH, call.name(), parameters);
        self.send_signed(SignedService::CloudWatch, call, &operation, request)
            .await
    }

    async fn has_record(&self, zone: &str, name: &str, kind: &str) -> AccountResult<bool> {
        let call = AwsCall::ListResourceRecordSets;
        let operation = AwsOperation::on(call, format_args!("hosted zone {zone}"));
        let path = format!(
            "/2013-04-01/hostedzone/{}/rrset?name={}&type={}&maxitems=1",
            encoded(zone),
            encoded(name),
            encoded(kind)
        );
        let request = SignedRequest::rest("GET", path, String::new());
        let answer = self
            .send_signed(SignedService::Route53, call, &operation, request)
            .await?;
        // The list begins with the name and the type, or with what follows them.
        let is_first = |element: &str, value: &str| {
            let first = texts(&answer, element).into_iter().flatten().next();
            first.is_some_and(|found| found.trim_end_matches('.').eq_ignore_ascii_case(value))
        };
        Ok(is_first("Name", name.trim_end_matches('.')) && is_first("Type", kind))
    }
}
