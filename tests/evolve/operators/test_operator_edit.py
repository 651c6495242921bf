"""The usual way of making a child, and those of the control arm."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from cases import DIAGNOSIS, FILES, Script, case, tried
from shop import BASELINE, measured

from evolve.edits import BadEdit, apply_edits, parse_edits
from evolve.implementer import Workshop
from evolve.iteration import Candidate
from evolve.operators import edit, unguided
from harness.models.simulated import implementer

CHILD = Candidate("c5", 5, "c3", "d" * 40, "b" * 40)
OLD, NEW = "    env.submit(env.ask(document.text))\n", "    env.submit(1)\n"
EDIT = f"SUMMARY: s\nFILE: agent.py\n<<<<<<< SEARCH\n{OLD}=======\n{NEW}>>>>>>> REPLACE\n"
FOLDER = Path(__file__).parents[3] / "baseline_repo" / "cs"
SCAFFOLD = {
    one.relative_to(FOLDER).as_posix(): one.read_text("utf-8") for one in FOLDER.rglob("*.*") if one.is_file()
}


async def build(parent, files, iteration, message):
    return CHILD


async def smoke(candidate):
    return None


SHOP = Workshop(build, smoke)


def test_an_edit_follows_a_diagnosis():
    """First the analyzer is asked, then the implementer, which sees what was found."""
    models = Script(DIAGNOSIS.model_dump_json(), EDIT)
    attempt = asyncio.run(edit.make(models, SHOP, case()))
    assert [one.role for one in models.asked] == ["analyzer", "implementer"]
    assert attempt.diagnosis == DIAGNOSIS and attempt.proposal.child == CHILD
    assert DIAGNOSIS.causes[0].remedy in models.prompt(1)
    assert [one.role for one in (*attempt.exchanges, *attempt.proposal.exchanges)] == [
        "analyzer",
        "implementer",
    ]


def test_without_a_diagnosis_there_is_no_edit():
    """Three unusable answers end the attempt, with the last problem as its reason."""
    attempt = asyncio.run(edit.make(Script(*["no idea"] * 3), SHOP, case()))
    assert attempt.diagnosis is None and attempt.proposal.outcome == "no_proposal"
    assert "no valid diagnosis" in attempt.proposal.reason and len(attempt.exchanges) == 3


def test_the_unguided_edit_knows_nothing():
    """One call of the implementer; scores, history, diagnosis and exchanges of the case are not in its prompt."""
    shown, models = case(history=[tried(2, "dropped", summary="adds a joke")]), Script(EDIT)
    attempt = asyncio.run(unguided.make(models, SHOP, shown))
    assert attempt.diagnosis is None and attempt.proposal.child == CHILD and attempt.proposal.edit_hash
    prompt = models.prompt(0)
    for text in ("adds a joke", "Everybody knows", "Held-out score", "REFUTED", "CAUSES", "{{"):
        assert text not in prompt
    for text in (*FILES.values(), "65536 bytes", "env.submit(example)", "<<<<<<< SEARCH", "strictly higher"):
        assert text in prompt


def test_best_of_n_forgets_what_was_tried():
    """It sees the baseline's own measurement and nothing later, and starts nowhere else."""
    shown = case(
        history=[measured(BASELINE, 0.2), tried(2, "dropped", summary="adds a joke")], parent=BASELINE
    )
    models = Script(DIAGNOSIS.model_dump_json(), EDIT)
    attempt = asyncio.run(unguided.best_of(models, SHOP, shown))
    assert attempt.proposal.child == CHILD
    assert all("adds a joke" not in models.prompt(at) for at in (0, 1))
    assert "(c0): 0.20 over 10 trials" in models.prompt(0)
    with pytest.raises(ValueError, match="c3"):
        asyncio.run(unguided.best_of(models, SHOP, case()))


def test_a_repeated_edit_is_not_measured_twice():
    """The lines of an earlier edit of the same parent are refused to the control arm as well."""
    first = asyncio.run(unguided.make(Script(EDIT), SHOP, case())).proposal
    past = replace(tried(2, "dropped"), parent="c3", edit_hash=first.edit_hash)
    again = asyncio.run(unguided.make(Script(*[EDIT] * 4), SHOP, case(history=[past]))).proposal
    assert again.outcome == "no_change" and "iteration 2" in again.reason


def test_the_simulated_implementer_edits_blindly():
    """Without a diagnosis it mostly rewords or harms, helps by luck, and stumbles as it always does."""
    prompt, found = unguided.unguided_prompt(case(files=SCAFFOLD)), Counter()
    for seed in range(200):
        text = implementer.reply(prompt, random.Random(seed))
        try:
            edits = parse_edits(text)
            changed = apply_edits(SCAFFOLD, edits) != SCAFFOLD
        except BadEdit:
            found["unusable"] += 1
            continue
        idle = ("other words", "tone", "wording", "approachable", "every reader")
        found[
            "idle" if any(one in edits.summary for one in idle) else "remedy" if changed else "unusable"
        ] += 1
    assert found["idle"] > found["remedy"] > 30 and found["unusable"] > 10
