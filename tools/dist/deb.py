"""Debian package."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from archive import COMPLETIONS, write_documents
from product import LICENCES

# Folders of completions, by shell.
FOLDERS = {
    "bash": "usr/share/bash-completion/completions", "zsh": "usr/share/zsh/vendor-completions",
    "fish": "usr/share/fish/vendor_completions.d",
}


def make(product, out):
    """Writes `stackgen_VERSION_ARCHITECTURE.deb`, with manual pages and completions. macOS has no such package."""
    if product.platform.deb_arch is None:
        return []
    with tempfile.TemporaryDirectory() as temporary:
        root, documents = Path(temporary) / "root", Path(temporary) / "documents"
        documents.mkdir()
        write_documents(product, documents)
        place(product.binary, root / "usr/bin/stackgen", 0o755)
        for page in (documents / "man").iterdir():
            place(page, root / "usr/share/man/man1" / page.name)
        for shell, name in COMPLETIONS.items():
            place(documents / "completions" / name, root / FOLDERS[shell] / name)
        licences = b"\n".join((documents / name).read_bytes() for name in LICENCES)
        (root / "usr/share/doc/stackgen").mkdir(parents=True)
        (root / "usr/share/doc/stackgen/copyright").write_bytes(licences)
        size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text(control(product, size))
        equal_times_and_modes(root)
        file = out / f"stackgen_{product.version}_{product.platform.deb_arch}.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", root, file], check=True, stdout=subprocess.DEVNULL)
    return [file]


def place(source, target, mode=0o644):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def equal_times_and_modes(root):
    """Sets times and the modes of folders, which are part of the package."""
    time = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in [*root.rglob("*"), root]:
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (time, time))


def control(product, size):
    return "\n".join([
        "Package: stackgen",
        f"Version: {product.version}",
        f"Architecture: {product.platform.deb_arch}",
        "Maintainer: stackgen maintainers <maintainers@stackgen.example>",
        f"Installed-Size: {size // 1024}",
        f"Depends: libc6 (>= {product.platform.glibc}), libgcc-s1",
        "Section: utils",
        "Priority: optional",
        f"Homepage: {product.release.repository}",
        f"Description: {product.release.summary.rstrip('.')}",
        " Lints and runs templates of CloudFormation, SAM, CDK and the Serverless",
        " Framework, deploys stacks, and redeploys stages that serve old snapshots.",
        "",
    ])
