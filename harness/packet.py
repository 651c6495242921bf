"""The diagnostic packet: what was measured of a rubric task, as plain text for whoever decides on it. Pure.

Attempts are labelled W1, W2, ... and S1, S2, ... in the order of their draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.gate import rubric_score
from harness.trajectory import Attempt, Criterion, Example, Step

LONGEST_CRITERION = 240
LONGEST_SUGGESTION = 300
NEARLY = 900  # characters of a question that has room for 1,000
HIGH, LOW = 0.90, 0.30
EASIER = 0.9


@dataclass(frozen=True)
class Met:
    """One criterion and how many attempts of each solver met it."""

    number: int
    criterion: Criterion
    weak: int
    strong: int


def packet(step: Step, earlier: Sequence[Step] = ()) -> str:
    """What was measured of a submission whose attempts are all there. earlier: the steps before it, asks included.

    Raises:
        ValueError: a solver has no attempt: a missing measurement is no diagnosis.
    """
    if step.example is None or not step.weak or not step.strong:
        raise ValueError("a packet needs a task and attempts of both solvers; measure the missing ones first")
    before = [one for one in earlier if one.kind == "submit" and one.report is not None]
    parts = [
        summary(step),
        section("Attempts", attempts_table(step)),
        section("Criteria", criteria_table(step)),
        section("Capabilities, the weakest first", capabilities_table(step)),
        section("Flags", flags(step, before) or ["none"]),
        section("Earlier verdicts", [verdict_line(n, one) for n, one in enumerate(before, 1)] or ["none"]),
    ]
    return "\n\n".join(parts)


def section(title: str, rows: Sequence[str]) -> str:
    """A heading and its rows."""
    return "\n".join([f"## {title}", "", *rows])


def labels(step: Step) -> tuple[str, ...]:
    """The labels of all attempts, the weak ones first."""
    return tuple(
        f"{letter}{n}"
        for letter, made in (("W", step.weak), ("S", step.strong))
        for n in range(1, len(made) + 1)
    )


def summary(step: Step) -> str:
    """The means and the size of things."""
    assert step.example is not None
    weak, strong = mean(step.weak), mean(step.strong)
    missing = f" Missing and made again: {', '.join(step.missing)}." if step.missing else ""
    return (
        f"Weak {weak:.2f}, strong {strong:.2f}, gap {strong - weak:+.2f}.\n"
        f"Valid attempts: {len(step.weak)} weak, {len(step.strong)} strong.{missing}\n"
        f"The question has {len(step.example.question):,} characters. {totals(step.example)}."
    )


def totals(example: Example) -> str:
    """How many criteria a rubric has, and how many points."""
    negatives = sum(one.weight < 0 for one in example.rubric)
    return f"{len(example.rubric)} criteria, {points(example)} points to be earned, {negatives} negative"


def points(example: Example) -> int:
    """The points that a perfect answer earns."""
    return sum(one.weight for one in example.rubric if one.weight > 0)


def mean(made: Sequence[Attempt]) -> float:
    """Mean score in [0, 1]."""
    return fmean(one.score for one in made)


def attempts_table(step: Step) -> list[str]:
    """Each attempt with its score and the numbers of the criteria it met."""
    assert step.example is not None
    rubric = step.example.rubric
    rows = ["| attempt | score | criteria met | negatives met |", "|---|---|---|---|"]
    for label, one in zip(labels(step), (*step.weak, *step.strong), strict=True):
        met = [n for n, hit in enumerate(one.hits, 1) if hit]
        good = [n for n in met if rubric[n - 1].weight > 0]
        rows.append(
            f"| {label} | {one.score:.2f} | {listed(good)} | {listed(sorted(set(met) - set(good)))} |"
        )
    return rows


def listed(numbers: Sequence[int]) -> str:
    """Numbers in a row."""
    return ", ".join(map(str, numbers)) or "none"


def tally(step: Step) -> list[Met]:
    """Every criterion with how often it was met."""
    assert step.example is not None
    return [
        Met(at + 1, one, *(sum(made.hits[at] for made in side) for side in (step.weak, step.strong)))
        for at, one in enumerate(step.example.rubric)
    ]


def criteria_table(step: Step) -> list[str]:
    """Each criterion with its weight and capability, and how many weak and strong attempts met it."""
    rows = ["| no. | weight | capability | weak | strong | criterion |", "|---|---|---|---|---|---|"]
    for one in tally(step):
        text = one_line(one.criterion.criterion, LONGEST_CRITERION)
        rows.append(
            f"| {one.number} | {one.criterion.weight:+d} {one.criterion.weight_class} "
            f"| {one_line(one.criterion.capability, 80)} "
            f"| {one.weak}/{len(step.weak)} | {one.strong}/{len(step.strong)} | {text} |"
        )
    return rows


def one_line(text: str, longest: int) -> str:
    """A text as one cell of a table."""
    joined = " ".join(text.split()).replace("|", "/")
    return joined if len(joined) <= longest else f"{joined[: longest - 1]}…"


def capabilities_table(step: Step) -> list[str]:
    """Each capability with the scores on its criteria alone, sorted by the weak one; those nobody can score on last."""
    assert step.example is not None
    rows = ["| capability | rank | criteria | weak | strong |", "|---|---|---|---|---|"]
    scored = [
        (name, part_score(step, step.weak, name), part_score(step, step.strong, name))
        for name in (*step.example.skills, *step.example.secondary_skills)
    ]
    for name, weak, strong in sorted(scored, key=lambda row: (row[1] is None, row[1] or 0.0, row[0])):
        rank = "primary" if name in step.example.skills else "secondary"
        count = sum(one.capability == name for one in step.example.rubric)
        rows.append(f"| {one_line(name, 80)} | {rank} | {count} | {shown(weak)} | {shown(strong)} |")
    return rows


def part_score(step: Step, made: Sequence[Attempt], capability: str) -> float | None:
    """Mean score on the criteria of one capability; None if none of them is positive."""
    assert step.example is not None
    at = [n for n, one in enumerate(step.example.rubric) if one.capability == capability]
    rubric = [step.example.rubric[n] for n in at]
    if not any(one.weight > 0 for one in rubric):
        return None
    return fmean(rubric_score(rubric, [one.hits[n] for n in at]) for one in made)


def shown(score: float | None) -> str:
    """A score as it is written."""
    return "none" if score is None else f"{score:.2f}"


FLAGS: tuple[tuple[str, str, Callable[[Met, int, int], bool]], ...] = (
    ("nobody_met", "met by no attempt", lambda one, weak, strong: good(one) and one.weak + one.strong == 0),
    (
        "everybody_met",
        "met by every attempt",
        lambda one, weak, strong: good(one) and one.weak + one.strong == weak + strong,
    ),
    (
        "weak_only",
        "met by weak attempts and by no strong one",
        lambda one, weak, strong: good(one) and one.weak > 0 and one.strong == 0,
    ),
    (
        "weak_above_strong",
        "met more often by weak attempts",
        lambda one, weak, strong: good(one) and one.weak * strong > one.strong * weak > 0,
    ),
    (
        "negative_on_strong",
        "negative, and met by strong attempts",
        lambda one, weak, strong: not good(one) and one.strong > 0,
    ),
)


def good(one: Met) -> bool:
    """True if the criterion rewards."""
    return one.criterion.weight > 0


def flags(step: Step, before: Sequence[Step]) -> list[str]:
    """What a reader should look at, each in one row that begins with its name."""
    rows = []
    for name, words, applies in FLAGS:
        found = [one.number for one in tally(step) if applies(one, len(step.weak), len(step.strong))]
        if found:
            rows.append(f"- {name} ({words}): {listed(found)}")
    return rows + whole_flags(step, before)


def whole_flags(step: Step, before: Sequence[Step]) -> list[str]:
    """Flags of the task as a whole."""
    assert step.example is not None
    weak, strong = mean(step.weak), mean(step.strong)
    tested = {one.capability for one in step.example.rubric}
    declared = (*step.example.skills, *step.example.secondary_skills)
    untested = [one_line(name, 80) for name in declared if name not in tested]
    last = next((one.example for one in reversed(before) if one.example is not None), None)
    fewer = last is not None and points(step.example) < EASIER * points(last)
    found = {
        f"- untested_capability: {'; '.join(untested)}": bool(untested),
        "- negative_gap: the weak attempts did better": strong < weak,
        f"- strong_high: {strong:.2f}, above {HIGH:.2f}": strong > HIGH,
        f"- strong_low: {strong:.2f}, below {LOW:.2f}": strong < LOW,
        f"- long_question: {len(step.example.question):,} characters": len(step.example.question) > NEARLY,
        f"- smaller_rubric: {points(step.example)} points, {points(last) if last else 0} before": fewer,
    }
    return [row for row, applies in found.items() if applies]


def verdict_line(number: int, step: Step) -> str:
    """An earlier submission in one row: where it ended, its means, its rubric's totals, what was asked for."""
    assert step.report is not None
    weak, strong = step.report.weak_mean, step.report.strong_mean
    said = step.opinion.suggestion or step.opinion.reason if step.opinion else step.report.feedback
    parts = [
        f"{number}. {step.report.stage} ({', '.join(step.report.reasons)})",
        f"weak {weak:.2f}, strong {strong:.2f}"
        if weak is not None and strong is not None
        else "not measured",
        totals(step.example) if step.example else "unreadable",
    ]
    return "; ".join(parts) + (f". Said: {one_line(said, LONGEST_SUGGESTION)}" if said else "")
