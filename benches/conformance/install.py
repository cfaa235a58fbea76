"""Builds our gateway and installs the peers, once, under .tools/. benches/gateway uses it too."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PEERS = HERE / "peers"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


@dataclass
class Installed:
    """Paths of the installed tools."""

    stackgen: Path = TARGET / "release/stackgen"
    node: Path = ROOT / ".tools/peers/node"
    venv: Path = ROOT / ".tools/peers/venv"

    @property
    def packages(self):
        return next((self.venv / "lib").glob("python3.*/site-packages"))


def everything(targets=None, stackgen=None):
    """Installs the tools for these targets (default: all). `stackgen` is the path of a built binary."""
    installed = Installed(stackgen.resolve()) if stackgen else Installed()
    if stackgen is None and (targets is None or "stackgen" in targets):
        subprocess.run(["cargo", "build", "--release", "--locked", "-p", "stackgen"], cwd=ROOT, check=True)
    python(installed.venv, PEERS / "requirements.txt")
    if targets is None or "serverless-offline" in targets:
        node(installed.node)
    return installed


def python(venv, requirements):
    """Runs an installation unless its stamp exists. The stamp is written last, so that an interrupted installation is repeated."""
    stamp = venv / "stamp"
    if stamp.exists() and stamp.read_text() == requirements.read_text():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    subprocess.run([venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements], check=True)
    shutil.copy(requirements, stamp)


def node(folder):
    lock, stamp = PEERS / "package-lock.json", folder / "stamp"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(PEERS / name, folder)
    # No installation script runs: .npmrc disables them.
    subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True)
    shutil.copy(lock, stamp)


def versions(installed):
    """Returns the versions of the targets, without details of the machine."""
    ours = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    packages = json.loads((PEERS / "package.json").read_text())["dependencies"]
    pinned = dict(line.split("==") for line in (PEERS / "requirements.txt").read_text().split() if "==" in line)
    return {"stackgen": ours, "serverless-offline": packages["serverless-offline"], "osls": packages["osls"],
            "ministack": pinned["ministack"]}
