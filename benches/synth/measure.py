"""Runs commands one after another and measures them as whole processes."""

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field


@dataclass
class Subject:
    """Subject of a measurement: commands that together do one job."""

    name: str
    commands: list
    env: dict = field(default_factory=dict)
    cwd: str = "."
    # Exit codes of success.
    exits: tuple = (0,)
    seconds: list = field(default_factory=list)
    peak_kib: int = 0

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def spread(self):
        """Returns the middle half of the runs."""
        if len(self.seconds) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return low, high


def measure(subjects, rounds):
    """Runs each subject once to warm up and to measure its memory. Then runs rounds, in each of which every subject runs
    once, so that noise affects all equally."""
    for subject in subjects:
        subject.peak_kib = max(peak_kib(subject, command) for command in subject.commands)
    for _ in range(rounds):
        for subject in subjects:
            subject.seconds.append(sum(wall_seconds(subject, command) for command in subject.commands))


def wall_seconds(subject, command):
    """Returns the time from spawning the process to its end."""
    with _output_to_file() as output, _working_folder(subject.cwd):
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), fd) for fd in (1, 2)]
        env = {**os.environ, **subject.env}
        start = time.perf_counter()
        pid = os.posix_spawn(command[0], command, env, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        seconds = time.perf_counter() - start
        _check(subject, command, os.waitstatus_to_exitcode(status), output)
        return seconds


def peak_kib(subject, command):
    """Returns the largest resident set of the command's processes. Uses GNU time, because the kernel counts the memory
    of a child before exec, which would be that of Python here."""
    with tempfile.NamedTemporaryFile("r") as report, _output_to_file() as output:
        timed = ["/usr/bin/time", "--output", report.name, "--format", "%M", *command]
        env = {**os.environ, **subject.env}
        code = subprocess.run(timed, env=env, cwd=subject.cwd, stdout=output, stderr=output).returncode
        _check(subject, command, code, output)
        return int(report.read().split()[-1])


class _working_folder:
    """Changes the working folder, because posix_spawn has no parameter for it."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.before = os.getcwd()
        os.chdir(self.folder)

    def __exit__(self, *_):
        os.chdir(self.before)


def _output_to_file():
    return tempfile.TemporaryFile("w+")


def _check(subject, command, code, output):
    if code not in subject.exits:
        output.seek(0)
        raise SystemExit(f"exit code {code} from: {' '.join(map(str, command))}\n{output.read()}")
