"""Prints the response fields of apigatewayv2's operations from AWS's service model: {"GetRoute": ["routeId", …], …}."""

import json
import sys

import botocore.session

service = botocore.session.get_session().get_service_model("apigatewayv2")
json.dump(
    {
        name: sorted(
            member.serialization.get("name", key)
            for key, member in service.operation_model(name).output_shape.members.items()
        )
        for name in sys.argv[1:]
    },
    sys.stdout,
)
