"""The outer loop: a population of scaffolds, evolved as git commits. Start reading at `evolve/loop.py`.

`import evolve` is also the library (docs/library.md). Its names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evolve.following import BaselineMeasured, Event, IterationDone, Result, RunFinished, RunStarted
    from evolve.intervals import Interval
    from evolve.library import arun, events, run
    from evolve.production import Production
    from evolve.recorded import RecordedRun
    from evolve.recorded import open_run as open
    from evolve.report.overview import Entry, Line, Overview
    from evolve.report.store import Score
    from evolve.settings import Settings
    from harness.budget import BudgetLimits
    from harness.errors import (
        EvolveError,
        OurFault,
        ProviderError,
        SandboxError,
        StorageError,
        UsageError,
    )

__version__ = "0.1.0"
__all__ = [
    "BaselineMeasured",
    "BudgetLimits",
    "Entry",
    "Event",
    "EvolveError",
    "Interval",
    "IterationDone",
    "Line",
    "OurFault",
    "Overview",
    "Production",
    "ProviderError",
    "RecordedRun",
    "Result",
    "RunFinished",
    "RunStarted",
    "SandboxError",
    "Score",
    "Settings",
    "StorageError",
    "UsageError",
    "arun",
    "events",
    "open",
    "run",
]
_HOMES = {
    "evolve.following": "BaselineMeasured Event IterationDone Result RunFinished RunStarted",
    "evolve.intervals": "Interval",
    "evolve.library": "arun events run",
    "evolve.production": "Production",
    "evolve.recorded": "RecordedRun open_run",
    "evolve.report.overview": "Entry Line Overview",
    "evolve.report.store": "Score",
    "evolve.settings": "Settings",
    "harness.budget": "BudgetLimits",
    "harness.errors": "EvolveError OurFault ProviderError SandboxError StorageError UsageError",
}


def __getattr__(name: str) -> Any:
    wanted = "open_run" if name == "open" else name
    home = next((home for home, names in _HOMES.items() if wanted in names.split()), None)
    if home is None or name not in __all__:
        raise AttributeError(f"module 'evolve' has no attribute {name!r}")
    return getattr(import_module(home), wanted)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
