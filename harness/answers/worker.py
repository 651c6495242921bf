"""The process that compares answers: one JSON object a line in, one out, within limits that it sets itself first.

It ends with its standard input, and with its parent. It opens no file and no connection once it is ready.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Any

MEMORY = 2**30
LINE_BYTES = 2**19
PR_SET_PDEATHSIG = 1
LIBRARY_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RecursionError)
LIBRARY_ERRORS_TOO = (TypeError, ValueError, NotImplementedError)


def main(seconds: float) -> None:
    """Serve until the input ends. seconds: of CPU time for one request, rounded up; more of it ends the process."""
    confine()
    from harness.answers.compare import compare, problem  # after the limits are set

    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no reply
    _say(output, {"ready": True})
    while line := sys.stdin.buffer.readline(LINE_BYTES):
        limit_cpu(seconds)
        request = json.loads(line)
        try:
            if "problem" in request:
                _say(output, {"problem": problem(request["problem"], request["kind"])})
            else:
                found = compare(request["reference"], request["answer"], request["kind"])
                _say(output, {"verdict": found.verdict, "how": found.how})
        except (
            LIBRARY_ERRORS + LIBRARY_ERRORS_TOO
        ):  # a case nobody thought of: no verdict, and no new process either
            _say(output, {"lost": "crash"})


def confine() -> None:
    """Limits on memory, files and core dumps; death with the parent, where the kernel can do that."""
    for what, limit in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        with suppress(ValueError, OSError):  # not every system has every limit
            resource.setrlimit(what, (limit, limit))
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def limit_cpu(seconds: float) -> None:
    """Let the process use `seconds` more of CPU time, and be killed after that."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime + seconds) + 2
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


def _say(output: Any, reply: dict[str, Any]) -> None:
    output.write(json.dumps(reply) + "\n")
    output.flush()
