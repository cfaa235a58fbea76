"""Runs commands one after another and measures them as whole processes."""

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field


@dataclass
class Subject:
    """What is measured: commands that together do one job, such as 20 runs of stackgen for 20 stacks."""

    name: str
    commands: list
    env: dict = field(default_factory=dict)
    cwd: str = "."
    # Codes of a job that is done.
    exits: tuple = (0,)
    seconds: list = field(default_factory=list)
    peak_kib: int = 0

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def spread(self):
        """The middle half of the runs."""
        if len(self.seconds) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return low, high


def measure(subjects, rounds):
    """One run of each to warm up, which also tells its memory; then rounds, in each of which every subject runs
    once, so that noise on the machine hits all alike."""
    for subject in subjects:
        subject.peak_kib = max(peak_kib(subject, command) for command in subject.commands)
    for _ in range(rounds):
        for subject in subjects:
            subject.seconds.append(sum(wall_seconds(subject, command) for command in subject.commands))


def wall_seconds(subject, command):
    """From spawning the process to having waited for it."""
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
    """The largest resident set among the command's processes. By GNU time, because the kernel counts the memory
    that a child had before exec, and the child of a Python begins with Python's."""
    with tempfile.NamedTemporaryFile("r") as report, _output_to_file() as output:
        timed = ["/usr/bin/time", "--output", report.name, "--format", "%M", *command]
        env = {**os.environ, **subject.env}
        code = subprocess.run(timed, env=env, cwd=subject.cwd, stdout=output, stderr=output).returncode
        _check(subject, command, code, output)
        return int(report.read().split()[-1])


class _working_folder:
    """posix_spawn has no working folder of its own."""

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
