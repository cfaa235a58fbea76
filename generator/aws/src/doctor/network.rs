//! Endpoints of VPCs.

use stackgen_deploy::AccountResult;

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService};

const VERSION: &str = "2016-11-15";

impl Aws {
    /// Returns the endpoints of execute-api with private DNS in a VPC.
    pub(super) async fn read_private_endpoints(&self, vpc: &str) -> AccountResult<Vec<String>> {
        let call = AwsCall::DescribeVpcEndpoints;
        let operation = AwsOperation::unlimited(call);
        let parameters = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc)];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = SignedRequest::query(VERSION, "DescribeVpcEndpoints", &parameters);
        let answer = self
            .send_signed(SignedService::Ec2, call, &operation, request)
            .await?;
        let document = roxmltree::Document::parse(&answer).map_err(|_| operation.lacks("XML"))?;
        let mut found = Vec::new();
        for item in document
            .descendants()
            .filter(|node| node.tag_name().name() == "item")
        {
            let text = |name: &str| {
                let child = item.children().find(|node| node.tag_name().name() == name);
                child.and_then(|node| node.text()).unwrap_or_default()
            };
            let is_private = text("serviceName").ends_with(".execute-api")
                && text("privateDnsEnabled") == "true"
                && text("vpcId") == vpc;
            if is_private {
                found.push(text("vpcEndpointId").to_owned());
            }
        }
        Ok(found)
    }
}
