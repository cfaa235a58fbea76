"""npm packages: `stackgen`, whose command starts the binary, and one package with the binary for each platform."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from product import licence_files

LAUNCHER = Path(__file__).resolve().parent / "npm/launcher.js"
# Platforms with a package, in npm's words. Version and names are those of the launcher's `optionalDependencies`.
PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]


def make(product, out):
    """Writes the package with the binary, and the one that users install. npm chooses the platform's package; nothing runs at
    installation."""
    with tempfile.TemporaryDirectory() as temporary:
        platform, launcher = Path(temporary) / "platform", Path(temporary) / "launcher"
        name = f"{product.platform.os}-{product.platform.cpu}"
        libc = {"libc": ["glibc"]} if product.platform.glibc else {}
        write(platform, {
            **common(product), "name": f"@stackgen/{name}", "description": f"The binary of stackgen for {name}",
            "os": [product.platform.os], "cpu": [product.platform.cpu], **libc, "preferUnplugged": True, "files": ["stackgen"]})
        shutil.copy(product.binary, platform / "stackgen")
        write(launcher, {
            **common(product), "name": "stackgen", "description": product.release.summary,
            "keywords": ["aws", "api-gateway", "websocket", "cloudformation", "sam"], "bin": {"stackgen": "launcher.js"},
            "files": ["launcher.js"], "engines": {"node": ">=18"},
            "optionalDependencies": {f"@stackgen/{it}": product.version for it in PLATFORMS}})
        shutil.copy(LAUNCHER, launcher / "launcher.js")
        return [pack(platform, out), pack(launcher, out)]


def common(product):
    return {
        "version": product.version, "license": "(Apache-2.0 OR MIT)",
        "repository": {"type": "git", "url": f"git+{product.release.repository}.git"},
    }


def write(folder, manifest):
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps(manifest, indent=2) + "\n")
    for licence in licence_files():
        shutil.copyfile(licence, folder / licence.name)


def pack(folder, out):
    packed = subprocess.run(
        ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", out.resolve()], cwd=folder, check=True,
        capture_output=True)
    [package] = json.loads(packed.stdout)
    return out / package["filename"]
