"""Corrections of what ministack's resource types store in API Gateway, so that it reads as on AWS.

ministack drops properties or stores them under CloudFormation's names, which clients do not understand, and adds properties that AWS
leaves out. `stackgen status` would report them as changes that are not served.
"""

from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

# Properties of an integration that ministack drops.
DROPPED = ("CredentialsArn", "IntegrationSubtype", "PassthroughBehavior", "TemplateSelectionExpression", "TlsConfig")
# Properties of an authorizer that ministack adds.
ADDED = ("AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds", "EnableSimpleResponses", "JwtConfiguration")


def install():
    """Corrects the record after each creation and update."""
    correct("Api", correct_api)
    correct("Integration", correct_integration)
    correct("Authorizer", correct_authorizer)
    correct("Stage", correct_stage)


def correct(name, correction):
    correct_resource(f"AWS::ApiGatewayV2::{name}", correction)


def correct_resource(kind, correction):
    handler = provisioners._RESOURCE_HANDLERS[kind]
    create, update = handler["create"], handler["update"]

    def created(logical, properties, stack):
        made = create(logical, properties, stack)
        correction(made[0], properties)
        return made

    def updated(physical, before, properties, *rest):
        made = update(physical, before, properties, *rest)
        correction(made[0], properties)
        return made

    handler.update(create=created, update=updated)


def correct_api(api, properties):
    if "CorsConfiguration" in properties:
        apigateway._apis[api]["corsConfiguration"] = wire(properties["CorsConfiguration"])


def correct_integration(integration, properties):
    record = apigateway._integrations[properties["ApiId"]][integration]
    record["payloadFormatVersion"] = properties.get("PayloadFormatVersion", "1.0")
    if "TimeoutInMillis" not in properties and apigateway._apis[properties["ApiId"]]["protocolType"] == "WEBSOCKET":
        record["timeoutInMillis"] = 29000
    for name in DROPPED:
        record[lower(name)] = wire(properties.get(name))


def correct_authorizer(authorizer, properties):
    record = apigateway._authorizers[properties["ApiId"]][authorizer]
    for name in ADDED:
        if name not in properties:
            record[lower(name)] = None


def correct_stage(stage, properties):
    record = apigateway._stages[properties["ApiId"]][stage]
    record["defaultRouteSettings"] = wire(properties.get("DefaultRouteSettings", {}))
    settings = properties.get("RouteSettings", {})
    record["routeSettings"] = {route: wire(values) for route, values in settings.items()}


def wire(value):
    """Returns a value with API Gateway's names in place of CloudFormation's. API Gateway's answers leave out None."""
    return {lower(name): wire(found) for name, found in value.items()} if isinstance(value, dict) else value


def lower(name):
    return name[0].lower() + name[1:]
