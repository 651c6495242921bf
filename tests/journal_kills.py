"""Run as a program that kills itself: `python journal_kills.py DATABASE`.

It records ten calls at once, waits for the first of them, names it on stdout and dies by SIGKILL in the same breath.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from fakes import DRAW, reply

from harness.journal import Entry, Journal


async def main(path: Path) -> None:
    journal = Journal(path)
    entries = [Entry("weak", DRAW.at(attempt=n), reply(f"answer {n}", key=f"{n:032x}")) for n in range(10)]
    tasks = [asyncio.create_task(journal.record(entry)) for entry in entries]
    await tasks[0]
    sys.stdout.write(entries[0].reply.key)
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
