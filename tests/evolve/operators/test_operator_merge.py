"""A child of two survivors: who with whom, from which base, and what becomes of clashes."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cases import CHALLENGER, FILES, Script
from shop import Shop, lineage, measured, within

from evolve.edits import apply_edits, parse_edits
from evolve.operators import merge
from evolve.population import Population
from harness.models.simulated import implementer

HARD = "- The question is hard.\n"
STEPS = "- The question is hard and takes three steps.\n"
OWN = "- The question is hard and rests on this document.\n"


def changed(text: str) -> dict[str, str]:
    return {"prompts/challenger.md": CHALLENGER.replace(HARD, text)}


async def forked(shop: Shop, ours: dict[str, str | None], theirs: dict[str, str | None]):
    """Two children of the baseline."""
    base = await shop.plant()
    one = await shop.child(base, ours, "asks for steps")
    return one, await shop.child(base, theirs, "asks for what is peculiar")


def made(folder, ours, theirs, models: Script, broken: str | None = None):
    async def scene(shop: Shop):
        one, other = await forked(shop, ours, theirs)
        shop.broken = broken
        attempt = await merge.make(models, shop.workshop, shop.repository, await shop.case(one), other)
        child = attempt.proposal.child
        return attempt.proposal, await shop.repository.files(child.commit) if child else None, one

    return within(folder, scene)


def test_changes_without_a_clash_cost_no_call(tmp_path):
    """The child has both changes, is a child of the first parent, and no model was asked."""
    proposal, files, one = made(tmp_path, changed(STEPS), {"lib/check.py": "x = 1\n"}, Script())
    assert files == {**FILES, **changed(STEPS), "lib/check.py": "x = 1\n"}
    assert proposal.child.parent == one.id and proposal.exchanges == () and proposal.edit_hash
    assert proposal.summary == "Merges c2 into c1: asks for what is peculiar"


def test_what_does_not_start_is_broken(tmp_path):
    """A merge without a clash that fails its first start is rejected by name."""
    proposal, _, _ = made(tmp_path, changed(STEPS), {"lib/check.py": "x = 1\n"}, Script(), "NameError")
    assert proposal.outcome == "broken" and "NameError" in proposal.reason


def test_a_clash_is_resolved_by_the_implementer(tmp_path):
    """It sees all three texts and both purposes, and its edit applies to the half-made merge."""
    both = "- The question is hard, takes three steps and rests on this document.\n"
    edit = (
        f"SUMMARY: both\nFILE: prompts/challenger.md\n<<<<<<< SEARCH\n{STEPS}=======\n{both}>>>>>>> REPLACE\n"
    )
    models = Script(edit)
    theirs = {**changed(OWN), "prompts/refine.md": "Another.\n"}
    proposal, files, _ = made(tmp_path, changed(STEPS), theirs, models)
    assert files == {**FILES, **changed(both), "prompts/refine.md": "Another.\n"}
    assert proposal.summary == "both" and len(proposal.exchanges) == 1
    for text in (
        HARD,
        STEPS,
        OWN,
        "asks for steps",
        "asks for what is peculiar",
        "## Clash 1: prompts/challenger.md",
    ):
        assert text.strip() in models.prompt(0)


def test_a_resolution_that_cannot_be_used_is_asked_for_again(tmp_path):
    """The second try sees what was wrong with the first; a whole file is as good as a passage."""
    whole = changed(STEPS + OWN)["prompts/challenger.md"]
    write = f"SUMMARY: both\nWRITE: prompts/challenger.md\n<<<<<<< CONTENT\n{whole}>>>>>>> END\n"
    models = Script("I keep both.", write)
    proposal, files, _ = made(tmp_path, changed(STEPS), changed(OWN), models)
    assert files["prompts/challenger.md"] == whole and "cannot be read" in models.prompt(1)
    assert [one.problem != "" for one in proposal.exchanges] == [True, False]


def test_ours_as_it_is_is_no_change(tmp_path):
    """A resolution that drops all of the other side is the parent again."""
    ours = changed(STEPS)["prompts/challenger.md"]
    keep = f"SUMMARY: A\nWRITE: prompts/challenger.md\n<<<<<<< CONTENT\n{ours}>>>>>>> END\n"
    proposal, _, _ = made(tmp_path, changed(STEPS), changed(OWN), Script(*[keep] * 4))
    assert proposal.outcome == "no_change"


@pytest.mark.parametrize("swapped", [False, True])
def test_nothing_to_merge_is_no_change(tmp_path, swapped):
    """Where one side has already what the other changed, nobody is asked and nothing is built."""
    more = {**changed(STEPS), "lib/check.py": "x = 1\n"}
    sides = (changed(STEPS), more) if swapped else (more, changed(STEPS))
    proposal, _, _ = made(tmp_path, *sides, Script())
    assert proposal.outcome == "no_change" and "already contains" in proposal.reason


def test_the_simulated_implementer_resolves_clashes(tmp_path):
    """Most of its merges hold what both sides ask for, some keep one side; all can be read and applied."""
    models = Script("unread")
    models.replies *= 4
    made(tmp_path, changed(STEPS), {**changed(OWN), "prompts/refine.md": "Another.\n"}, models)
    draft, kept = {**FILES, **changed(STEPS), "prompts/refine.md": "Another.\n"}, Counter()
    for seed in range(60):
        text = implementer.reply(models.prompt(0), random.Random(seed))
        merged = apply_edits(draft, parse_edits(text))["prompts/challenger.md"]
        kept["three steps" in merged, "this document" in merged] += 1
    assert kept[True, True] > 40 and kept[True, False] and kept[False, True]


def test_the_base_is_the_nearest_common_ancestor():
    """Of several common ancestors it is the one that none of the others descends from; a partner is a parent as well."""
    seen = lineage((1, 0), (2, 1), (3, 1), (4, 2, 3), (5, 3), (6, 0))
    born = seen.born
    assert merge.nearest_common(seen, born["c2"], born["c3"]).id == "c1"
    assert merge.nearest_common(seen, born["c4"], born["c5"]).id == "c3"
    assert merge.nearest_common(seen, born["c4"], born["c6"]).id == "c0"


def test_a_partner_is_no_relative():
    """Neither ancestor, nor descendant, nor itself; on a chain there is nobody."""
    seen = lineage((1, 0), (2, 1), (3, 2), (4, 1), (5, 0))
    names = [one.candidate.id for one in merge.partners(seen, seen.born["c2"])]
    assert names == ["c4", "c5"]
    chain = lineage((1, 0), (2, 1))
    assert merge.partner(chain, chain.born["c1"], np.random.default_rng(0)) is None


def test_the_better_partner_is_drawn_more_often():
    """By score: the best most, the worst seldom; equal ones alike."""
    seen = lineage((1, 0), (2, 0), (3, 0), scores=(0.5, 0.2, 0.6))
    rng = np.random.default_rng(0)
    drawn = Counter(merge.partner(seen, seen.born["c1"], rng).id for _ in range(300))
    assert drawn["c3"] > 270 and set(drawn) <= {"c2", "c3"}
    equal = lineage((1, 0), (2, 0), (3, 0))
    drawn = Counter(merge.partner(equal, equal.born["c1"], rng).id for _ in range(300))
    assert min(drawn["c2"], drawn["c3"]) > 110


def test_a_pair_is_merged_once_and_arms_stay_apart():
    """Whoever was merged with the parent before, in either order, is out, and so is another arm's survivor."""
    seen = lineage((1, 0), (2, 0), (3, 0))
    tried = replace(
        measured(seen.born["c3"], 0.5), number=4, outcome="dropped", child=None, parent="c2", partner="c1"
    )
    after = Population([*seen.iterations, tried])
    assert [one.candidate.id for one in merge.partners(after, seen.born["c1"])] == ["c3"]
    other = [
        replace(one, child=replace(one.child, arm="random")) if one.number == 3 else one
        for one in seen.iterations
    ]
    assert [one.candidate.id for one in merge.partners(Population(other), seen.born["c1"])] == ["c2"]
