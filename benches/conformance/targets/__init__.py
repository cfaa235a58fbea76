"""The targets, by name, in the order of the table."""

from targets.ministack import Ministack
from targets.serverless_offline import ServerlessOffline
from targets.stackgen import Stackgen

TARGETS = {target.name: target for target in (Stackgen, ServerlessOffline, Ministack)}
