"""Posts to the caller's connection in the way that the message names."""

import http.client
import json
import os
import urllib.parse
import urllib.request

import boto3


def authorization():
    """Signatures are not verified locally, but the caller's credentials are."""
    scope = os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/us-east-1/execute-api/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"


def post(by, host, stage, connection, text):
    path = f"/{stage}/@connections/{urllib.parse.quote(connection)}"
    headers = {"Authorization": authorization()}
    if by == "boto3":
        client = boto3.client("apigatewaymanagementapi", endpoint_url=f"https://{host}/{stage}")
        client.post_to_connection(ConnectionId=connection, Data=text.encode())
    elif by == "urllib":
        request = urllib.request.Request(f"https://{host}{path}", text.encode(), headers, method="POST")
        urllib.request.urlopen(request).read()
    else:
        client = http.client.HTTPSConnection(host)
        client.request("POST", path, text, headers)
        response = client.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{response.status} {response.read()}")


def handler(event, context):
    request = event["requestContext"]
    ask = json.loads(event["body"])
    region = os.environ["AWS_REGION"]
    host = f"{request['apiId']}.execute-api.{region}.amazonaws.com"
    if ask["to"] == "domain":
        host = request["domainName"]
    text = f"{ask['by']} {ask['to']}"
    if ask["to"] == "keys":
        pool = f"https://cognito-idp.{region}.amazonaws.com/{os.environ['POOL']}"
        with urllib.request.urlopen(f"{pool}/.well-known/jwks.json") as keys:
            text = json.dumps([key["kty"] for key in json.load(keys)["keys"]])
    post(ask["by"], host, request["stage"], request["connectionId"], text)
    return {"statusCode": 200}
