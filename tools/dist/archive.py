"""Archive with the binary, manual pages and completions, for `cargo binstall`, Homebrew and people."""

import gzip
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from product import ROOT, licence_files

# Shells and the names of their completion files.
COMPLETIONS = {"bash": "stackgen", "zsh": "_stackgen", "fish": "stackgen.fish"}


def make(product, out):
    """Writes `stackgen-VERSION-TARGET.tar.gz`."""
    name = f"stackgen-{product.version}-{product.platform.target}"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        folder.mkdir()
        write_documents(product, folder)
        file = out / f"{name}.tar.gz"
        # The time in gzip's header would change with each run.
        with open(file, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(product.binary, f"{name}/stackgen", filter=anonymous)
            for path in sorted(folder.rglob("*")):
                tar.add(path, str(path.relative_to(temporary)), recursive=False, filter=anonymous)
    return [file]


def write_documents(product, folder):
    """Writes licences, README, manual pages and completions into a folder."""
    for source in [*licence_files(), ROOT / "README.md"]:
        (folder / source.name).write_bytes(source.read_bytes())
    (folder / "man").mkdir()
    subprocess.run([product.binary, "man", "--out", folder / "man"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (folder / "completions").mkdir()
    for shell, name in COMPLETIONS.items():
        (folder / "completions" / name).write_bytes(product.run("completions", shell))


def anonymous(entry):
    """Removes owner and time of an entry of an archive, so that the same contents have the same bytes."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = int(os.environ["SOURCE_DATE_EPOCH"])
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
