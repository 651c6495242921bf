"""How a child is made: one file a way. A way takes a case and returns an Attempt; it measures nothing."""

from dataclasses import dataclass

from evolve.iteration import Diagnosis, Exchange, Proposal


@dataclass(frozen=True)
class Attempt:
    """What came of trying to make a child. diagnosis: None where none was asked for, or none was usable.

    exchanges: of the diagnosis; those of the edit are the proposal's.
    """

    diagnosis: Diagnosis | None
    proposal: Proposal
    exchanges: tuple[Exchange, ...] = ()
