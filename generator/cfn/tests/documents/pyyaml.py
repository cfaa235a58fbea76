"""Reads YAML documents as CloudFormation tools in Python do.

Takes a file with a JSON list of documents and prints a JSON object for each, on a line of its own, with
intrinsic functions in their long form.
"""

import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    pass


def construct_call(loader, name, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if name == "GetAtt" and "." in value:
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else "Fn::" + name: value}


Loader.add_multi_constructor("!", construct_call)

with open(sys.argv[1], encoding="utf-8") as file:
    documents = json.load(file)
for document in documents:
    try:
        value = yaml.load(document, Loader)
    except yaml.YAMLError as error:
        sys.exit(f"{error}\n{document}")
    print(json.dumps({"Root": value}, allow_nan=False))
