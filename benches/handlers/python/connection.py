"""$connect in Python: reads the session, then writes the record and counts it, in one transaction."""

import os

import boto3

SESSIONS = os.environ["SESSIONS_TABLE"]
CONNECTIONS = os.environ["CONNECTIONS_TABLE"]
DYNAMODB = boto3.client("dynamodb")
# Client that posts answers to messages; `$connect` itself posts nothing.
MANAGEMENT = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["MANAGEMENT_ENDPOINT"])


def handle(event, _context):
    query = event.get("queryStringParameters") or {}
    context = event["requestContext"]
    session = {"sessionId": {"S": query["sessionId"]}}
    found = DYNAMODB.get_item(TableName=SESSIONS, Key=session, ConsistentRead=True).get("Item")
    if found is None:
        return {"statusCode": 404}
    record = {
        "connectionId": {"S": context["connectionId"]},
        "sessionId": session["sessionId"],
        "role": {"S": "listener"},
        "targetLanguage": {"S": query["targetLanguage"]},
        "connectedAt": {"N": str(context["connectedAt"])},
        "ipAddress": {"S": context["identity"]["sourceIp"]},
    }
    count = {
        "TableName": SESSIONS,
        "Key": session,
        "UpdateExpression": "ADD listenerCount :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    DYNAMODB.transact_write_items(
        TransactItems=[{"Put": {"TableName": CONNECTIONS, "Item": record}}, {"Update": count}]
    )
    return {"statusCode": 200}
