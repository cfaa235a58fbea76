"""Bill of materials (CycloneDX) of the binary: the crates that it is linked from."""

import json
import subprocess
import sys
import uuid

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from product import ROOT


def make(product, out):
    """Writes `stackgen-VERSION-TARGET.cdx.json`, and checks it with CycloneDX's schema."""
    metadata = cargo_metadata(product.platform.target)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    [root] = [package["id"] for package in metadata["packages"] if package["name"] == "stackgen"]
    linked = reachable(root, nodes)
    components = {id: component(packages[id]) for id in sorted(linked)}
    # No time, and a serial number that depends on the contents: the same sources give the same bytes.
    bom = Bom(components=[it for id, it in components.items() if id != root],
              serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{product.release.repository}/{product.version}/{product.platform.target}"))
    bom.metadata.timestamp = None
    bom.metadata.component = components[root]
    for id in linked:
        bom.register_dependency(components[id], [components[it] for it in linked_to(nodes[id])])
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"the bill of materials is invalid: {problem}")
    file = out / f"stackgen-{product.version}-{product.platform.target}.cdx.json"
    file.write_text(text + "\n")
    return [file]


def cargo_metadata(target):
    command = ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={target}"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def reachable(root, nodes):
    """Returns the packages that are linked into a package, and itself."""
    found, waiting = set(), [root]
    while waiting:
        id = waiting.pop()
        if id not in found:
            found.add(id)
            waiting += linked_to(nodes[id])
    return found


def linked_to(node):
    """Returns a package's dependencies that are linked: those of tests and build scripts are not."""
    return [it["pkg"] for it in node["deps"] if any(kind["kind"] is None for kind in it["dep_kinds"])]


def component(package):
    registry = package["source"] is not None
    url = PackageURL("cargo", name=package["name"], version=package["version"])
    licence = package["license"]
    return Component(
        type=ComponentType.LIBRARY if package["name"] != "stackgen" else ComponentType.APPLICATION,
        name=package["name"], version=package["version"], purl=url if registry else None,
        bom_ref=str(url) if registry else f"{package['name']}@{package['version']}",
        licenses=[LicenseFactory().make_from_string(licence.replace("/", " OR "))] if licence else [])
