"""Stands in for AWS: answers some calls if they are signed by the user, as botocore computes the signature."""

import datetime
import http.server
import json
import sys
from unittest import mock

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

USER = Credentials("AKIDUSER", "user-secret")

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def expected_signature(service, region, method, url, headers, body, time):
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    request.context["payload_signing_enabled"] = True
    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(USER, service, region)
    with mock.patch("botocore.auth.get_current_datetime", return_value=time):
        auth.add_auth(request)
    return request.headers["Authorization"]


class Handler(http.server.BaseHTTPRequestHandler):
    def is_signed_by_user(self, body):
        authorization = self.headers.get("Authorization", "")
        if not authorization.startswith("AWS4-HMAC-SHA256 Credential=AKIDUSER/"):
            return None
        scope, signed, _ = authorization.split(" ", 1)[1].split(", ")
        _, _, region, service, _ = scope.split("/")
        names = signed.removeprefix("SignedHeaders=").split(";")
        headers = {name: self.headers[name] for name in names if name not in ("x-amz-date",)}
        time = datetime.datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        url = f"http://{self.headers['Host']}{self.path}"
        expected = expected_signature(service, region, self.command, url, headers, body, time)
        return service if expected == authorization else None

    def answer(self, status, text, kind="application/x-amz-json-1.0"):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service = self.is_signed_by_user(body)
        seen = {"service": service, "path": self.path, "headers": dict(self.headers), "body": body.decode()}
        print(json.dumps(seen), flush=True)
        if service is None:
            self.answer(403, '{"__type": "SignatureDoesNotMatch"}')
        elif service == "sts":
            self.answer(200, IDENTITY, "text/xml")
        elif self.command == "HEAD":
            self.answer(200, "hello", "text/plain")
        elif service == "s3":
            self.answer(200, "", "application/xml")
        else:
            self.answer(200, json.dumps({"MessageId": f"sent by {service}"}))

    do_GET = do_HEAD = do_POST = do_PUT = handle_any

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
if __name__ == "__main__":
    server.serve_forever()
