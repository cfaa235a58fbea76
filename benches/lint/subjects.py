"""The linters: their commands, and their findings for files."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

# Keeps checkov and cfn-lint off the network.
QUIET = {"LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false"}
# Exit codes of success: 0, cfn-lint's bits for findings, and those of stackgen and cfn-guard for findings.
EXITS = (0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 19)


class Linter:
    """One of them. `command` judges files or a folder for a person; `found` tells what it has to say of the files of a
    folder, all that it can say, as counts of findings by file name. A finding is told without its lines, so that it is
    the same one in two files of which one is longer."""

    def __init__(self, installed):
        self.installed = installed

    def output(self, words):
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, env={**os.environ, **QUIET})
        if done.returncode not in EXITS:
            raise SystemExit(f"exit code {done.returncode} from: {' '.join(map(str, words))}\n{done.stderr}")
        return done.stdout


class Stackgen(Linter):
    name = "stackgen lint"

    def command(self, paths):
        return [str(self.installed.stackgen), "lint", *map(str, paths)]

    def found(self, folder):
        said = json.loads(self.output([self.installed.stackgen, "lint", "--json", "--min-severity", "note", folder]))
        return counted((one["file"], one["rule"], one["resource"], one["path"], one["message"]) for one in said["findings"])


class CfnLint(Linter):
    name = "cfn-lint"

    @property
    def program(self):
        return str(self.installed.venv / "bin/cfn-lint")

    def command(self, paths):
        return [self.program, *files(paths)]

    def found(self, folder):
        said = json.loads(self.output([self.program, "--include-checks", "I", "--format", "json", *files([folder])]) or "[]")
        return counted((one["Filename"], one["Rule"]["Id"], one["Location"].get("Path"), one["Message"]) for one in said)


class Checkov(Linter):
    name = "checkov"

    def command(self, paths):
        return [str(self.installed.venv / "bin/checkov"), "--quiet", "--compact", "--skip-download", "--framework", "cloudformation",
                *where(paths)]

    def found(self, folder):
        said = json.loads(self.output([*self.command([folder]), "--output", "json"]))
        failed = [] if "results" not in said else said["results"]["failed_checks"]
        return counted((one["file_path"], one["check_id"], one["resource"]) for one in failed)


class CfnGuard(Linter):
    name = "cfn-guard"

    def command(self, paths):
        return [str(self.installed.guard), "validate", "--rules", str(self.installed.rules), "--data", *map(str, paths)]

    def found(self, folder):
        said = json.loads(self.output([*self.command([folder]), "--structured", "--output-format", "json", "--show-summary", "none"]))
        return counted((file["name"], rule["Rule"]["name"], path) for file in said for rule in file["not_compliant"]
                       for path in paths_of(rule))


LINTERS = [Stackgen, CfnLint, Checkov, CfnGuard]


def counted(findings):
    by_file = {}
    for file, *finding in findings:
        by_file.setdefault(Path(file).name, Counter())[json.dumps(finding)] += 1
    return by_file


def rules(findings):
    """Returns the rules of the findings."""
    return {json.loads(finding)[0] for finding in findings}


def files(paths):
    """cfn-lint accepts files."""
    return [str(file) for path in map(Path, paths) for file in (sorted(path.iterdir()) if path.is_dir() else [path])]


def where(paths):
    """checkov accepts a folder or files."""
    return [word for path in map(Path, paths) for word in ("--directory" if path.is_dir() else "--file", str(path))]


def paths_of(said):
    """Returns the template paths that a cfn-guard rule names anywhere in its output."""
    if isinstance(said, dict):
        own = {said["path"].split("[L:")[0]} if isinstance(said.get("path"), str) else set()
        return own.union(*map(paths_of, said.values()))
    return set().union(*map(paths_of, said)) if isinstance(said, list) else set()
