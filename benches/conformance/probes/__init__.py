"""Probes: what is done to an API, and what came of it. One or more for each row of the reference."""

import base64
import json
from dataclasses import dataclass
from typing import Callable
from urllib.parse import quote

from api import Api

PROBES = []


@dataclass(frozen=True)
class Probe:
    """`expects` is what API Gateway does, in a phrase that the table shows."""

    name: str
    row: str
    expects: str
    api: Api
    run: Callable


@dataclass(frozen=True)
class Seen:
    """What was seen, in a phrase, and whether it is what the row says: `yes`, `no` or `partly`."""

    text: str
    as_row: str


def probe(row, expects, api=Api()):
    def register(function):
        PROBES.append(Probe(function.__name__, row, expects, api, function))
        return function

    return register


def seen(text, as_row):
    return Seen(str(text), {True: "yes", False: "no"}.get(as_row, as_row))


def status(response, expected):
    return seen(f"{response.status}", response.status == expected)


def raw(value):
    """The argument of the puppet's `raw` and `context`: it returns exactly this."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def query(**words):
    return "&".join(f"{name}={quote(value)}" for name, value in words.items())


def all_probes():
    """All probes, in the order of the rows."""
    from probes import authorization, connections, deployments, events, handshake, messages  # noqa: F401

    return sorted(PROBES, key=lambda probe: (order(probe.row), PROBES.index(probe)))


def order(row):
    """C before A before M and so on, as the reference's sections go."""
    return "CAMEKD".index(row[0]), int(row[1:])
