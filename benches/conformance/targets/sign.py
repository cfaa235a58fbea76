"""Signatures of requests to @connections."""

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


def signed(method, place, path, body):
    """Returns the headers of a signed request, as AWS's clients send them."""
    request = AWSRequest(method, f"http://{place.authority}{path}", headers={"Host": place.authority}, data=body)
    SigV4Auth(Credentials("test", "test"), "execute-api", REGION).add_auth(request)
    return list(request.headers.items())
