"""From a diagnosis to a child, or to a named rejection."""

import asyncio
import re
from dataclasses import replace

import pytest
from cases import DIAGNOSIS, FILES, PARENT, Script, case, reply, tried

from evolve.implementer import Rejected, Workshop, implement, implementer_prompt
from evolve.iteration import Candidate, Prediction
from evolve.same_edit import edit_hash
from harness.errors import StorageError

CHILD = Candidate("c5", 5, "c3", "d" * 40, "b" * 40)


def edit(
    path: str = "prompts/challenger.md", search: str = "Write one task.", text: str = "Write a task."
) -> str:
    return f"SUMMARY: clearer\nFILE: {path}\n<<<<<<< SEARCH\n{search}\n=======\n{text}\n>>>>>>> REPLACE\n"


def write(path: str, text: str = "x = 1") -> str:
    return f"SUMMARY: writes {path}\nWRITE: {path}\n<<<<<<< CONTENT\n{text}\n>>>>>>> END\n"


GOOD = edit()
SAME = edit(text="Write one task.")
MISSING = edit(search="Write two tasks.")
OUTSIDE = write("harness/gate.py")


class Bench:
    """A workshop that keeps what it was given; `built` and `errors` are answered in order, then all is well."""

    def __init__(
        self, built: list[Candidate | Rejected] | None = None, errors: list[str] | None = None
    ) -> None:
        self.built, self.errors = built or [], errors or []
        self.calls: list[tuple[Candidate, dict[str, str], int, str]] = []
        self.smoked: list[Candidate] = []

    async def build(self, parent, files, iteration, message):
        self.calls.append((parent, dict(files), iteration, message))
        return self.built.pop(0) if self.built else CHILD

    async def smoke(self, candidate):
        self.smoked.append(candidate)
        return self.errors.pop(0) if self.errors else None

    def workshop(self, **more) -> Workshop:
        return Workshop(self.build, self.smoke, **more)


def run(script: Script, bench: Bench | None = None, history=(), **more):
    shown = case(history=history)
    return asyncio.run(implement(script, shown, DIAGNOSIS, (bench or Bench()).workshop(**more)))


def test_a_good_edit_becomes_a_child():
    """The edited files are built on the parent with the summary as message, started once, and proposed."""
    bench, script = Bench(), Script(GOOD)
    proposal = run(script, bench)
    expected = {
        **FILES,
        "prompts/challenger.md": FILES["prompts/challenger.md"].replace("one task", "a task"),
    }
    assert bench.calls == [(PARENT, expected, 5, "clearer")]
    assert bench.smoked == [CHILD]
    assert (proposal.outcome, proposal.child, proposal.summary) == ("proposed", CHILD, "clearer")
    draw = script.asked[0].draw
    assert (script.asked[0].role, draw.iteration, draw.side, draw.retry) == ("implementer", 5, "edit", 0)


@pytest.mark.parametrize(
    ("bad", "shown"),
    [
        ("I will not.", "no edit"),
        (MISSING, "does not stand there"),
        (SAME, "leave every file as it was"),
        (OUTSIDE, "harness/gate.py"),
        (edit(text="hidden\u200btext"), "no reader sees"),
    ],
)
def test_a_bad_edit_is_repaired_with_its_error_shown(bad, shown):
    """The second prompt holds the first reply's problem; the repaired edit is proposed."""
    script = Script(bad, GOOD)
    proposal = run(script)
    assert proposal.outcome == "proposed" and shown in script.prompt(1)
    assert [bool(one.problem) for one in proposal.exchanges] == [True, False]
    assert [one.draw.retry for one in script.asked] == [0, 1]


def test_every_earlier_problem_is_shown():
    """The third prompt lists what was wrong with both tries before it, so that the first is not made again."""
    script = Script(MISSING, OUTSIDE, GOOD)
    assert run(script).outcome == "proposed"
    assert re.search(r"Try 1: .*does not stand there[\s\S]*Try 2: .*harness/gate\.py", script.prompt(2))


@pytest.mark.parametrize(
    ("bad", "outcome"),
    [
        ("no idea", "no_proposal"),
        (MISSING, "no_proposal"),
        (SAME, "no_change"),
        (OUTSIDE, "out_of_scope"),
        (write("README.md"), "out_of_scope"),
        (write("../outside.md"), "out_of_scope"),
        (write("prompts/../../x.md"), "out_of_scope"),
        (write("/etc/x.md"), "out_of_scope"),
        (write(".gitattributes", "*.py export-ignore"), "out_of_scope"),
        (write("prompts/Challenger.md"), "out_of_scope"),
        (write("prompts/x.md", "x" * 1_000_000), "no_proposal"),
        (write("prompts/x.md", "x" * 500_000), "out_of_scope"),
        (write("prompts/x.md", "a\0b"), "out_of_scope"),
        ("SUMMARY: s\nDELETE: agent.py", "out_of_scope"),
    ],
)
def test_what_is_never_mended_is_rejected_by_name(bad, outcome):
    """Four bad tries end in the last failure's name with every exchange kept, and nothing is built."""
    bench, script = Bench(), Script(bad, bad, bad, bad)
    proposal = run(script, bench)
    assert (proposal.outcome, proposal.child) == (outcome, None)
    assert proposal.reason and len(proposal.exchanges) == 4 and not bench.calls


def test_a_scaffold_that_does_not_start_is_repaired():
    """The smoke run's error is shown, and the next child is smoked again."""
    bench, script = Bench(errors=["NameError: name 'jsn' is not defined"]), Script(GOOD, GOOD)
    assert run(script, bench).outcome == "proposed"
    assert "NameError: name 'jsn'" in script.prompt(1) and len(bench.smoked) == 2


def test_a_scaffold_that_never_starts_is_broken():
    """Four failing smoke runs reject the edit as broken, with the last error."""
    proposal = run(Script(*[GOOD] * 4), Bench(errors=["e1", "e2", "e3", "SyntaxError in line 4"]))
    assert proposal.outcome == "broken" and "SyntaxError in line 4" in proposal.reason
    assert proposal.summary == "clearer"


def test_the_last_failure_names_the_outcome():
    """Out of scope, then unreadable three times, is no proposal."""
    assert run(Script(OUTSIDE, "a", "b", "c")).outcome == "no_proposal"


@pytest.mark.parametrize("outcome", ["no_change", "out_of_scope"])
def test_what_the_workshop_refuses_is_never_started(outcome):
    """A tree the workshop rejects is shown as such, and keeps its name if it persists."""
    bench = Bench(built=[Rejected(outcome, "same tree as c2")] * 4)
    script = Script(*[GOOD] * 4)
    proposal = run(script, bench)
    assert (proposal.outcome, proposal.reason) == (outcome, "same tree as c2")
    assert not bench.smoked and "same tree as c2" in script.prompt(1)


def test_our_own_faults_pass_through():
    """A full disk is not the edit's failure."""

    async def build(parent, files, iteration, message):
        raise StorageError("disk full")

    with pytest.raises(StorageError):
        asyncio.run(implement(Script(GOOD), case(), DIAGNOSIS, Workshop(build, Bench().smoke)))


def test_a_cut_off_edit_is_never_applied():
    """A reply that hit the token limit is drawn again, even if it holds whole blocks."""
    bench = Bench()
    assert run(Script(reply(GOOD, "length"), GOOD), bench).outcome == "proposed"
    assert len(bench.calls) == 1


def test_the_prompt_shows_diagnosis_history_and_files():
    """Causes, remedies, refuted ideas, every file and the size caps are there; validation text is not."""
    shown = case(history=[tried(2, "dropped", summary="adds a joke")])
    prompt = implementer_prompt(shown, DIAGNOSIS)
    for text in (*FILES.values(), "### Cause 1: The question is general knowledge", "REFUTED", "adds a joke"):
        assert text in prompt
    assert DIAGNOSIS.causes[0].remedy in prompt and DIAGNOSIS.causes[0].evidence[0] in prompt
    assert "65536 bytes" in prompt and "secret" not in prompt
    assert not re.search(r"\{\{\w+\}\}", prompt)


def test_minibatch_exchanges_are_not_repeated_to_the_implementer():
    """The implementer gets the diagnosis, not the raw answers it was drawn from."""
    assert "Everybody knows this." not in implementer_prompt(case(), DIAGNOSIS)


BETTER = edit(text="Write two tasks.")
HASH = edit_hash(
    FILES, {**FILES, "prompts/challenger.md": FILES["prompts/challenger.md"].replace("one task", "a task")}
)


def before(number: int = 2, outcome: str = "dropped"):
    """An iteration that made the change of GOOD."""
    return replace(tried(number, outcome, summary="clearer words"), edit_hash=HASH)


def test_a_proposal_carries_the_identity_of_its_change():
    """A child has the hash of the changed lines; what is rejected has none."""
    assert run(Script(GOOD)).edit_hash == HASH
    assert run(Script(*[SAME] * 4)).edit_hash == ""


def test_an_edit_that_was_tried_before_is_repaired():
    """The second prompt names the earlier iteration; the repeated edit is never started, the new one is."""
    bench, script = Bench(), Script(GOOD, BETTER)
    proposal = run(script, bench, [before()])
    assert proposal.outcome == "proposed" and proposal.edit_hash not in ("", HASH)
    assert "iteration 2 changed the same lines" in script.prompt(1) and len(bench.smoked) == 1


def test_an_edit_that_is_repeated_to_the_end_is_no_change():
    """Four times the same known edit reject the iteration with the reason, and nothing is started."""
    bench = Bench()
    proposal = run(Script(*[GOOD] * 4), bench, [before()])
    assert (proposal.outcome, proposal.child, bench.smoked) == ("no_change", None, [])
    assert "iteration 2" in proposal.reason and proposal.summary == "clearer"


def test_comparing_files_alone_lets_known_lines_through():
    """With same_edit = tree only the files count."""
    assert run(Script(GOOD), history=[before()], same_edit="tree").outcome == "proposed"


def test_the_analyzer_can_judge_whether_an_edit_is_new():
    """With same_edit = model one call more is made for lines that are new, and it is kept among the exchanges."""
    same = '{"same_as": 2, "why": "both ask for clearer words"}'
    new = '{"same_as": null, "why": "another thing"}'
    script = Script(BETTER, same, BETTER + "\n", new)
    proposal = run(script, history=[before()], same_edit="model")
    assert proposal.outcome == "proposed" and "the idea of iteration 2 again" in script.prompt(2)
    assert [one.role for one in proposal.exchanges] == ["implementer"] * 2 + ["analyzer"] * 2


def test_the_prompt_shows_what_is_predicted_and_learnt():
    """The diagnosis says how many rollouts it mends; refuted ideas and lessons have sections of their own."""
    right = Prediction("too_easy", "asks for steps", ("a",), (), 1, None, "confirmed")
    wrong = Prediction("quality", "too much polish", ("a", "b"), (), 0, None, "refuted")
    history = [
        replace(tried(1, "survived"), predictions=(right,)),
        replace(tried(2, "dropped"), predictions=(wrong,)),
    ]
    cause = DIAGNOSIS.causes[0].model_copy(update={"fixes": (1, 2), "breaks": (3,)})
    prompt = implementer_prompt(case(history=history), DIAGNOSIS.model_copy(update={"causes": (cause,)}))
    refuted, lessons = prompt.index("# Refuted ideas"), prompt.index("# Lessons")
    assert (
        refuted
        < prompt.index("too much polish (quality)")
        < lessons
        < prompt.index("asks for steps (too_easy)")
    )
    assert "mends 2 of the failed rollouts of the minibatch; it may spoil 1 that pass" in prompt
    assert "Prediction: none was made." in implementer_prompt(case(), DIAGNOSIS)
