"""Operations of the API Gateway API that ministack lacks or answers unlike AWS."""

import json
from urllib.parse import unquote

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import apigateway

# Models by API and ID. Only templates create them.
MODELS = AccountRegionScopedDict()


def install():
    """Adds GetModels, GetModel and UpdateDeployment, and changes DeleteDeployment and CreateDeployment."""
    answer, create, delete = apigateway.handle_request, apigateway._create_deployment, apigateway._delete_deployment

    async def handle_request(method, path, headers, body, query):
        match method, [unquote(part) for part in path.strip("/").split("/")]:
            # As on ministack, there is no such operation for APIs without models: clients must not need it.
            case "GET", ["v2", "apis", api, "models"] if MODELS.get(api):
                return of_api(api, lambda: {"items": list(MODELS[api].values())})
            case "GET", ["v2", "apis", api, "models", model]:
                return of_api(api, lambda: MODELS.get(api, {}).get(model))
            case "PATCH", ["v2", "apis", api, "deployments", deployment]:
                return of_api(api, lambda: update_deployment(api, deployment, json.loads(body or "{}")))
        return await answer(method, path, headers, body, query)

    def create_deployment(api, body):
        if api in apigateway._apis and not apigateway._routes.get(api):
            return apigateway._apigw_error("BadRequestException", "At least one route is required before deploying the Api.", 400)
        return create(api, body)

    def delete_deployment(api, deployment):
        """Refuses to delete a deployment that a stage serves (row D6)."""
        if any(stage.get("deploymentId") == deployment for stage in apigateway._stages.get(api, {}).values()):
            message = "Active stages pointing to this deployment must be moved or deleted"
            return apigateway._apigw_error("BadRequestException", message, 400)
        if api in apigateway._apis and deployment not in apigateway._deployments.get(api, {}):
            return not_found()
        return delete(api, deployment)

    apigateway.handle_request = handle_request
    apigateway._create_deployment = create_deployment
    apigateway._delete_deployment = delete_deployment


def of_api(api, read):
    """Answers with what `read` returns, or with 404 if there is no such API or `read` returns None."""
    refused = apigateway._require_api(api)
    if refused:
        return refused
    found = read()
    return not_found() if found is None else apigateway._apigw_response(found)


def update_deployment(api, deployment, body):
    found = apigateway._deployments.get(api, {}).get(deployment)
    if found and "description" in body:
        found["description"] = body["description"]
    return found


def not_found():
    return apigateway._apigw_error("NotFoundException", "Invalid identifier specified", 404)
