"""End of the launcher and of the processes that it started."""

import asyncio
import os
import shutil
import signal
import stat
import sys
import threading
import time

# Seconds in which functions must end.
FUNCTIONS = 2


def lead_process_group():
    """Moves this process and its later children to a group of their own, so that `finish` reaches all of them."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)


async def end_requested():
    """Waits for SIGTERM or SIGINT, the end of the parent, or the end of stdin if that is a pipe or a socket."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if reads_from_parent(0):
        threading.Thread(target=wait_for_end_of_stdin, args=(loop, ended), daemon=True).start()
    parent = os.getppid()
    # Not PR_SET_PDEATHSIG: it fires when the thread ends that started this process.
    while not ended.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(ended.wait(), 0.2)
        except asyncio.TimeoutError:
            pass


def reads_from_parent(descriptor):
    """Returns true if the descriptor is a pipe or a socket. /dev/null would end at once, and a terminal would stop us."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def wait_for_end_of_stdin(loop, ended):
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(ended.set)


def finish(scratch, status):
    """Ends functions, deletes temporary files, and exits. Nothing that ministack would do at an orderly end is necessary."""
    end_functions()
    shutil.rmtree(scratch, ignore_errors=True)
    sys.stderr.flush()
    os._exit(status)


def end_functions():
    """Sends SIGTERM to the processes of the group. Kills the group, with this process, if that does not end them."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + FUNCTIONS
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended and time.monotonic() > deadline:
            os.killpg(0, signal.SIGKILL)
        if not ended:
            time.sleep(0.02)
