"""What `evolve doctor` looks at: one function a check, each from values of this machine to findings. Changes nothing."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Finding:
    """One check. `found`: what is, in a line. `remedy`: what to do, empty only where the state is ok."""

    name: str
    state: State
    found: str
    remedy: str = ""


def ok(name: str, found: str) -> Finding:
    return Finding(name, "ok", found)


def warn(name: str, found: str, remedy: str) -> Finding:
    """Works, but not as well or as surely as it could."""
    return Finding(name, "warn", found, remedy)


def bad(name: str, found: str, remedy: str) -> Finding:
    """A run would fail, now or later."""
    return Finding(name, "bad", found, remedy)
