"""Working copies of the projects."""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path


def checked_out(project, mirror, folder):
    """Returns the folder with the project's files, which are checked out unless they are there."""
    target = folder / project["name"].replace("/", "+")
    if target.is_dir():
        return target
    git = repository(project["repository"], mirror, folder)
    tree = f"{project['commit']}:{project['folder']}"
    archive = subprocess.run(["git", "--git-dir", git, "archive", "--format=tar", tree], capture_output=True)
    if archive.returncode != 0:
        sys.exit(f"{project['name']}: {archive.stderr.decode()}")
    target.mkdir(parents=True)
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(target, filter="data")
    return target


def repository(name, mirror, folder):
    """Returns the git directory of a repository: one of the mirror, or a clone."""
    if mirror:
        found = Path(mirror) / name.replace("/", "+")
        for git in [found / "repo/.git", found / "repo", found / ".git", found]:
            if (git / "objects").is_dir():
                return git
        sys.exit(f"{mirror} has no {name}")
    clone = folder / ".git-mirror" / name.replace("/", "+")
    if not clone.is_dir():
        command = ["git", "clone", "--quiet", "--bare", f"https://github.com/{name}", clone]
        subprocess.run(command, check=True)
    return clone
