"""CloudFormation resource types of API Gateway that ministack lacks: Deployment, RouteResponse, IntegrationResponse and Model."""

import json
import uuid

from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from launcher import gateway_api

PREFIX = "AWS::ApiGatewayV2::"


def install():
    """Registers the types, with the properties whose change replaces the resource."""
    add("Deployment", ["ApiId"], create_deployment, update_deployment, delete_deployment)
    add("RouteResponse", ["ApiId", "RouteId"], create_route_response, update_route_response, delete_route_response)
    add("IntegrationResponse", ["ApiId", "IntegrationId"], create_integration_response, update_integration_response,
        delete_integration_response)
    add("Model", ["ApiId"], put_model, put_model, delete_model)
    use_plain_route_ids()


def add(name, replacing, create, update, delete):
    """Registers a type. `create` gets the properties, `update` and `delete` get the properties and the ID."""
    id_attribute = f"{name}Id"

    def created(_logical, properties, _stack):
        made = create(properties)
        return made, {id_attribute: made}

    def updated(physical, _before, properties, _stack):
        update(properties, physical)
        return physical, {id_attribute: physical}

    def deleted(physical, properties):
        delete(properties, physical)

    provisioners._RESOURCE_HANDLERS[PREFIX + name] = {"create": created, "update": updated, "delete": deleted}
    provisioners._REPLACING_PROPERTIES[PREFIX + name] = tuple(replacing)


def result(response, missing_is_fine=False):
    """Returns the body of an answer of API Gateway, and raises CloudFormation's reason for a failure."""
    status, headers, body = response
    if status >= 400 and not (status == 404 and missing_is_fine):
        raise ValueError(f"{json.loads(body)['message']} (Service: AmazonApiGatewayV2; Status Code: {status}; "
                         f"Error Code: {headers['x-amzn-errortype']}; Request ID: {uuid.uuid4()}; Proxy: null)")
    return json.loads(body) if body else {}


def request(properties, *parents):
    """Returns the properties, without those that identify parents, under API Gateway's names."""
    return {name[0].lower() + name[1:]: value for name, value in properties.items() if name not in ("ApiId", *parents)}


def create_deployment(properties):
    return result(apigateway._create_deployment(properties["ApiId"], request(properties)))["deploymentId"]


def update_deployment(properties, deployment):
    body = {"description": properties.get("Description", "")}
    if gateway_api.update_deployment(properties["ApiId"], deployment, body) is None:
        result(gateway_api.not_found())


def delete_deployment(properties, deployment):
    result(apigateway._delete_deployment(properties["ApiId"], deployment), missing_is_fine=True)


def create_route_response(properties):
    return result(apigateway._create_route_response(properties["ApiId"], properties["RouteId"], request(properties, "RouteId")))[
        "routeResponseId"]


def update_route_response(properties, response):
    result(apigateway._update_route_response(properties["ApiId"], properties["RouteId"], response, request(properties, "RouteId")))


def delete_route_response(properties, response):
    result(apigateway._delete_route_response(properties["ApiId"], properties["RouteId"], response), missing_is_fine=True)


def create_integration_response(properties):
    return result(apigateway._create_integration_response(
        properties["ApiId"], properties["IntegrationId"], request(properties, "IntegrationId")))["integrationResponseId"]


def update_integration_response(properties, response):
    result(apigateway._update_integration_response(
        properties["ApiId"], properties["IntegrationId"], response, request(properties, "IntegrationId")))


def delete_integration_response(properties, response):
    result(apigateway._delete_integration_response(properties["ApiId"], properties["IntegrationId"], response), missing_is_fine=True)


def put_model(properties, model=None):
    """Creates or updates a model. A template's schema is an object or text; API Gateway's is text."""
    model = model or uuid.uuid4().hex[:6]
    found = {"contentType": "application/json", **request(properties), "modelId": model}
    if not isinstance(found.get("schema", ""), str):
        found["schema"] = json.dumps(found["schema"])
    gateway_api.MODELS.setdefault(properties["ApiId"], {})[model] = found
    return model


def delete_model(properties, model):
    gateway_api.MODELS.get(properties["ApiId"], {}).pop(model, None)


def use_plain_route_ids():
    """Makes a route's physical ID, which `Ref` returns, the route ID as on AWS. ministack's is `{api}/{route}`."""
    handler = provisioners._RESOURCE_HANDLERS[PREFIX + "Route"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def plain(made):
        physical, attributes = made
        return physical.rpartition("/")[2], attributes

    def full(properties, route):
        return f"{properties['ApiId']}/{route}"

    provisioners._RESOURCE_HANDLERS[PREFIX + "Route"] = {
        **handler,
        "create": lambda logical, properties, stack: plain(create(logical, properties, stack)),
        "update": lambda route, before, after, *rest: plain(update(full(before, route), before, after, *rest)),
        "delete": lambda route, properties: delete(full(properties, route), properties),
    }
