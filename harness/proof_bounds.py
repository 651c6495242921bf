"""What the proofs of a task ask for, as numbers. Pure; docs/proofs.md says where they come from.

A change here, or in what the proofs do, is a new VERSION: it is part of the instrument's hash.
"""

from collections.abc import Sequence

from harness.gate import Preset

VERSION = 1
HIGH, LOW, HALF = 0.8, 0.35, 0.5
AGAIN = 2  # marks, attempts or answers more where there is doubt
FEWEST, COMPARED = 3, 5  # strong answers beside the reference


def reference_bound(preset: Preset) -> float:
    """What the reference answer has to score; never less than strong has to."""
    return max(HIGH, preset.strong_low)


def null_bound(preset: Preset) -> float:
    """What an answer without content may earn at most; never more than the weak solver may."""
    return min(LOW, preset.weak_mean)


def context_bound(preset: Preset) -> float:
    """What may be earned at most by somebody who does not know the question; never more than the weak solver may."""
    return min(HALF, preset.weak_mean)


def in_doubt(words: Sequence[str]) -> bool:
    """Whether more answers have to be compared: too few agree though some do, or there are hardly any.

    words: `same`, `different` or `unsure`, one for each answer.
    """
    agree = words.count("same")
    return agree < FEWEST - 1 if len(words) < FEWEST else 0 < agree <= words.count("different")
