"""The exception tree. Whose fault it is decides what happens, so every error belongs to exactly one branch.

    EvolveError                   shown to people without a traceback
    ├── UsageError                the user's input: settings, documents, arguments          exit 2
    ├── OurFault                  never charged to a candidate; the run stops, resumable    exit 1
    │   ├── ProviderError         the endpoint is down, refuses or answers nonsense         exit 3
    │   ├── SandboxError          no confinement where one is required
    │   └── StorageError          disk, database, git or lock
    ├── CandidateFault            the scaffold crashed, hung or broke the protocol: recorded, scores 0
    │   └── Stalled               it made no progress by the clock; measured again before it counts
    ├── InvalidMeasurement        an instrument role answered unusably: missing data, never 0
    │   └── Unanswerable          the prompt itself was refused; the submission in it is the candidate's
    └── BudgetSpent               a quiet, resumable stop                                   exit 4

A `CandidateFault` and an `InvalidMeasurement` become data in exactly one place, `harness/rollout.py`.
"""

from typing import ClassVar


class EvolveError(Exception):
    """Base of all; the message says what was wrong, with the value, and what to do next."""

    exit_code: ClassVar[int] = 1


class UsageError(EvolveError):
    """Something the user wrote cannot be used as it is."""

    exit_code: ClassVar[int] = 2


class OurFault(EvolveError):
    """Infrastructure failed; no candidate is charged for it."""


class ProviderError(OurFault):
    """An endpoint is down, refuses us, or answers what is no chat completion, after all retries."""

    exit_code: ClassVar[int] = 3


class SandboxError(OurFault):
    """The confinement that was asked for does not work here."""


class StorageError(OurFault):
    """Disk, database, git repository or run lock."""


class CandidateFault(EvolveError):
    """The scaffold's own failure; `kind` is its name in every record.

    kind: `crashed`, `hung`, `bad_request`, `over_limit` or `exhausted`.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class Stalled(CandidateFault):
    """The wall-clock limit fired: perhaps the scaffold sleeps, perhaps the machine was busy. Measure again."""

    def __init__(self, detail: str) -> None:
        super().__init__("hung", detail)


class InvalidMeasurement(EvolveError):
    """An instrument role gave no usable answer after its repairs and retries; `reason` names role and cause.

    cause: the last problem by name: `empty`, `cut_off`, `refused`, `failed`, `unreadable`, or `undecided` where an answer
    could be read but not marked.
    """

    def __init__(self, reason: str, cause: str = "undecided") -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause

    @property
    def role(self) -> str:
        """Who gave nothing usable: what stands before the first colon of the reason."""
        return self.reason.partition(":")[0]


class Unanswerable(InvalidMeasurement):
    """An endpoint refused a prompt every time because of what is in it: too long, or filtered. Who wrote that answers."""


class BudgetSpent(EvolveError):
    """A limit of the budget is reached; everything recorded so far stands and the run can go on later."""

    exit_code: ClassVar[int] = 4


def bare(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a task group's failure is for those outside: our own error if all are ours, else the group.

    Raise it outside of any `except*`, which may wrap what is raised inside it.
    """
    ours, others = group.split(EvolveError)
    return group if ours is None or others is not None else first(ours)


def first(group: BaseExceptionGroup[BaseException]) -> EvolveError:
    """The first plain error inside a group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, EvolveError)
    return error
