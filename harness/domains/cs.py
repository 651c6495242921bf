"""The CS domain: research questions with a weighted rubric. What counts as a submission, and the frozen count rules."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from harness.parsing import Malformed, parse, validate
from harness.types import Criterion, Example, RubricPolicy

VERSION = 1
WEAK_ATTEMPTS = 3
STRONG_ATTEMPTS = 3
LONGEST = 100_000


@dataclass(frozen=True)
class CountRule:
    """How many criteria a rubric of one policy must have, and the largest weight. Bounds are inclusive."""

    fewest: int
    most: int
    positives: int
    negatives: int
    heaviest: int
    negatives_allowed: bool


COUNT_RULES: dict[RubricPolicy, CountRule] = {
    "signed": CountRule(fewest=10, most=20, positives=4, negatives=3, heaviest=10, negatives_allowed=True),
    "positive-only": CountRule(
        fewest=10, most=20, positives=10, negatives=0, heaviest=7, negatives_allowed=False
    ),
}


def read_example(submission: object) -> Example:
    """A scaffold's submission as an Example: a decoded object, or the raw text of one (fences allowed, no repairs).

    Raises:
        Malformed: it is not one; the message says which field and why.
    """
    if isinstance(submission, str):
        return check(parse(submission, Example, repair=False))
    if not isinstance(submission, dict):
        raise Malformed(f"an example is a JSON object, not {type(submission).__name__}")
    example = check(validate(submission, Example))
    if len(json.dumps(submission, ensure_ascii=False)) > LONGEST:
        raise Malformed(f"the example is longer than {LONGEST:,} characters")
    return example


def check(example: Example) -> Example:
    """The example, if each weight has the sign of its category, none is zero, and some weight is positive.

    Raises:
        Malformed: a criterion contradicts itself.
    """
    for number, one in enumerate(example.rubric, 1):
        if one.weight == 0 or (one.weight > 0) != (one.category == "positive"):
            raise Malformed(f"rubric.{number}: a {one.category} criterion cannot have weight {one.weight}")
    if all(one.weight < 0 for one in example.rubric):
        raise Malformed("rubric: no positive criterion")
    return example


def count_problems(policy: RubricPolicy, rubric: Sequence[Criterion]) -> tuple[str, ...]:
    """Names of the count rules of the declared policy that the rubric breaks; empty if none."""
    rule = COUNT_RULES[policy]
    positives = sum(one.weight > 0 for one in rubric)
    negatives = len(rubric) - positives
    broken = {
        "rubric_too_short": len(rubric) < rule.fewest,
        "rubric_too_long": len(rubric) > rule.most,
        "rubric_few_positives": positives < rule.positives,
        "rubric_few_negatives": negatives < rule.negatives,
        "rubric_negatives_not_allowed": negatives > 0 and not rule.negatives_allowed,
        "rubric_weight_too_heavy": any(one.weight > rule.heaviest for one in rubric),
    }
    return tuple(name for name, is_broken in broken.items() if is_broken)
