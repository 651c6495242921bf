"""The simulated analyzer and implementer, fed with the very prompts that real models would get."""

import asyncio
import itertools
import json
import random
from collections import Counter
from pathlib import Path

import pytest
from cases import Script, ask, case, rollout, submission, tried

from evolve.analyzer import analyzer_prompt, diagnose
from evolve.edits import apply_edits, parse_edits
from evolve.implementer import Rejected, Workshop, implement, implementer_prompt
from evolve.iteration import Candidate, Cause, Diagnosis
from evolve.same_edit import Change, comparable, same_edit_prompt
from evolve.scope import check_files
from harness.models.simulated import analyzer, implementer, rewriting, wording
from harness.models.simulated.concepts import brief
from harness.parsing import Malformed, parse

BASELINE = Path(__file__).parents[3] / "baseline_repo" / "cs"
FILES = {
    path.relative_to(BASELINE).as_posix(): path.read_text("utf-8")
    for path in sorted(BASELINE.rglob("*"))
    if path.suffix in (".md", ".py")
}
OTHER = {
    "README.md": "r\n",
    "agent.py": "def create(document, env):\n    text = env.ask(document.text)\n    env.submit(text)\n",
    "prompts/all.md": 'Read it.\n\n1. Invent a question.\n2. Give context.\n3. Add criteria, "signed".\n',
}
SAYS = {
    "generic": "Anybody who works in the field knows this: it is common knowledge. So it grows.",
    "shallow": "That needs one step only. It follows directly from the premise.",
    "leak": "As the context says, the queue keeps pairs. So be it.",
}
STRONG = "I would go on, but the context does not say how a tie is defined."
SOUND = "Pairs tie, the counter decides, hence the order of insertion is kept."
CLEAR = {
    "generic": (
        "Questions can be answered from general knowledge",
        "Rest it on what only this document shows.",
    ),
    "leak": ("The context gives the answer away", "Keep the conclusion out of the context."),
    "format": ("Submissions are malformed JSON", "Demand strict JSON with integer weights."),
    "misfire": ("Vague negative criteria sink strong answers", "Make each negative criterion specific."),
}


def diagnosis(*keys: str) -> Diagnosis:
    """A diagnosis that names these causes in words."""
    causes = (
        Cause(title=CLEAR[key][0], explanation="See below.", evidence=("rollout 1",), remedy=CLEAR[key][1])
        for key in keys
    )
    return Diagnosis(summary="It fails.", causes=tuple(causes))


def diagnoses(shown, count: int = 150) -> Counter[str]:
    """Which causes the simulated analyzer names first, over many draws."""
    prompt, found = analyzer_prompt(shown), Counter[str]()
    for seed in range(count):
        try:
            first = parse(analyzer.reply(prompt, random.Random(seed)), Diagnosis).causes[0]
        except Malformed:
            found["malformed"] += 1
            continue
        found[next((key for key, titles in analyzer.TITLES.items() if first.title in titles), "odd")] += 1
    return found


def proposals(files, keys=("generic", "leak"), count: int = 200, history=()) -> Counter[str]:
    """Outcomes of the whole implementer with its repairs, over many draws; a child must compile."""

    class Model:
        def __init__(self, seed: int) -> None:
            self.rng = random.Random(seed)

        async def ask(self, request):
            text = implementer.reply(request.messages[0].content, self.rng)
            return (await Script(text).ask(request)).model_copy()

    async def build(parent, new, iteration, message):
        return (
            Rejected("no_change", "same")
            if new == files
            else Candidate("c5", 5, "c3", "d" * 40, new["agent.py"])
        )

    async def smoke(candidate):
        try:
            compile(candidate.tree, "agent.py", "exec")
        except SyntaxError as error:
            return str(error)
        undefined = "submit(polish(" in candidate.tree and "def polish" not in candidate.tree
        return "NameError: polish" if undefined else None

    shown = case(files=files, history=history)
    run = (implement(Model(seed), shown, diagnosis(*keys), Workshop(build, smoke)) for seed in range(count))
    return Counter(asyncio.run(one).outcome for one in run)


def edited(files, keys, seed: int, history=()) -> dict[str, str] | None:
    """The files after a first reply, None if it does not apply."""
    text = implementer.reply(
        implementer_prompt(case(files=files, history=history), diagnosis(*keys)), random.Random(seed)
    )
    try:
        return apply_edits(files, parse_edits(text))
    except ValueError:
        return None


@pytest.mark.parametrize("key", list(SAYS))
def test_the_analyzer_reads_what_weak_answers_say(key):
    """The cause that weak solvers' words betray is named first most of the time, and now and then another one."""
    found = diagnoses(case(rollout("d", ask(), submission([SAYS[key]] * 3)), files=FILES))
    assert found.most_common(1)[0][0] == key and found[key] >= 90
    assert found.total() - found[key] >= 5


def test_the_analyzer_reads_strong_answers_and_negative_criteria():
    """A strong solver's complaint and negative criteria met by good answers are told apart."""
    missing = submission([SOUND], [STRONG] * 3, "failed_on_strong")
    hits = tuple(one.model_copy(update={"hits": one.hits[:7] + (False,) * 3}) for one in missing.strong)
    missing = missing.model_copy(update={"strong": hits})
    assert diagnoses(case(rollout("d", missing), files=FILES)).most_common(1)[0][0] == "underspecified"
    misfiring = submission([SOUND], [SOUND] * 3, "failed_on_strong")
    assert diagnoses(case(rollout("d", misfiring), files=FILES)).most_common(1)[0][0] == "misfire"


def test_the_analyzer_reads_malformed_submissions():
    """Submissions that could not be read point to the format."""
    bad = submission([], stage="malformed", example=None, verification=None, malformed="{'weight': '+8'}")
    assert diagnoses(case(rollout("d", bad), files=FILES)).most_common(1)[0][0] == "format"


def test_the_analyzer_heeds_what_the_prompts_already_say():
    """An instruction that is there already makes its cause less likely to be named."""
    shown = rollout("d", ask(), submission([f"{SAYS['leak']} {SAYS['generic']}"] * 3))
    said = "Keep the conclusion out of the context. Could somebody answer by quoting it? It must stop short of that.\n"
    told = {**FILES, "prompts/challenger.md": FILES["prompts/challenger.md"] + said}
    before, after = diagnoses(case(shown, files=FILES)), diagnoses(case(shown, files=told))
    assert after["leak"] < before["leak"] / 2


def test_the_analyzer_quotes_what_stands_there():
    """Evidence of a cause that shows is a literal quotation with its place."""
    shown = case(rollout("d", ask(), submission([SAYS["leak"]] * 3)), files=FILES)
    quotes = [
        quote
        for seed in (1, 2, 3, 4, 5)
        for cause in parse(analyzer.reply(analyzer_prompt(shown), random.Random(seed)), Diagnosis).causes
        for quote in cause.evidence
    ]
    assert any(
        'rollout 1, submission 1, weak attempt 0: "As the context says, the queue keeps pairs."' in q
        for q in quotes
    )


def claimed(*rollouts, count: int = 100) -> list[Cause]:
    """The causes that the simulated analyzer names first, over many draws."""
    prompt, found = analyzer_prompt(case(*rollouts, files=FILES)), list[Cause]()
    for seed in range(count):
        text = analyzer.reply(prompt, random.Random(seed))
        found.append(parse(text.replace('"fix"', '"remedy"'), Diagnosis).causes[0])
    return found


MINIBATCH = (
    rollout("good", submission([SOUND], stage="accepted"), score=1.0),
    rollout("leaky", submission([SAYS["leak"]] * 3)),
    rollout("sound", submission([SOUND], stage="quality")),
)


def test_the_analyzer_predicts_what_it_saw_fail():
    """It mostly names the failed rollouts that show the cause and the stage at which they ended, and errs now and then."""
    causes = claimed(*MINIBATCH)
    right = [one for one in causes if one.title in analyzer.TITLES["leak"]]
    assert sum(one.fixes == (2,) for one in right) >= 0.7 * len(right) > 50
    assert sum(one.kind == "too_easy" for one in right) >= 0.7 * len(right)
    assert any(one.fixes == (3,) for one in causes) and any(one.fixes == () for one in causes)


def test_the_analyzer_predicts_within_the_minibatch():
    """Fixes are failed rollouts and breaks accepted ones, named by the numbers that the prompt shows."""
    causes = claimed(*MINIBATCH)
    assert {number for one in causes for number in one.fixes} == {2, 3}
    assert {number for one in causes for number in one.breaks} == {1}
    assert sum(bool(one.breaks) for one in causes) < 50


def test_without_a_failure_nothing_is_predicted():
    """Where every rollout was accepted there is nothing to fix."""
    assert not any(one.fixes for one in claimed(MINIBATCH[0]))


def test_the_analyzer_compares_changes():
    """A change in the same words as an earlier one is mostly recognised, and another one mostly is not."""
    history = [
        tried(1, "dropped", summary="Adds a joke."),
        tried(2, "dropped", summary="Demands a chain of steps."),
    ]

    def share(summary: str, number: int | None) -> int:
        change = Change(FILES, {**FILES, "prompts/new.md": "More.\n"}, summary)
        shown = case(files=FILES, history=history)
        prompt = same_edit_prompt(shown, change, comparable(shown.parent, history))
        replies = (json.loads(analyzer.reply(prompt, random.Random(seed))) for seed in range(100))
        return sum(one["same_as"] == number for one in replies)

    assert 80 <= share("demands a chain of steps", 2) < 100
    assert 80 <= share("Keeps the conclusion out of the context.", None) < 100


def test_the_analyzer_is_not_always_readable_but_mends_itself():
    """Rarely a first answer is invalid; the second, shown the error, never is."""
    shown = case(rollout("d", ask(), submission([SAYS["leak"]] * 3)), files=FILES)

    class Model:
        def __init__(self, seed: int) -> None:
            self.seed = seed

        async def ask(self, request):
            text = analyzer.reply(request.messages[0].content, random.Random(self.seed))
            return (await Script(text).ask(request)).model_copy()

    tries = Counter[int]()
    for seed in range(200):
        found, exchanges = asyncio.run(diagnose(Model(seed), shown))
        assert found is not None
        tries[len(exchanges)] += 1
    assert set(tries) == {1, 2} and tries[2] <= 20


@pytest.mark.parametrize("files", [FILES, OTHER], ids=["baseline", "other"])
def test_every_outcome_occurs_and_most_edits_are_proposed(files):
    """Whatever the scaffold looks like, three quarters of the edits become children and each failure happens."""
    found = proposals(files)
    assert found["proposed"] >= 140
    assert all(found[name] >= 2 for name in ("no_change", "out_of_scope", "broken", "no_proposal")), found


@pytest.mark.parametrize("files", [FILES, OTHER], ids=["baseline", "other"])
def test_edits_apply_to_whatever_prompts_there_are(files):
    """Edits that apply stay in scope or are meant not to; most change the prompt that matters."""
    results = [edited(files, ("generic", "leak", "misfire", "format"), seed) for seed in range(200)]
    applied = [one for one in results if one is not None and one != files]
    good = [one for one in applied if check_files(one, files) is None]
    assert len(good) >= 130


def test_edits_pile_up_over_generations():
    """Twenty edits in a row still apply, and the prompts stay of a sensible size."""
    files = dict(OTHER)
    kept = 0
    for seed in range(60):
        new = edited(files, ("generic", "leak", "format", "misfire"), seed)
        if new is not None and new != files and check_files(new, files) is None:
            files, kept = new, kept + 1
    assert kept >= 20 and all(len(text) < 40_000 for text in files.values())


def test_the_implementer_follows_the_diagnosis():
    """What it writes is about the causes named, seldom about others."""
    about = Counter[str]()
    for seed in range(200):
        text = implementer.reply(
            implementer_prompt(case(files=FILES), diagnosis("leak")), random.Random(seed)
        )
        summary = text.split("\n")[0].removeprefix("SUMMARY: ").rstrip(".").lower()
        about["leak" if summary in wording.SUMMARIES["leak"] else "other"] += 1
    assert about["leak"] >= 110


def test_refuted_ideas_are_taken_up_less_often():
    """A remedy the history refuted loses against one that it did not."""

    def share(history) -> int:
        prompt = implementer_prompt(case(files=FILES, history=history), diagnosis("leak", "generic"))
        replies = (
            implementer.reply(prompt, random.Random(seed)).split("\n")[0].lower() for seed in range(200)
        )
        return sum(any(one in text for one in wording.SUMMARIES["leak"]) for text in replies)

    refuted = [tried(n, "dropped", summary="Keeps the conclusion out of the context.") for n in range(1, 6)]
    assert share(refuted) < 0.6 * share(())


def test_switching_the_policy_is_coherent():
    """No place asks for signed rubrics or negative criteria after the switch, and it is asked for once."""
    new = rewriting.positive_only(
        {key: FILES[key] for key in FILES if key != "README.md"}, "All criteria are positive."
    )
    text = "\n".join(new[key] for key in new if key.startswith("prompts/"))
    assert '"signed"' not in text and "-1 to -10" not in text and "to +10" not in text
    assert text.count("All criteria are positive.") == 1 and '"positive-only"' in text
    understood = brief(new["prompts/challenger.md"])
    assert (understood.positive_only, understood.policy, understood.heaviest) == (True, "positive-only", 7)


@pytest.mark.parametrize(
    "agent",
    [OTHER["agent.py"], FILES["agent.py"], "from __future__ import annotations\n\n" + OTHER["agent.py"]],
)
def test_code_that_tidies_submissions_works(agent):
    """The normalising function reads JSON out of prose, turns weights into integers, and leaves the rest alone."""
    new = rewriting.tidying(agent, random.Random(1))
    names: dict[str, object] = {"__file__": str(BASELINE / "agent.py")}
    exec(compile(new, "agent.py", "exec"), names)
    (tidy,) = (value for key, value in names.items() if key in ("tidy", "normalised", "as_task"))
    text = 'Here: {"rubric": [{"weight": "+8"}, {"weight": -3.0}]} Done.'
    assert tidy(text) == {"rubric": [{"weight": 8}, {"weight": -3}]}
    for odd in (
        "no json",
        '{"rubric": 3}',
        '{"rubric": [3]}',
        '{"rubric": [{"weight": "high"}]}',
        '{"x": 1}',
        {"a": 1},
    ):
        assert tidy(odd) == odd
    assert "import json" in new and rewriting.tidying(new, random.Random(1)) == ""


@pytest.mark.parametrize("role", [analyzer, implementer])
def test_replies_depend_on_prompt_and_state_alone(role):
    """The same prompt and random state give the same reply."""
    shown = case(files=FILES)
    prompt = analyzer_prompt(shown) if role is analyzer else implementer_prompt(shown, diagnosis("leak"))
    assert role.reply(prompt, random.Random(7)) == role.reply(prompt, random.Random(7))
    assert len({role.reply(prompt, random.Random(seed)) for seed in range(20)}) > 5


@pytest.mark.parametrize("key", wording.CAUSES)
def test_the_implementers_own_words_take_effect(key):
    """Wordings made without the challenger's lexicon in hand are understood by it, nearly all of them."""
    base = FILES["prompts/challenger.md"]
    wordings = ["".join(parts) for parts in itertools.product(*wording.INSTRUCTIONS[key])]
    effects = [brief(f"{base}\n\n{one}\n").strengths[key] - brief(base).strengths[key] for one in wordings]
    assert sum(effect > 0.15 for effect in effects) >= 0.8 * len(wordings) > 40


@pytest.mark.parametrize("text", wording.INSTRUCTIONS["irrelevant"][0])
def test_irrelevant_words_have_no_effect(text):
    """What is beside the point changes nothing in how the prompt is understood."""
    base = FILES["prompts/challenger.md"]
    assert brief(f"{base}\n\n{text}\n") == brief(base)


@pytest.mark.parametrize("key", wording.CAUSES)
def test_history_is_recognised_by_its_summaries(key):
    """Every summary the implementer writes is found again under its cause when it stands in the history."""
    assert all(key in wording.topics(text) for text in wording.SUMMARIES[key])
