"""Writes stacks of a given size as stackgen.yaml, equal to those of benches/peers/cdk/generated.js."""


def stackgen_yaml(name, functions):
    """Returns a stack with a WebSocket API and a table. Each function has a route, a log group and a role for the table."""
    numbers = range(functions)
    lines = [
        f"name: {name}",
        "tables:",
        f"  {name}-Items:",
        "    partitionKey: { name: id, type: S }",
        "    timeToLive: expiresAt",
        "    removal: delete",
        "functionDefaults:",
        "  memory: 256",
        "  timeout: 10s",
        "  logs: { retentionInDays: 30 }",
        "  environment: { LOG_LEVEL: info }",
        "functions:",
    ]
    for number in numbers:
        lines += [
            f"  {name}-handler-{number}:",
            "    binary: handler",
            f"    tables: {{ {name}-Items: [GetItem, PutItem] }}",
            "    manageConnections: [POST]",
        ]
    lines += [
        "websocket:",
        f"  name: {name}-api",
        "  stage:",
        "    throttling: { burstLimit: 5000, rateLimit: 10000 }",
        "    accessLogs: { retentionInDays: 30 }",
        "  routes:",
    ]
    lines += [f"    {route(number)}: {name}-handler-{number}" for number in numbers]
    lines += ["environments:", "  dev: { release: live }"]
    return "\n".join(lines) + "\n"


def route(number):
    return "$default" if number == 0 else f"action{number}"
