"""Which edits count as tried before: by their lines, and by the analyzer's judgement."""

import asyncio
import json
from dataclasses import replace

import pytest
from cases import FILES, PARENT, Script, case, tried

from evolve.same_edit import (
    SHOWN_EARLIER,
    Change,
    comparable,
    edit_hash,
    judged,
    repeated,
    same_edit_prompt,
    tried_before,
)
from evolve.same_edit import Same as Verdict
from harness.errors import BudgetSpent

PROMPT = "prompts/challenger.md"
KEY = "0123456789abcdef"


def edited(new: str, path: str = PROMPT) -> dict[str, str]:
    return {**FILES, path: new}


def added(text: str, path: str = PROMPT) -> str:
    return edit_hash(FILES, edited(FILES[path] + text, path))


def past(number: int, outcome: str, parent: str = "c0", key: str = KEY):
    return replace(tried(number, outcome, parent), edit_hash=key)


def test_the_same_lines_are_the_same_edit_on_any_parent():
    """What else the files hold, and where the line is put, does not count."""
    other = {"agent.py": "x = 1\n", PROMPT: "Another prompt.\n\nWith other lines.\n"}
    line = "- Ask for three steps.\n"
    first = added(line)
    assert first == edit_hash(FILES, edited(line + FILES[PROMPT]))
    assert first == edit_hash(other, {**other, PROMPT: "Another prompt.\n\n" + line + "With other lines.\n"})


def test_case_blanks_and_empty_lines_of_prose_do_not_count():
    """Retyping an edit makes no new one, and an edit of blanks alone is none."""
    assert added("- Ask for three steps.\n") == added("\n\n  - ask  for\tTHREE steps.  \n\n")
    assert added("\n  \n") == ""


def test_indentation_and_case_of_code_count():
    """In Python both change what is done; blanks at line ends do not."""
    assert added("    env.submit(x)\n", "agent.py") != added("env.submit(x)\n", "agent.py")
    assert added("X = 1\n", "agent.py") != added("x = 1\n", "agent.py")
    assert added("x = 1  \n\n", "agent.py") == added("x = 1\n", "agent.py")


@pytest.mark.parametrize(
    "other",
    [
        edited(FILES[PROMPT] + "- Ask for four steps.\n"),
        edited(FILES["prompts/refine.md"] + "- Ask for three steps.\n", "prompts/refine.md"),
        edited(FILES[PROMPT].replace("Write one task.\n", "") + "- Ask for three steps.\n"),
        {**edited(FILES[PROMPT] + "- Ask for three steps.\n"), "prompts/new.md": "More.\n"},
    ],
)
def test_other_lines_files_and_removals_are_other_edits(other):
    """Another text, another file, a line removed as well, a file more."""
    assert edit_hash(FILES, other) not in ("", added("- Ask for three steps.\n"))


def test_the_order_of_lines_counts():
    """The same two lines the other way round are another edit."""
    assert added("- a b\n- c d\n") != added("- c d\n- a b\n")


def test_removing_a_line_is_not_adding_it():
    """The sign of a change counts."""
    more = edited(FILES[PROMPT] + "- Ask for three steps.\n")
    assert edit_hash(more, FILES) != edit_hash(FILES, more)


@pytest.mark.parametrize("outcome", ["survived", "contender", "dropped", "not_improved"])
def test_what_was_measured_on_the_same_parent_is_refused(outcome):
    """Kept or dropped: the result is known, and the reason names the iteration."""
    reason = tried_before(KEY, PARENT, [past(2, outcome, PARENT.id)])
    assert reason and "iteration 2" in reason and "the same parent" in reason


@pytest.mark.parametrize("outcome", ["dropped", "not_improved"])
def test_what_was_dropped_on_another_parent_is_refused(outcome):
    """A change that did not help elsewhere is not paid for here."""
    reason = tried_before(KEY, PARENT, [past(2, outcome, "c1")])
    assert reason and "another parent, c1" in reason and "dropped" in reason


@pytest.mark.parametrize("outcome", ["survived", "contender"])
def test_what_was_kept_on_another_parent_is_measured(outcome):
    """A change that seemed to help elsewhere may be taken over, even if it was dropped somewhere as well."""
    assert tried_before(KEY, PARENT, [past(1, outcome, "c1")]) is None
    assert tried_before(KEY, PARENT, [past(1, outcome, "c1"), past(2, "dropped", "c2")]) is None


@pytest.mark.parametrize("one", [past(2, "broken", PARENT.id), past(2, "dropped", PARENT.id, key="f" * 16)])
def test_what_was_not_measured_is_not_refused(one):
    """A child that did not start may be mended; another change is another change."""
    assert tried_before(KEY, PARENT, [one]) is None


def test_an_edit_without_identity_is_never_the_same():
    """Iterations without an edit do not match an edit of blanks."""
    assert tried_before("", PARENT, [past(2, "dropped", PARENT.id, key="")]) is None


CHANGE = Change(FILES, edited(FILES[PROMPT] + "- Ask for three steps.\n"), "asks for steps")


def ask(script: Script, *history, stage: str = "model"):
    return asyncio.run(repeated(script, case(history=history), CHANGE, stage))


def verdict(number: int | None, why: str = "both want steps") -> str:
    return json.dumps({"same_as": number, "why": why})


def test_the_diff_is_compared_without_a_call():
    """A change known by its lines costs nothing; by files alone it is let through."""
    known = past(2, "dropped", PARENT.id, key=CHANGE.hash)
    assert "iteration 2" in ask(Script(), known, stage="diff")[0]
    assert "iteration 2" in ask(Script(), known)[0]
    assert ask(Script(), known, stage="tree") == (None, ())
    assert ask(Script(), past(2, "dropped"), stage="diff") == (None, ())


def test_the_analyzer_is_asked_where_the_lines_are_new():
    """One call, drawn apart from the diagnosis; its verdict refuses, and the exchange is kept."""
    script = Script(verdict(2))
    reason, exchanges = ask(script, past(2, "dropped"))
    assert reason == "this is the idea of iteration 2 again, which was dropped: both want steps"
    asked = script.asked[0]
    assert (asked.role, asked.draw.side, asked.draw.ordinal) == ("analyzer", "edit", 1)
    assert [(one.role, one.problem) for one in exchanges] == [("analyzer", "")]


@pytest.mark.parametrize("said", [verdict(None), verdict(99), "I cannot tell.", '{"same_as": "two"}', "{}"])
def test_an_answer_that_names_no_earlier_change_refuses_nothing(said):
    """A new idea, a number that was not shown and an unreadable answer let the change through after one call."""
    reason, exchanges = ask(Script(said), past(2, "dropped"))
    assert reason is None and len(exchanges) == 1


def test_without_earlier_changes_nobody_is_asked():
    """There is nothing to compare with."""
    assert ask(Script()) == (None, ())


def test_the_end_of_the_budget_passes_through():
    """It is no verdict."""

    class Broke:
        async def ask(self, request):
            raise BudgetSpent("no money left")

    with pytest.raises(BudgetSpent):
        ask(Broke(), past(2, "dropped"))


def test_dropped_changes_and_the_parent_s_own_are_compared():
    """What was kept on another branch may be taken over; a control arm's changes are not the analyzer's business."""
    random = replace(tried(9, "dropped"), arm="random")
    history = [
        tried(1, "survived"),
        tried(2, "dropped"),
        tried(3, "survived"),
        tried(4, "not_improved"),
        tried(5, "broken"),
        tried(6, "contender"),
        random,
    ]
    assert [one.number for one in comparable(PARENT, history)] == [4, 3, 2]
    assert len(comparable(PARENT, [tried(n, "dropped") for n in range(1, 200)])) == SHOWN_EARLIER


def test_a_verdict_on_the_parent_s_own_change_says_that_it_was_kept():
    """The implementer learns that the files hold the idea already."""
    assert "which was kept" in judged(Verdict(same_as=3, why="w"), [tried(3, "survived")])
    assert "which was kept" in judged(Verdict(same_as=3, why="w"), [tried(3, "contender")])
    assert [one.number for one in comparable(PARENT, [tried(1, "contender"), tried(3, "contender")])] == [3]


def test_the_prompt_shows_lines_and_summaries_between_boundaries():
    """The proposed change as lines, the earlier ones in one line each, no validation text, no placeholder."""
    shown = case(history=[tried(2, "dropped", summary="adds\na joke")])
    text = same_edit_prompt(shown, CHANGE, shown.seen.iterations)
    assert (
        f"--- {shown.boundary} proposed change\nasks for steps\n\n{PROMPT}\n+- Ask for three steps." in text
    )
    assert "- iteration 2, dropped: adds a joke" in text
    assert "secret" not in text and "{{" not in text
    giant = Change(FILES, edited("x y z\n" * 50_000), "s")
    assert len(same_edit_prompt(shown, giant, shown.seen.iterations)) < 20_000
