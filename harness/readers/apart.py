"""PDF and .docx are read in a process of their own: one that hangs, crashes or swells costs its file and nothing else.

`Apart` is the program's side of it, `serve` what runs there.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer
from time import process_time
from types import TracebackType

from pydantic import ValidationError

from harness.readers import pdf, word
from harness.readers.wire import Extract, Job, Kind

MOST_CPU = 30  # seconds for one file
MOST_TIME = 300.0
MOST_MEMORY = 2 << 30
MOST_REPLY = 8 << 20
EXTRACTORS = {"pdf": pdf.extract, "docx": word.extract}
START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from harness.readers.apart import serve
serve(int(sys.argv[2]))
"""


class Apart:
    """The process that reads files: begun when it is first needed, and again after one has broken it."""

    def __init__(self, most_cpu: int = MOST_CPU) -> None:
        self.most_cpu = most_cpu
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Apart":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def extract(self, kind: Kind, path: Path) -> Extract:
        """The text of a file, or why there is none, within `most_cpu` seconds of computing and 2 GB of memory."""
        process = self._process = self._process or _started(self.most_cpu)
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = Timer(MOST_TIME, process.kill)
        watchdog.start()
        try:
            process.stdin.write(
                Job(kind=kind, path=os.fsencode(path.absolute()).hex()).model_dump_json().encode() + b"\n"
            )
            process.stdin.flush()
            return Extract.model_validate_json(process.stdout.readline(MOST_REPLY))
        except (OSError, ValidationError):
            return Extract(problem=self._ended())
        finally:
            watchdog.cancel()

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ended(self) -> str:
        """Why there is no process any more, in words."""
        process = self._process
        assert process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        code = process.poll()
        self.close()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):  # the latter is the watchdog's
            return f"reading it takes more than {self.most_cpu} s"
        return "its reader broke down on it; it is damaged, or needs more than 2 GB of memory"


def _started(most_cpu: int) -> subprocess.Popen[bytes]:
    """A process of this interpreter that finds what this one finds and hears of no Ctrl-C."""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", START, json.dumps(sys.path), str(most_cpu)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def serve(most_cpu: int) -> None:
    """Answer a line with a line until there are no more."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):  # not every system limits it
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for line in sys.stdin.buffer:
        wanted = int(process_time()) + most_cpu
        resource.setrlimit(resource.RLIMIT_CPU, (wanted if most < 0 else min(wanted, most), most))
        job = Job.model_validate_json(line)
        try:
            answer = EXTRACTORS[job.kind](Path(os.fsdecode(bytes.fromhex(job.path))))
        except MemoryError:
            answer = Extract(problem="it needs more than 2 GB of memory")
        except OSError as error:
            answer = Extract(problem=error.strerror or "it cannot be opened")
        sys.stdout.buffer.write(answer.model_dump_json().encode() + b"\n")
        sys.stdout.buffer.flush()
