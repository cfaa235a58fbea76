#!/usr/bin/env python3
"""Starts ministack with our additions, and prints its port when it is ready."""

import argparse
import os
from pathlib import Path

from launcher import server


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog="README.md beside this file describes the additions.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--delay", type=float, default=float(os.environ.get("STACKGEN_RESOURCE_DELAY") or 0), metavar="SECONDS",
                        help="duration of every change to a resource (default: STACKGEN_RESOURCE_DELAY, or 0)")
    parser.add_argument("--failures", type=Path, default=os.environ.get("STACKGEN_RESOURCE_FAILURES"), metavar="FILE",
                        help="JSON file with scripted failures (default: STACKGEN_RESOURCE_FAILURES, or none)")
    arguments = parser.parse_args()
    server.run(arguments.port, arguments.delay, arguments.failures and Path(arguments.failures))


if __name__ == "__main__":
    main()
