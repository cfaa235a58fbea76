#!/usr/bin/env python3
"""Translates SAM templates to CloudFormation with the SAM translator, as `sam validate` does it before it asks AWS.

    translate.py OUT_DIR SAM_YAML...

Writes OUT_DIR/0.json, 1.json, … Needs aws-sam-translator; no account, no network.
"""

import json
import os
import sys
from pathlib import Path

# The translator needs a region to determine the partition.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """Replaces the names that the translator would list from IAM; our templates use none."""

    def load(self):
        return {}


def translate(text):
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        # The translator requires uploaded code; `sam validate` replaces local paths by a placeholder.
        if resource["Type"] == "AWS::Serverless::Function" and isinstance(resource["Properties"].get("CodeUri"), str):
            resource["Properties"]["CodeUri"] = "s3://bucket/value"
    return transform(template, {}, NoManagedPolicies())


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sys.argv[2:]):
        translated = translate(Path(path).read_text())
        (out / f"{number}.json").write_text(json.dumps(translated, indent=2))


if __name__ == "__main__":
    main()
