"""Do the decisions follow from the recorded draws? Each contest is held again, with the draws that are in the database.

Nothing is measured. Decisions of versions that recorded none, and of rules that cannot be found, are not looked at.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import isclose
from typing import Literal

from evolve.contest import Contest, Decision, Look, Measure, Record, Survival, Terms, Trial
from evolve.from_rows import decision_of
from evolve.iteration import KEPT, Iteration, Outcome
from evolve.memory import QUERIES, loaded
from evolve.population import NEVER, Population, counts
from evolve.race import Rule, numbered
from evolve.report.store import Store
from evolve.rules import function_of, terms_of
from evolve.settings import validate
from harness.errors import UsageError

DECIDED = (*KEPT, "dropped")
WORDS: Mapping[Outcome, str] = {
    "survived": "survives",
    "contender": "becomes a contender",
    "dropped": "is dropped",
}
CLOSE = 1e-9
DECISIONS = "SELECT * FROM decisions WHERE run = :run ORDER BY iteration"
VALIDATION = """SELECT document, name FROM documents WHERE run = :run AND split = 'validation' AND used = 1
    ORDER BY rowid"""
DRAWS = """SELECT side, document, trial, score, margin, outcome FROM rollouts WHERE run = :run
    AND iteration = :iteration AND side IN ('parent', 'child', 'record') ORDER BY side, position"""
Draw = tuple[str, int]
Drawing = Literal["parent", "child", "record"]


@dataclass(frozen=True)
class Replay:
    """What decisions are held against.

    names: the validation documents, id -> name. rule: None in a run that began before there was a choice.
    """

    names: Mapping[str, str]
    terms: Terms
    rule: str | None
    lag: int

    def named(self, name: str) -> Rule | None:
        """The rule of that name; None if there is no such rule here."""
        try:
            step, record = (function_of(name, wanted) for wanted in ("step", "record"))
        except UsageError:
            return None
        return Rule(name, step, record(len(self.names), self.terms), self.terms)


@dataclass(frozen=True)
class Case:
    """One decision as it is recorded, with its draws in the order they were asked for."""

    number: int
    outcome: Outcome
    decision: Decision
    draws: Mapping[Drawing, tuple[Trial, ...]]


def decision_problems(store: Store) -> tuple[int, tuple[str, ...]]:
    """How many decisions were held again, and where another one comes out, or by other draws than those recorded.

    Raises:
        UsageError: the run's settings cannot be read by this version.
    """
    decisions = {row["iteration"]: decision_of(row) for row in store.rows(DECISIONS)}
    tables = {name: store.connection.execute(query, (store.run.run,)) for name, query in QUERIES.items()}
    iterations = loaded({name: map(dict, found) for name, found in tables.items()})
    replay = replay_of(store)
    if decisions and not replay.names:
        return 0, ("decisions are recorded, and no validation document",)
    problems = [*unrecorded(iterations, decisions, replay), *unseen(iterations, replay.lag)]
    rules = {name: replay.named(name) for name in {one.rule for one in decisions.values()}}
    held, descent = 0, Population(iterations).descent
    for one, records in grown(iterations, replay.lag):
        decision = decisions.get(one.number)
        rule = rules[decision.rule] if decision else None
        if decision is None or rule is None:
            continue
        held += 1
        case = Case(one.number, one.outcome, decision, drawn(store, one.number))
        reference = descent.reference(one.parent)
        rival = None if reference == one.parent else records.get(one.parent, NEVER)
        known = records.get(reference, NEVER), rival
        problems += (f"iteration {one.number}: {text}" for text in mistaken(one, reference))
        problems += (
            f"iteration {one.number}: {text}" for text in case_problems(rule, case, known, replay.names)
        )
    return held, tuple(problems)


def replay_of(store: Store) -> Replay:
    """The terms of a run. A version without a choice of rule recorded no error budget."""
    settings = json.loads(store.run.settings)
    chosen = settings["search"]["survival"] if "error" in settings.get("search", {}) else None
    terms = terms_of(validate(settings, f"the settings recorded for {store.run.run}").search)
    names = {row["document"]: row["name"] for row in store.rows(VALIDATION)}
    return Replay(names, terms, chosen, store.run.lag)


def unrecorded(
    iterations: Iterable[Iteration], decisions: Mapping[int, Decision], replay: Replay
) -> Iterator[str]:
    """Where a decision is missing, is too many, or is another rule's than the run's."""
    for one in iterations:
        decision = decisions.get(one.number)
        if decision is None and replay.rule is not None and one.outcome in DECIDED:
            yield f"iteration {one.number}: it is {one.outcome}, and no decision is recorded"
        if decision is not None and one.outcome not in DECIDED:
            yield f"iteration {one.number}: it is {one.outcome}, and a decision is recorded"
        if decision is not None and replay.rule not in (None, decision.rule):
            yield f"iteration {one.number}: decided by rule {decision.rule!r}, the run has {replay.rule!r}"


def unseen(iterations: Sequence[Iteration], lag: int) -> Iterator[str]:
    """Where an iteration saw other results than those up to its number minus the lag, or results that are not there."""
    for one in iterations:
        if one.number and one.sees != (due := max(0, one.number - lag)):
            yield f"iteration {one.number}: it saw iterations up to {one.sees}, should have seen up to {due}"
    there = {one.number for one in iterations}
    for number in range(max(there, default=0) - lag + 1):
        if number not in there:
            yield f"iteration {number}: it is not recorded, later ones saw it"


def grown(iterations: Sequence[Iteration], lag: int) -> Iterator[tuple[Iteration, Mapping[str, Record]]]:
    """Each iteration with what counts for each candidate by the results that it saw; use it before the next one.

    The scores by document that `memory.loaded` gives are those that count, see `population.counts`.
    """
    records: dict[str, Record] = {}
    applied = 0
    for one in iterations:
        while applied < len(iterations) and iterations[applied].number <= max(0, one.number - lag):
            for measured in iterations[applied].evaluations:
                if counts(iterations[applied], measured):
                    tally = measured.tally
                    before = records.get(measured.candidate, NEVER)
                    records[measured.candidate] = before.plus(tally.sums, tally.missing)
            applied += 1
        yield one, records


def drawn(store: Store, number: int) -> dict[Drawing, tuple[Trial, ...]]:
    """The recorded draws of an iteration by side."""
    sides: dict[Drawing, list[Trial]] = {"parent": [], "child": [], "record": []}
    for row in store.rows(DRAWS, iteration=number):
        missing = row["outcome"] == "missing"
        sides[row["side"]].append(Trial(row["document"], row["trial"], row["score"], row["margin"], missing))
    return {side: tuple(trials) for side, trials in sides.items()}


def case_problems(
    rule: Rule, case: Case, known: tuple[Record, Record | None], names: Mapping[str, str]
) -> Iterator[str]:
    """The contest once more, with the recorded draws in place of new ones; where it goes another way it ends.

    The order of the documents, which was drawn at random, is that of the child's first draws. Where documents stand that
    it was never drawn on makes no difference to our rules. known: record and rival of the contest.
    """
    contest = Contest(case.number, order(case.draws["child"], names), known[0], rule.terms, rival=known[1])
    looks: list[Look] = []
    while isinstance(step := rule.step(contest), Measure):
        looks += [step.look] if step.look is not None else []
        theirs, mine = numbered(step.parent, contest.parent), numbered(step.child, contest.child)
        parent = case.draws["parent"][len(contest.parent) :][: len(theirs)]
        child = case.draws["child"][len(contest.child) :][: len(mine)]
        differing = (*other("parent", theirs, parent, names), *other("child", mine, child, names))
        if differing or not (theirs or mine):
            yield from differing or ("the rule asks for no draw and decides nothing",)
            return
        contest = contest.drawn(parent, child)
    looks += [step.look] if step.look is not None else []
    yield from surplus(contest, case)
    yield from verdict(step, Decision(rule.name, step.error, tuple(looks)), case)
    yield from record_problems(case, names, rule.record if case.outcome == "survived" else 0)


def mistaken(one: Iteration, reference: str) -> Iterator[str]:
    """Where the child was compared with draws of somebody else."""
    measured = one.side("parent")
    if measured is not None and measured.candidate != reference:
        yield f"its child is compared with {measured.candidate}, should be with {reference}"


def order(child: Iterable[Trial], names: Iterable[str]) -> tuple[str, ...]:
    """The validation documents, in the order in which the child was first drawn on them."""
    known = dict.fromkeys(names)
    first = (one.document for one in child if one.document in known)
    return tuple(dict.fromkeys((*first, *known)))


def other(
    side: str, asked: Sequence[Draw], recorded: Sequence[Trial], names: Mapping[str, str]
) -> Iterator[str]:
    """The first draw that is recorded otherwise than the rule asks for it."""
    made = [(one.document, one.number) for one in recorded]
    for wanted, there in zip_longest(asked, made):
        if wanted != there:
            asks, has = (shown(one, names) for one in (wanted, there))
            yield f"the rule asks for {asks} of the {side}, recorded is {has}"
            return


def shown(draw: Draw | None, names: Mapping[str, str]) -> str:
    """A draw in words."""
    return f"trial {draw[1]} of {names.get(draw[0], draw[0])!r}" if draw else "none"


def surplus(contest: Contest, case: Case) -> Iterator[str]:
    """Draws that are recorded beyond the decision."""
    sides: tuple[tuple[Drawing, tuple[Trial, ...]], ...] = (
        ("parent", contest.parent),
        ("child", contest.child),
    )
    for side, used in sides:
        if more := len(case.draws[side]) - len(used):
            yield f"the rule decides after {len(used)} draws of the {side}, {more} more are recorded"


def verdict(answer: Survival, again: Decision, case: Case) -> Iterator[str]:
    """Outcome, share of the error budget and looks against those recorded."""
    if answer.outcome != case.outcome:
        recorded = WORDS.get(case.outcome, f"is {case.outcome}")
        yield f"its child {WORDS[answer.outcome]} by the recorded draws, recorded is that it {recorded}"
    if not same(again.error, case.decision.error):
        yield f"its share of the error budget is recorded as {case.decision.error!r}, should be {again.error!r}"
    if len(again.looks) != len(case.decision.looks):
        yield f"{len(case.decision.looks)} looks are recorded, there were {len(again.looks)}"
        return
    for at, (mine, theirs) in enumerate(zip(again.looks, case.decision.looks, strict=True), 1):
        for name in Look.__dataclass_fields__:
            if not same(value := getattr(mine, name), told := getattr(theirs, name)):
                yield f"look {at}: {name} is recorded as {told!r}, should be {value!r}"


def record_problems(case: Case, names: Mapping[str, str], trials: int) -> Iterator[str]:
    """A survivor's fresh record is so many trials of every validation document, no draw more or less."""
    made = sorted((one.document, one.number) for one in case.draws["record"])
    if made != sorted((document, trial) for document in names for trial in range(trials)):
        yield f"the fresh record of its child has {len(made)} draws, not {trials} trials of each of {len(names)} documents"


def same(mine: object, theirs: object) -> bool:
    """Equal, numbers to nine digits: sums may be added in another order by another library."""
    if isinstance(mine, float) and isinstance(theirs, float):
        return isclose(mine, theirs, rel_tol=CLOSE, abs_tol=CLOSE)
    return mine == theirs
