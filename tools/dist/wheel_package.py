"""Wheel for pip, pipx and uvx. It contains the binary as a script, and no Python."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from product import ROOT, licence_files


def make(product, out):
    """Writes the wheel. Its tag names the oldest system that runs the binary."""
    tag = product.platform.wheel_tag
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        scripts = folder / f"stackgen-{product.version}.data/scripts"
        scripts.mkdir(parents=True)
        shutil.copy(product.binary, scripts / "stackgen")
        info = folder / f"stackgen-{product.version}.dist-info"
        (info / "licenses").mkdir(parents=True)
        for licence in licence_files():
            shutil.copyfile(licence, info / "licenses" / licence.name)
        (info / "METADATA").write_text(metadata(product))
        (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nGenerator: stackgen\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n")
        subprocess.run([sys.executable, "-m", "wheel", "pack", folder, "--dest-dir", out], check=True, stdout=subprocess.DEVNULL)
    return [out / f"stackgen-{product.version}-py3-none-{tag}.whl"]


def metadata(product):
    return "\n".join([
        "Metadata-Version: 2.4",
        "Name: stackgen",
        f"Version: {product.version}",
        f"Summary: {product.release.summary}",
        f"Project-URL: Repository, {product.release.repository}",
        "License-Expression: Apache-2.0 OR MIT",
        *(f"License-File: {licence.name}" for licence in licence_files()),
        "Requires-Python: >=3.8",
        "Keywords: aws,api-gateway,websocket,cloudformation,sam",
        "Classifier: Environment :: Console",
        "Classifier: Programming Language :: Rust",
        "Description-Content-Type: text/markdown",
        "",
        (ROOT / "README.md").read_text(),
    ])
