"""Replacement of resources in change sets.

For a type that it does not list, ministack reports every change as a possible replacement. This affects only DescribeChangeSet.
"""

from ministack.services.cloudformation import stacks

# Properties whose change replaces the resource, according to AWS's resource reference. `*` stands for all of them.
REPLACING = {
    "AWS::ApiGatewayV2::Api": ("ProtocolType",),
    "AWS::ApiGatewayV2::Authorizer": ("ApiId",),
    "AWS::ApiGatewayV2::Integration": ("ApiId",),
    "AWS::ApiGatewayV2::Route": ("ApiId",),
    "AWS::ApiGatewayV2::Stage": ("ApiId", "StageName"),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::Lambda::Permission": ("*",),
    "AWS::Lambda::Version": ("*",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
}


def install():
    classify = stacks._property_recreation

    def recreation(resource_type, name):
        replacing = REPLACING.get(resource_type)
        if replacing is None:
            return classify(resource_type, name)
        return "Always" if name in replacing or "*" in replacing else "Never"

    stacks._property_recreation = recreation
