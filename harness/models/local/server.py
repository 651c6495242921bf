"""The process that serves a GGUF file over HTTP, as OpenAI does; the only importer of xllamacpp, a thin, moving wrapper.

    python -m harness.models.local.server MODEL.gguf NAME SLOTS CONTEXT PORT

Port 0 takes a free one. When the model is loaded one line on stdout tells the base URL. It ends when its stdin does.
A crash in native code ends this process and no other.
"""

import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from typing import Any

PR_SET_PDEATHSIG = 1
HOST = "127.0.0.1"
THREADS = 32  # for HTTP; they only wait
MISSING, REFUSED = 3, 4  # exit codes


@dataclass(frozen=True)
class Wanted:
    """What to serve: a file, under which name, with how many slots of how many tokens each, at which port."""

    path: str
    name: str
    slots: int
    context: int
    port: int


def main(path: str, name: str, slots: str, context: str, port: str) -> int:
    """Serve until nobody holds the other end of stdin any more."""
    die_with_parent()
    told = os.dup(1)
    os.dup2(2, 1)  # what native code prints is no message of ours
    # else idle threads spin, and one other busy process on the machine makes it twenty times slower
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp

        wanted = Wanted(path, name, int(slots), int(context), int(port))
        server = xllamacpp.Server(parameters(xllamacpp.CommonParams(), wanted))
    except ImportError as error:
        return refused(error, MISSING)
    except RuntimeError as error:
        return refused(error, REFUSED)
    os.write(told, f"{server.listening_address}/v1\n".encode())
    while os.read(0, 1024):
        pass
    os._exit(0)  # calls in flight are nobody's any more


def parameters(found: Any, wanted: Wanted) -> Any:
    """llama.cpp's parameters: one model, so many slots, and nothing remembered from call to call."""
    found.model.path = wanted.path
    found.model_alias = {wanted.name}
    found.hostnames = [HOST]
    found.port = wanted.port
    found.n_parallel = wanted.slots
    found.n_ctx = wanted.slots * wanted.context
    found.n_threads_http = THREADS
    found.cache_prompt = False  # what an earlier call left in a slot changes the last digits, and so the draw
    found.cache_ram_mib = 0
    found.offline = True
    found.ui = False
    found.verbosity = 1  # errors
    return found


def refused(error: Exception, code: int) -> int:
    """Say why it does not start."""
    sys.stderr.write(f"{error}\n")
    return code


def die_with_parent() -> None:
    """Have the kernel end this process with its parent, also while native code lets nobody read stdin. Linux alone can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
