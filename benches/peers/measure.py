"""Runs a command and measures its wall time, CPU time and peak memory, child processes included. Linux only."""

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLE_INTERVAL_S = 0.05
PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    """A command that could not be run, exited with an error, or exceeded its deadline."""


@dataclass
class Sample:
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0
    output: str = ""

    def __add__(self, other):
        peak = max(self.peak_bytes, other.peak_bytes)
        return Sample(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s, peak, self.output + other.output)


def become_subreaper():
    """Adopts the orphans of measured commands, so that their CPU time is counted as well."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def run(command, environment, deadline_s, codes=(0,)):
    """Runs a command to its end and returns a `Sample`.

    `cpu_s` is user plus system time. `peak_bytes` is the greater of two: the peak resident memory of a
    single process, as the kernel counts it, and the greatest sampled sum over all processes, in which
    pages that processes share count once.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        try:
            child = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True
            )
        except OSError as error:
            raise Failed(f"{command[0]}: {error}") from error
        watcher = _Watcher(child.pid, start + deadline_s)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        watcher.stop()
        _reap_orphans()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        text, error_text = (_read(file) for file in (output, errors))
    name = " ".join(os.path.basename(part) for part in command[:3])
    if watcher.expired:
        raise Failed(f"`{name}` exceeded the deadline of {deadline_s} s")
    if child.returncode not in codes:
        reason = error_text.strip().splitlines()[-1:] or ["no message"]
        raise Failed(f"`{name}` exited with code {child.returncode}: {reason[0]}")
    return Sample(wall, cpu, max(watcher.peak_bytes, usage.ru_maxrss * 1024), text)


class _Watcher(threading.Thread):
    """Samples the memory of all child processes, and kills them at the deadline."""

    def __init__(self, pid, deadline):
        super().__init__(daemon=True)
        self.pid, self.deadline = pid, deadline
        self.peak_bytes, self.expired = 0, False
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(SAMPLE_INTERVAL_S):
            self.peak_bytes = max(self.peak_bytes, sum(map(_proportional_bytes, _descendants(os.getpid()))))
            if time.perf_counter() > self.deadline:
                self.expired = True
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
                return

    def stop(self):
        self.done.set()
        self.join()


def _reap_orphans():
    """Kills and reaps the processes that a command left behind."""
    while orphans := list(_descendants(os.getpid())):
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _descendants(pid):
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids = [int(child) for child in children.read_text().split()]
        except OSError:
            continue
        for child in pids:
            yield child
            yield from _descendants(child)


def _proportional_bytes(pid):
    """Resident memory, where a page that n processes share counts 1/n."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _read(file):
    file.seek(0)
    return file.read().decode(errors="replace")
