"""Runs a Python handler for the local Lambda, over the Runtime API.

Needs Python 3.9 and nothing but the standard library. Answers, errors and log lines are those of AWS's own client,
awslambdaric; comments name the behaviour that is copied where it surprises.
"""

import decimal
import importlib
import json
import json.encoder
import logging
import os
import re
import socket
import sys
import time
import traceback

# Other runtimes escape everything beyond ASCII in answers.
_HAS_UNICODE_ANSWERS = re.match(r"AWS_Lambda_python3\.1[2-9]$", os.environ.get("AWS_EXECUTION_ENV", ""))
_JSON_LOGS = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
_NO_BREAK_SPACE = "\u00a0"
_WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare"
    " cases, a Lambda runtime update can cause unexpected function behavior. For functions using managed runtimes,"
    " runtime updates can be triggered by a function change, or can be applied automatically. To determine if the"
    " runtime has been updated, check the runtime version in the INIT_START log entry. If this error correlates with a"
    " change in the runtime version, you may be able to mitigate this error by temporarily rolling back to the previous"
    " runtime version. For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


class RuntimeFault(Exception):
    """Error of the runtime itself, with Lambda's error type."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, trace


# --- JSON -------------------------------------------------------------------------------------------------------------


class _Encoder:
    """Writes JSON as AWS's client does, which uses simplejson.

    Decimals are numbers, named tuples are objects, and bytes are text in UTF-8.
    """

    def __init__(self):
        self._seen = set()
        is_unicode = _HAS_UNICODE_ANSWERS
        self._string = json.encoder.encode_basestring if is_unicode else json.encoder.encode_basestring_ascii

    def encode(self, value):
        if isinstance(value, str):
            return self._string(value)
        if value is None:
            return "null"
        if value is True or value is False:
            return "true" if value else "false"
        if isinstance(value, int):
            return int.__repr__(value)
        if isinstance(value, float):
            return self._float(value)
        if isinstance(value, bytes):
            return self._string(str(value, "utf-8"))
        if isinstance(value, decimal.Decimal):
            return "NaN" if value.is_nan() else str(value)
        if id(value) in self._seen:
            raise ValueError("Circular reference detected")
        self._seen.add(id(value))
        try:
            return self._container(value)
        finally:
            self._seen.discard(id(value))

    def _container(self, value):
        if callable(getattr(value, "_asdict", None)):
            value = value._asdict()
        if isinstance(value, dict):
            pairs = ("%s: %s" % (self._string(self._key(key)), self.encode(item)) for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(self.encode, value)) + "]"
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)

    def _key(self, key):
        if isinstance(key, str):
            return key
        if isinstance(key, bytes):
            return str(key, "utf-8")
        if key is None or isinstance(key, (bool, int, float)):
            return self.encode(key)
        raise TypeError("keys must be str, int, float, bool or None, not %s" % type(key).__name__)

    @staticmethod
    def _float(value):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
        return float.__repr__(value)


def _to_json(value):
    return _Encoder().encode(value)


# --- Runtime API ------------------------------------------------------------------------------------------------------


class RuntimeApi:
    """Client of the Runtime API. It uses sockets and no HTTP library, because functions may patch those."""

    _PREFIX = "/2018-06-01/runtime/"

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._address = address
        self._connection = socket.create_connection((host, int(port)))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def next_event(self):
        """Waits for an event. Returns its headers, with names in lower case, and its body."""
        status, headers, body = self._request("GET", "invocation/next")
        if status != 200:
            raise RuntimeError("Failed to get next")
        return headers, body

    def post_answer(self, request_id, body, content_type):
        """Sends the answer of an invocation."""
        headers = {"Content-Type": content_type}
        status, _, reply = self._request("POST", "invocation/%s/response" % request_id, body, headers)
        if not 200 <= status < 300:
            _report_refusal(status, reply)
            raise RuntimeError("Failed to post invocation response")

    def post_error(self, request_id, error):
        """Sends the error of an invocation."""
        headers = {"Content-Type": "application/json"}
        status, _, reply = self._request("POST", "invocation/%s/error" % request_id, _to_json(error).encode(), headers)
        if not 200 <= status < 300:
            _report_refusal(status, reply)
            raise RuntimeError("Failed to post invocation error")

    def post_init_error(self, error):
        """Reports that the function cannot start."""
        # A name with other characters would break the header.
        kind = re.sub(r"[^\x20-\x7e]", "?", error["errorType"])
        headers = {"Lambda-Runtime-Function-Error-Type": kind}
        self._request("POST", "init/error", _to_json(error).encode(), headers)

    def _request(self, method, path, body=b"", headers=None):
        lines = ["%s %s%s HTTP/1.1" % (method, self._PREFIX, path), "Host: " + self._address]
        lines += ["%s: %s" % header for header in (headers or {}).items()]
        if method == "POST":
            lines.append("Content-Length: %d" % len(body))
        head = "\r\n".join(lines) + "\r\n\r\n"
        self._connection.sendall(head.encode("latin-1", "replace") + body)
        return self._response()

    def _response(self):
        while b"\r\n\r\n" not in self._unread:
            self._read()
        head, self._unread = self._unread.split(b"\r\n\r\n", 1)
        status, *lines = head.decode("utf-8", "replace").split("\r\n")
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        while len(self._unread) < size:
            self._read()
        body, self._unread = self._unread[:size], self._unread[size:]
        return int(status.split(" ", 2)[1]), headers, body

    def _read(self):
        received = self._connection.recv(1024 * 1024)
        if not received:
            # The gateway has ended.
            os._exit(1)
        self._unread += received


def _report_refusal(status, reply):
    reply = reply.decode("utf-8", "replace")
    text = "LAMBDA_RUNTIME Failed to post handler success response. Http response code: %d. %s" % (status, reply)
    print("[ERROR] [%d] %s" % (time.time() * 1000, text))


# --- Context ----------------------------------------------------------------------------------------------------------


class _Fields:
    """Object whose attributes come from a mapping; missing ones are None."""

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        fields = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (type(self).__name__, fields)


class CognitoIdentity(_Fields):
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]


class Client(_Fields):
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]


class ClientContext(_Fields):
    __slots__ = ["custom", "env", "client"]


class LambdaContext:
    """Second argument of handlers."""

    def __init__(self, headers):
        client = _json_header(headers, "lambda-runtime-client-context", "Client Context")
        identity = _json_header(headers, "lambda-runtime-cognito-identity", "Cognito Identity") or {}
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        w3c = client.pop("w3c", None) if isinstance(client, dict) else None
        w3c = w3c if isinstance(w3c, dict) else {}
        names = ("traceparent", "tracestate", "baggage")
        self._w3c = {name: w3c[name] for name in names if isinstance(w3c.get(name), str)}
        self.client_context = None
        if client is not None:
            self.client_context = ClientContext(client)
            if self.client_context.client is not None:
                self.client_context.client = Client(self.client_context.client)
        self.identity = CognitoIdentity(
            {
                "cognito_identity_id": identity.get("cognitoIdentityId"),
                "cognito_identity_pool_id": identity.get("cognitoIdentityPoolId"),
            }
        )
        self._deadline = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def w3c(self):
        return dict(self._w3c)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        names = "aws_request_id log_group_name log_stream_name function_name memory_limit_in_mb function_version"
        names += " invoked_function_arn client_context identity tenant_id"
        fields = ",".join("%s=%s" % (name, getattr(self, name)) for name in names.split())
        return "LambdaContext([%s])" % fields


def _json_header(headers, header, name):
    text = headers.get(header)
    if not text:
        return None
    try:
        return json.loads(text)
    except Exception as error:
        message = "Unable to parse %s JSON: %s" % (name, error)
        raise RuntimeFault("Runtime.LambdaContextUnmarshalError", message)


# --- Logs -------------------------------------------------------------------------------------------------------------

_request_id = None
_tenant_id = None


class _LogHandler(logging.Handler):
    def emit(self, record):
        sys.stdout.write(self.format(record))


class _LogFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = _request_id or ""
        record.tenant_id = _tenant_id
        return True


class _JsonFormatter(logging.Formatter):
    _OWN = set(vars(logging.makeLogRecord({}))) - {"taskName"} | {"aws_request_id", "tenant_id"}

    def __init__(self):
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")

    def format(self, record):
        # As on Lambda, levels in between are rounded down for all other handlers too.
        record.levelno = min(50, max(0, record.levelno)) // 10 * 10
        record.levelname = logging.getLevelName(record.levelno)
        whole = isinstance(record.msg, dict) and not record.args
        fields = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "message": record.msg if whole else record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info:
            kind, value, trace = record.exc_info
            fields["stackTrace"] = traceback.format_tb(trace)
            fields["errorType"] = kind.__name__ if kind else None
            fields["errorMessage"] = str(value)
        fields["requestId"] = record.aws_request_id
        if record.exc_info:
            fields["location"] = "%s:%s:%s" % (record.pathname, record.funcName, record.lineno)
        if record.tenant_id is not None:
            fields["tenantId"] = record.tenant_id
        for name, value in vars(record).items():
            if name not in self._OWN and name not in fields:
                fields[name] = value
        fields = {name: value for name, value in fields.items() if value is not None}
        return json.dumps(fields, ensure_ascii=False, default=str) + "\n"


def _set_up_logging():
    logging.Formatter.converter = time.gmtime
    handler = _LogHandler()
    if _JSON_LOGS:
        handler.setFormatter(_JsonFormatter())
    else:
        text = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(logging.Formatter(text, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(_LogFilter())
    root = logging.getLogger()
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    level = "DEBUG" if level == "TRACE" else level.upper()
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)
    root.addHandler(handler)


def _log_error(error):
    if _JSON_LOGS:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sys.stdout.write(_to_json({"timestamp": now, "level": "ERROR", **error}) + "\n")
        return
    kind, message = error["errorType"], error["errorMessage"]
    text = "[ERROR]" + (" " + kind if kind else "")
    if message:
        text += (":" if kind else "") + " " + message
    lines = [text, "Traceback (most recent call last):"]
    for entry in error["stackTrace"]:
        # Leading blanks would be lost where the lines are shown.
        lines += [re.sub("^ +", lambda blanks: _NO_BREAK_SPACE * len(blanks[0]), line) for line in entry.splitlines()]
    # One event of the log: only its end is a line feed.
    sys.stdout.write("\r".join(lines) + "\n")


# --- Handler ----------------------------------------------------------------------------------------------------------


def _error(kind, message, trace, request_id=""):
    return {"errorMessage": message or "", "errorType": kind or "", "requestId": request_id, "stackTrace": trace or []}


def _current_error(request_id=""):
    """Describes the exception that is handled, without this file's own frames at the start."""
    kind, value, trace = sys.exc_info()
    frames = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in traceback.extract_tb(trace)]
    own = 0
    while own < len(frames) - 1 and frames[own][0] == __file__:
        own += 1
    return _error(kind.__name__, str(value), traceback.format_list(frames[own:]), request_id)


def _load_handler(name):
    try:
        module_name, function = name.rsplit(".", 1)
    except ValueError as error:
        raise RuntimeFault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error))
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = "Cannot use built-in module %s as a handler module" % module_name
        raise RuntimeFault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise RuntimeFault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        message = "Syntax error in module '%s': %s" % (module_name, error)
        raise RuntimeFault("Runtime.UserCodeSyntaxError", message, trace)
    try:
        return getattr(module, function)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function, module_name)
        raise RuntimeFault("Runtime.HandlerNotFound", message)


def _answer(handler, headers, body):
    """Calls the handler. Returns the body and content type of its answer."""
    context = LambdaContext(headers)
    event = body
    if headers.get("content-type") == "application/json":
        try:
            event = json.loads(body)
        except Exception as error:
            raise RuntimeFault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)
    answer = handler(event, context)
    if isinstance(answer, bytes):
        return answer, "application/unknown"
    try:
        return _to_json(answer), "application/json"
    except Exception as error:
        raise RuntimeFault("Runtime.MarshalError", "Unable to marshal response: %s" % error)


def _serve(api, handler):
    global _request_id, _tenant_id
    while True:
        headers, body = api.next_event()
        _request_id = headers["lambda-runtime-aws-request-id"]
        _tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        trace_id = headers.get("lambda-runtime-trace-id")
        if trace_id is None:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        else:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        error = None
        try:
            answer, content_type = _answer(handler, headers, body)
        except RuntimeFault as fault:
            error = _error(fault.kind, fault.message, fault.trace, _request_id)
        except Exception:
            error = _current_error(_request_id)
        # Outside of the try: an answer that cannot be sent ends the process, as on Lambda.
        if error is None:
            answer = answer.encode("utf-8") if isinstance(answer, str) else answer
            api.post_answer(_request_id, answer, content_type)
        else:
            _log_error(error)
            api.post_error(_request_id, error)


def main():
    # Python put the folder of this file here.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    error = None
    try:
        _set_up_logging()
        handler = _load_handler(os.environ["_HANDLER"])
    except RuntimeFault as fault:
        error = _error(fault.kind, fault.message, fault.trace)
    except Exception:
        error = _current_error()
    if error is not None:
        logging.warning(_WARNING)
        _log_error(error)
        api.post_init_error(error)
        sys.exit(1)
    _serve(api, handler)


if __name__ == "__main__":
    main()
