"""The seven causes of failure: visible in what the simulated roles write, rarer once a prompt minds them, and noisy."""

import json
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from statistics import fmean, stdev

import pytest
from simulated_play import (
    REMEDIES,
    Scaffold,
    attempt,
    documents,
    first_prompt,
    judge_prompt,
    play,
    rate,
    say,
    solver_prompt,
    usable,
    verifier_prompt,
)

from harness.domains import RubricChecks as Checks
from harness.domains import cs
from harness.judge import read as read_judgement
from harness.models.simulated import challenger, items, sources, world
from harness.models.simulated.clauses import CAUSES
from harness.models.simulated.concepts import brief
from harness.models.simulated.judge import read_criterion
from harness.models.simulated.solvers import understand
from harness.parsing import Malformed, parse
from harness.trajectory import Example

DOCUMENTS = documents(60)
TASK = brief("Write a question and a rubric.")
Sign = Callable[[Example], bool]


@cache
def tasks(*sentences: str) -> tuple[Example | None, ...]:
    """What the challenger writes in six draws for each of 60 documents; None where it is malformed."""
    written = []
    for number, source in enumerate(DOCUMENTS):
        prompt = first_prompt(source, *sentences)
        for draw in range(6):
            try:
                written.append(cs.read(say("challenger", prompt, 10 * number + draw)))
            except Malformed:
                written.append(None)
    return tuple(written)


@cache
def flawed(*flaws: str) -> tuple[Example, ...]:
    """Sixty tasks with exactly these flaws."""
    made = []
    for number, source in enumerate(DOCUMENTS):
        task = challenger.write(random.Random(number), sources.read(source.text), TASK, frozenset(flaws))
        made.append(cs.read(task))
    return tuple(made)


def depth(example: Example) -> int:
    return max((step[2] for step in understand(solver_prompt(example)).steps), default=0)


def broad(example: Example) -> int:
    return sum(
        one.weight > 0
        and not read_criterion(one.criterion).claims
        and not read_criterion(one.criterion).decider
        for one in example.rubric
    )


SIGNS: dict[str, Sign] = {
    "generic": lambda task: any(
        (cause, one) in world.COMMON
        for cause, results in world.links(task.context).items()
        for one in results
    ),
    "shallow": lambda task: depth(task) == 1 and not understand(solver_prompt(task)).lost,
    "leak": lambda task: bool(world.statements(task.context)),
    "underspecified": lambda task: bool(understand(solver_prompt(task)).lost),
    "misfire": lambda task: any(
        one.weight < 0 and read_criterion(one.criterion).vague for one in task.rubric
    ),
    "lenient": lambda task: broad(task) > 2,
}


def share(cause: str, *sentences: str) -> float:
    """How often a cause shows in the tasks that such a prompt brings about."""
    written = tasks(*sentences)
    if cause == "format":
        return sum(one is None for one in written) / len(written)
    read = [one for one in written if one is not None]
    return sum(map(SIGNS[cause], read)) / len(read)


def scores(examples: tuple[Example, ...], solver: str) -> list[list[float]]:
    return [[attempt(one, solver, 100 * n + draw) for draw in range(3)] for n, one in enumerate(examples)]


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_shows_at_baseline_and_yields_to_its_remedy(cause: str) -> None:
    """A slip that the baseline's prompt leaves open is common, and rare once the prompt asks for its remedy."""
    before, after = share(cause), share(cause, REMEDIES[cause])
    assert before > 0.05
    assert after < 0.6 * before


@pytest.mark.parametrize("cause", CAUSES)
def test_irrelevant_advice_cures_nothing(cause: str) -> None:
    """Advice that has nothing to do with a cause leaves it about as common as it was."""
    before = share(cause)
    assert abs(share(cause, "Write in British English and use short sentences.") - before) < 0.09


@pytest.mark.parametrize("cause", ["generic", "shallow", "lenient", "leak"])
def test_what_is_too_easy_is_easy_for_the_weak_solver(cause: str) -> None:
    """Generic, shallow, leaky and leniently marked tasks bring the weak solver above the gate's bound on average."""
    assert fmean(map(fmean, scores(flawed(cause)[:25], "weak"))) > 0.66


@pytest.mark.parametrize("cause", ["underspecified", "misfire"])
def test_what_sinks_the_strong_solver_sinks_it(cause: str) -> None:
    """Missing premises and vague negative criteria bring the strong solver below the gate's bound on average."""
    assert fmean(map(fmean, scores(flawed(cause)[:25], "strong"))) < 0.55


def test_sound_tasks_separate_the_solvers_and_attempts_are_noisy() -> None:
    """On tasks without flaws strong beats weak clearly, and attempts at one task differ by about 0.15."""
    weak, strong = (scores(flawed(), solver) for solver in ("weak", "strong"))
    assert 0.15 < fmean(map(fmean, strong)) - fmean(map(fmean, weak)) < 0.4
    assert 0.6 < fmean(map(fmean, strong)) < 0.95
    assert 0.10 < fmean(map(stdev, weak + strong)) < 0.20


@pytest.mark.parametrize(
    ("cause", "solver", "words"),
    [
        ("generic", "weak", "well known in the field"),
        ("shallow", "weak", "directly in one step"),
        ("leak", "weak", "As the context says"),
        ("underspecified", "strong", "The context does not say"),
    ],
)
def test_solvers_say_what_is_wrong(cause: str, solver: str, words: str) -> None:
    """An answer to a flawed task says so in words that answers to sound tasks do not use."""

    def said(examples: tuple[Example, ...]) -> int:
        return sum(words in say(solver, solver_prompt(one), n) for n, one in enumerate(examples[:40]))

    assert said(flawed(cause)) >= 36
    assert said(flawed()) <= 2


def test_vague_negatives_hit_strong_answers() -> None:
    """The judge calls vague negative criteria met on long, confident answers, and narrow ones hardly ever."""

    def hits(example: Example, number: int) -> float:
        answer = say("strong", solver_prompt(example), number)
        prompt = judge_prompt(example, answer)
        met = usable("judge", prompt, number, lambda text: read_judgement(text, len(example.rubric)))
        return fmean(hit for hit, one in zip(met, example.rubric, strict=True) if one.weight < 0)

    vague = fmean(hits(one, n) for n, one in enumerate(flawed("misfire")[:40]))
    narrow = fmean(hits(one, n) for n, one in enumerate(flawed()[:40]))
    assert vague > 0.4 and narrow < 0.25


def test_the_verifier_sees_most_leaks() -> None:
    """The verifier reports leaks for most tasks that leak, in words, and for few that do not."""

    def leaks(examples: tuple[Example, ...]) -> list[Checks]:
        prompts = [verifier_prompt(source.text, one) for source, one in zip(DOCUMENTS, examples, strict=True)]
        checks = [
            usable("verifier", prompt, n, lambda text: parse(text, Checks))
            for n, prompt in enumerate(prompts)
        ]
        return [one for one in checks if one.leak]

    seen = leaks(flawed("leak"))
    assert len(seen) > 25 and all("context states the conclusion" in one.feedback for one in seen)
    assert len(leaks(flawed())) <= 4


def test_malformed_tasks_are_what_code_could_mend() -> None:
    """What is malformed holds the task all the same: string weights, decimals, prose or a stray field."""
    spoiled = Counter()
    for number, source in enumerate(DOCUMENTS):
        made = items.plan(random.Random(number), sources.read(source.text), frozenset())
        task = {"rubric": items.rubric(random.Random(number), made, items.Style()), "question": "q"}
        text = challenger.spoil(random.Random(number), task)
        kept = json.loads(text[text.index("{") : text.rindex("}") + 1])
        assert len(kept["rubric"]) >= 10 and kept["question"] == "q"
        spoiled[type(kept["rubric"][0]["weight"]).__name__] += 1
    assert spoiled["str"] > 15 and spoiled["float"] > 2 and spoiled["int"] > 10


def test_a_listed_leak_makes_the_next_one_less_likely() -> None:
    """A failure that names a leak lowers the risk of another, a little."""
    parts = challenger.take_apart(first_prompt(DOCUMENTS[0]))
    reminded = type(parts)(
        parts.document, "FAILED QUALITY CHECK\n- x [The context states the conclusion]", ""
    )
    assert challenger.risks(TASK, reminded)["leak"] < challenger.risks(TASK, parts)["leak"]


def test_baseline_passes_on_about_one_document_in_six_and_the_remedied_on_most() -> None:
    """Pass rates over the whole loop: near 1/6 at baseline, near 0.6 with all remedies; half of the failures too easy."""
    played = play(Scaffold().create, DOCUMENTS, trials=3)
    cured = play(Scaffold(tuple(REMEDIES.values())).create, DOCUMENTS, trials=3)
    assert 0.10 < rate(played) < 0.27
    assert 0.48 < rate(cured) < 0.72
    stages = Counter(report["stage"] for env in played for report in env.reports)
    assert stages["too_easy"] > 0.45 * (stages.total() - stages["accepted"])
    assert all(stages[one] > 10 for one in ("malformed", "quality", "failed_on_strong"))


@pytest.mark.parametrize(
    "sentence", ["Ask easy questions that a beginner can answer.", "Ask the solver to explain the text."]
)
def test_bad_advice_harms(sentence: str) -> None:
    """Asking for easy or for explaining questions makes many more tasks generic or shallow."""
    for cause in ("generic", "shallow"):
        assert share(cause, sentence) > share(cause) + 0.15


def test_dropping_the_document_harms() -> None:
    """Without the document in the prompt next to nothing passes."""
    blind = Scaffold(replaced={"{{document}}": ""})
    assert rate(play(blind.create, DOCUMENTS)) <= 0.05


def test_positive_only_has_to_change_with_its_policy() -> None:
    """No negative criteria under the signed policy break the count rule; with policy and weights changed they pass it."""
    half = tasks("Write no negative criteria.")
    whole = tasks(
        'Write no negative criteria; use weights from 1 to 7 and set rubric_policy to "positive-only" only.'
    )

    def broken(written: tuple[Example | None, ...]) -> float:
        read = [one for one in written if one is not None]
        return fmean(bool(cs.count_problems(one.rubric_policy, one.rubric)) for one in read)

    assert broken(half) > 0.9
    assert broken(whole) < 0.4
