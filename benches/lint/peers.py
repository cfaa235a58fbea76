"""Builds stackgen and installs the peers, once, under .tools/peers."""

import base64
import hashlib
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(1, str(HERE.parent / "conformance"))

from install import TARGET, python  # noqa: E402

GUARD_VERSION = "3.2.1"
# AWS's own rules for cfn-guard, those of Control Tower, from AWS's package for CDK.
RULES = "@cdklabs/cdk-validator-cfnguard"
RULES_VERSION = "0.0.62"
RULES_SHA512 = "Sg2k8067B0AIJ82QFSLhHTUIqxOYTKABvVrTHiyc6j0rE2NHli2diIYqf+w+DkuDKCYYgMIOga3OrYMOHUw0mQ=="


@dataclass
class Installed:
    """Paths of the installed tools."""

    stackgen: Path = TARGET / "release/stackgen"
    venv: Path = ROOT / ".tools/peers/lint"
    guard: Path = ROOT / ".tools/peers/cfn-guard/bin/cfn-guard"
    rules: Path = ROOT / ".tools/peers/guard-rules/package/rules"


def everything(stackgen=None):
    """Installs missing tools. `stackgen` is the path of a built binary."""
    installed = Installed(stackgen.resolve()) if stackgen else Installed()
    if stackgen is None:
        subprocess.run(["cargo", "build", "--release", "--locked", "-p", "stackgen"], cwd=ROOT, check=True)
    python(installed.venv, HERE / "requirements.txt")
    if not installed.guard.exists():
        root = installed.guard.parents[1]
        subprocess.run(["cargo", "install", "cfn-guard", "--locked", "--version", GUARD_VERSION, "--root", root], check=True)
    if not installed.rules.exists():
        rules(installed.rules.parents[1])
    return installed


def rules(folder):
    """Extracts the rules from the package, without running its code."""
    folder.mkdir(parents=True, exist_ok=True)
    package = f"{RULES}@{RULES_VERSION}"
    name = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True)
    archive = folder / name.stdout.split()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != RULES_SHA512:
        raise SystemExit(f"the SHA-512 of {package} has changed to {digest}: check the package and update the digest")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    archive.unlink()


def versions(installed):
    def last_word(*command):
        # checkov checks for updates over the network.
        env = {**os.environ, "LOG_LEVEL": "ERROR"}
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=env)
        return done.stdout.split()[-1]

    guard_rules = len(list(installed.rules.rglob("*.guard")))
    return [
        f"stackgen {last_word(installed.stackgen, '--version')}",
        f"cfn-lint {last_word(installed.venv / 'bin/cfn-lint', '--version')}",
        f"checkov {last_word(installed.venv / 'bin/checkov', '--version')}",
        f"cfn-guard {last_word(installed.guard, '--version')} with {guard_rules} files of rules ({RULES} {RULES_VERSION})",
        f"Python {last_word(installed.venv / 'bin/python', '--version')}",
    ]
