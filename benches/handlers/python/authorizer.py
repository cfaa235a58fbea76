"""The authorizer in Python, with PyJWT and cached keys."""

import os

import jwt

ISSUER = os.environ["JWT_ISSUER"]
AUDIENCE = os.environ["JWT_AUDIENCE"]
KEYS = jwt.PyJWKClient(f"{ISSUER}/keys")


def handle(event, _context):
    token = (event.get("queryStringParameters") or {}).get("token")
    if not token:
        return allow(event, "anonymous", {})
    try:
        key = KEYS.get_signing_key_from_jwt(token).key
        claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    except jwt.PyJWTError:
        raise Exception("Unauthorized") from None
    return allow(event, claims["sub"], {"userId": claims["sub"]})


def allow(event, principal, context):
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
