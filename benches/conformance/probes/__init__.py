"""Probes of APIs. Each row of the reference has one or more."""

import base64
import json
from dataclasses import dataclass
from typing import Callable
from urllib.parse import quote

from api import Api

PROBES = []


@dataclass(frozen=True)
class Probe:
    """Registers a probe. `expects` is API Gateway's behavior, as a phrase for the table."""

    name: str
    row: str
    expects: str
    api: Api
    run: Callable


@dataclass(frozen=True)
class Seen:
    """Observation, as a phrase, and its agreement with the row: `yes`, `no` or `partly`."""

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
    """Returns the argument with which the puppet's `raw` and `context` return exactly this value."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def query(**words):
    return "&".join(f"{name}={quote(value)}" for name, value in words.items())


def all_probes():
    """Returns all probes, in row order."""
    from probes import authorization, connections, deployments, events, handshake, integrations, messages  # noqa: F401

    return sorted(PROBES, key=lambda probe: (order(probe.row), PROBES.index(probe)))


def order(row):
    """Sorts by section in the reference's order: C, A, M and so on."""
    return "CAMEKD".index(row[0]), int(row[1:])
