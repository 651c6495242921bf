"""A plain child process: rlimits and a clean environment, and no confinement. For scaffolds nobody has edited,
or, labelled `external`, for a machine that its user calls disposable."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.sandbox import Answer, Level, Limits
from harness.sandbox.pipe import FLAGS, GUEST, Command, converse, interpreter


@dataclass(frozen=True)
class Process:
    """A Sandbox that keeps a scaffold to its limits but not away from anything."""

    limits: Limits = field(default_factory=Limits)
    level: Level = "process"

    async def run(self, scaffold: Path, opening: dict[str, Any], answer: Answer) -> None:
        """See `Sandbox.run`; the scratch folder is a temporary one, removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="scaffold-", ignore_cleanup_errors=True) as scratch:
            await converse(Command(_argv(scaffold), Path(scratch)), opening, answer, self.limits)


def _argv(scaffold: Path) -> tuple[str, ...]:
    return (str(interpreter()), *FLAGS, str(GUEST), str(scaffold.resolve()))
