"""Scripted failures and delays of resource operations."""

import json
import os
from dataclasses import dataclass


KEYS = {"resource", "on", "times", "reason", "rollback"}
DELAYS = ({"resource", "on", "delay"}, {"function", "delay"})
KINDS = ("create", "update", "delete")


@dataclass(frozen=True)
class Operation:
    """One change to one resource."""

    resource: str
    """Logical ID."""
    kind: str
    """`create`, `update` or `delete`."""
    rollback: bool
    """True while the stack rolls back."""


class Failures:
    """Failures of a file. It is read before every operation. Every new version of the file starts its counts at zero."""

    def __init__(self, path):
        self.path = path
        self.version = None
        self.entries = []
        self.counts = []

    def check(self, operation):
        """Raises the first failure that is scripted for the operation."""
        self.read()
        for index, entry in enumerate(self.entries):
            if "delay" not in entry and applies(entry, operation) and self.counts[index] < entry.get("times", float("inf")):
                self.counts[index] += 1
                raise RuntimeError(entry.get("reason", "scripted failure"))

    def delay(self, operation):
        """Returns the seconds that are scripted for the operation, in addition to those of all operations."""
        self.read()
        delays = [entry for entry in self.entries if "delay" in entry and "resource" in entry]
        return sum(entry["delay"] for entry in delays if applies(entry, operation))

    def function_delay(self, function):
        """Returns the seconds for which a function is not ready after a change; None if nothing is scripted."""
        self.read()
        return next((entry["delay"] for entry in self.entries if entry.get("function") == function), None)

    def read(self):
        """Reads the file if it has changed. A missing file contains no failures."""
        try:
            found = os.stat(self.path) if self.path else None
        except FileNotFoundError:
            found = None
        version = found and (found.st_mtime_ns, found.st_ino, found.st_size)
        if version != self.version:
            self.entries = parse(self.path) if found else []
            self.version, self.counts = version, [0] * len(self.entries)


def parse(path):
    """Returns the entries of a file. Mistakes in it fail every operation, so that no test passes without its failure."""
    try:
        entries = json.loads(path.read_text())
    except ValueError as error:
        raise RuntimeError(f"cannot read {path}: {error}") from error
    for entry in entries:
        is_failure = {"resource", "on"} <= set(entry) <= KEYS
        if not (is_failure or set(entry) in DELAYS) or entry.get("on", "update") not in KINDS:
            raise RuntimeError(f"{path}: not a failure: {json.dumps(entry)}")
    return entries


def applies(entry, operation):
    return (entry["resource"] == operation.resource and entry["on"] == operation.kind
            and entry.get("rollback", operation.rollback) == operation.rollback)
