"""The legal domain: the form of a case, what forbids a question, the extractor, and the way through the stages."""

import json

import pytest
from fakes import Env
from legal_tasks import QUESTION, asked_with, case, findings, rolled, row, scripted, verdict, with_row
from rollouts import submits

from harness.domains.legal import DOMAIN, Findings, LegalChecks, overrides, problems, read
from harness.loop_judge import LoopVerdict
from harness.parsing import Malformed
from harness.trajectory import CHECKS, Rollout


def test_a_case_is_read_as_object_and_as_text() -> None:
    """Both give the same example: no context, capabilities as skills, weights with their classes."""
    found = read(case())
    assert found == read(json.dumps(case())) == read(f"```json\n{json.dumps(case())}\n```")
    assert (found.context, found.rubric_policy, found.question_type) == ("", "banded", "client scenario")
    assert found.skills == ("applying rules", "weighing duties") and found.secondary_skills == (
        "plain words",
    )
    assert found.rubric[0].capability == "applying rules" and found.rubric[0].weight_class == "substantial"
    assert problems(found) == overrides(found) == ()


@pytest.mark.parametrize(
    ("submission", "told"),
    [
        (with_row(1, weight="+5"), r"rubric\.0\.weight"),
        (with_row(1, weight=5.0), r"rubric\.0\.weight"),
        (with_row(1, weight=11), r"rubric\.0\.weight"),
        (with_row(1, number=0), "numbers run from 1 to 15"),
        (with_row(2, number=3), "numbers run from 1 to 15"),
        (with_row(1, number="1"), r"rubric\.0\.number"),
        (with_row(1, weight_class="Decisive"), r"rubric\.0\.weight_class"),
        (with_row(1, weight_class="minor"), r"rubric\.0\.weight_class"),
        (with_row(1, category="negative"), "a negative criterion cannot have weight 5"),
        (with_row(15, category="positive"), "a positive criterion cannot have weight -5"),
        (with_row(1, weight=0), "cannot have weight 0"),
        (with_row(1, note="x"), r"rubric\.0\.note"),
        (case(context="A lease."), "context"),
        (case(capabilities=["applying rules"]), "capabilities"),
        (case(question=" "), "question"),
        (case(rubric=[]), "rubric"),
        ("no case at all", "not a JSON object"),
        (7, "not int"),
    ],
)
def test_what_is_no_case_is_malformed(submission: object, told: str) -> None:
    """Types, unknown fields, contradictions of sign and numbers out of order are refused by name."""
    with pytest.raises(Malformed, match=told):
        read(submission)


def capabilities(primary: int, secondary: int) -> dict[str, list[str]]:
    """So many of each, those that the rubric names among them."""
    names = ["applying rules", "weighing duties", "third", "fourth", "fifth"]
    return {"primary": names[:primary], "secondary": [f"other {n}" for n in range(secondary)]}


@pytest.mark.parametrize(
    ("submission", "name"),
    [
        (
            case(capabilities=capabilities(1, 1) | {"secondary": ["weighing duties"]}),
            "capabilities_primary_count",
        ),
        (case(capabilities=capabilities(5, 1)), "capabilities_primary_count"),
        (case(capabilities=capabilities(2, 0)), "capabilities_secondary_count"),
        (case(capabilities=capabilities(2, 4)), "capabilities_secondary_count"),
        (case(capabilities=capabilities(2, 1) | {"secondary": ["applying rules"]}), "capabilities_repeated"),
        (
            case(
                rubric=[*case()["rubric"][:13], row(14, category="negative", weight_class="error", weight=-1)]
            ),
            "rubric_too_short",
        ),
        (case(rubric=[*case()["rubric"], *(row(n) for n in range(16, 27))]), "rubric_too_long"),
        (with_row(15, category="positive", weight_class="substantial", weight=5), "rubric_no_negative"),
        (with_row(1, weight_class="decisive", weight=7), "rubric_weight_outside_band"),
        (with_row(1, weight_class="substantial", weight=8), "rubric_weight_outside_band"),
        (with_row(1, weight_class="supporting", weight=1), "rubric_weight_outside_band"),
        (with_row(1, weight_class="error", weight=5), "rubric_weight_outside_band"),
        (with_row(15, weight_class="supporting"), "rubric_weight_outside_band"),
        (with_row(3, capability="drafting"), "rubric_capability_undeclared"),
    ],
)
def test_each_rule_of_form_has_its_name(submission: object, name: str) -> None:
    """One broken rule is named, and no other."""
    assert problems(read(submission)) == (name,)


@pytest.mark.parametrize(
    ("weight_class", "weight"),
    [("decisive", 8), ("decisive", 10), ("substantial", 7), ("supporting", 2), ("supporting", 4)],
)
def test_the_ends_of_a_band_belong_to_it(weight_class: str, weight: int) -> None:
    """Bounds are inclusive."""
    assert problems(read(with_row(1, weight_class=weight_class, weight=weight))) == ()


def test_sizes_at_the_bounds_pass() -> None:
    """Fifteen and twenty-five criteria are allowed, and so are four primary and three secondary capabilities."""
    most = case(rubric=[*case()["rubric"], *(row(n) for n in range(16, 26))], capabilities=capabilities(4, 3))
    assert problems(read(most)) == ()


@pytest.mark.parametrize(
    ("question", "names"),
    [
        (QUESTION, ()),
        ("x" * 1_000, ()),
        ("x" * 1_001, ("question_too_long",)),
        ("In 1938 my grandfather bought the plot. Who owns it?", ("old_year",)),
        ("The court held that notice was late. Am I bound?", ("case_recap",)),
        ("Discuss the liability of the parties.", ("exam_prompt",)),
        (
            "The court held that the lease of 1912 is void. Discuss the claims.",
            ("case_recap", "old_year", "exam_prompt"),
        ),
    ],
)
def test_overrides_are_found_in_the_question(question: str, names: tuple[str, ...]) -> None:
    """Length, recap, examination and old years each have a name; several may apply."""
    assert set(overrides(read(case(question=question)))) == set(names)


def test_findings_of_a_suitable_document_are_complete() -> None:
    """Three to five keywords, an issue and a holding, or it is unreadable; of an unsuitable one nothing is wanted."""
    assert Findings.model_validate_json(findings()).suitable
    for lacking in (
        {"keywords": ["one", "two"]},
        {"keywords": list("abcdef")},
        {"issues": []},
        {"holdings": []},
    ):
        with pytest.raises(ValueError, match="3 to 5 keywords"):
            Findings.model_validate_json(findings(**lacking))
    bare = {"keywords": [], "issues": [], "facts": [], "holdings": []}
    assert not Findings.model_validate_json(findings(suitable=False, **bare)).suitable


def test_notes_reach_the_scaffold() -> None:
    """What the extractor found opens the rollout, without its opinion on the document."""
    models = scripted()
    done = rolled(models, submits(case()))
    assert done.extraction is not None and done.extraction.facts["keywords"] == ["deposit", "lease", "damage"]
    assert done.extraction.facts.keys() == {"document_type", "keywords", "issues", "facts", "holdings"}
    assert len(asked_with(models, Findings)) == 1


def test_an_unsuitable_document_costs_one_call() -> None:
    """Nothing but the extractor is asked, the rollout has no score and says why."""
    models = scripted(extractor=findings(suitable=False, note="A docket entry.", keywords=[]))
    done = rolled(models, submits(case()))
    assert (done.outcome, done.score, done.detail, done.steps) == (
        "doc_not_suitable",
        None,
        "A docket entry.",
        (),
    )
    assert len(models.asked) == 1


@pytest.mark.parametrize("nonsense", ["It looks fine to me.", "{}", findings(keywords=["one"]), ""])
def test_an_extractor_without_an_answer_is_missing_data(nonsense: str) -> None:
    """It is drawn four times; then the document has no score, and no scaffold is started."""
    models = scripted(extractor=nonsense)
    done = rolled(models, submits(case()))
    assert (done.outcome, done.score, done.steps) == ("missing", None, ())
    assert len(models.asked) == 4


def test_an_accepted_case_was_attempted_five_and_three_times() -> None:
    """Extractor, verifier, five weak and three strong attempts, each marked, and the loop judge: 19 calls."""
    models = scripted()
    done = rolled(models, submits(case()))
    (step,) = done.steps
    assert done.outcome == "accepted" and step.report is not None and step.report.stage == "accepted"
    assert (len(step.weak), len(step.strong)) == (5, 3)
    assert (
        step.opinion is not None and step.opinion.accepted and step.opinion.cited == ("W1", "W2", "W3", "S2")
    )
    assert len(models.asked) == 19 and len(asked_with(models, LegalChecks)) == 1


def test_what_a_question_may_not_say_ends_at_improve_and_costs_nothing() -> None:
    """Overrides are named before anybody is asked; broken rules of form come first and name them as well."""
    models = scripted()
    recap, both = case(question="The court held that it is late."), with_row(1, weight=9)
    both["question"] = recap["question"]
    done = rolled(models, submits(recap, both))
    first, second = (step.report for step in done.steps)
    assert first is not None and (first.stage, first.reasons) == ("improve", ("case_recap",))
    assert "case_recap" in first.feedback
    assert second is not None and second.stage == "quality"
    assert second.reasons == ("rubric_weight_outside_band", "case_recap")
    assert len(models.asked) == 1


def test_nobody_accepts_over_an_improve() -> None:
    """Whatever the scores, the loop judge's no goes back to the scaffold with reason, suggestion and packet."""
    models = scripted(weak=1, strong=14, loop_judge=verdict(verdict="improve", suggestion="Sharpen claim 2."))
    done = rolled(models, submits(case()))
    (report,) = (step.report for step in done.steps)
    assert done.outcome == "stopped" and report is not None
    assert (report.stage, report.reasons) == ("improve", ("judge_improve",))
    assert report.feedback.startswith("The gap is one of reasoning. Sharpen claim 2.")
    assert "# Diagnostic packet\n\nWeak 0.07" in report.feedback


def test_sixteen_submissions_are_allowed() -> None:
    """One first round and fifteen improvements; the seventeenth is refused."""
    replies: list[dict[str, object]] = []

    async def play(env: Env) -> None:
        replies.extend([await env.submit(case()) for _ in range(17)])

    done = rolled(scripted(loop_judge=verdict(verdict="improve")), play)
    assert done.outcome == "exhausted" and done.submissions == 16
    assert replies[16] == {"spent": "submissions"} and "report" in replies[15]


def ended(preset: str, weak: int, strong: int) -> Rollout:
    return rolled(scripted(weak, strong), submits(case()), preset=preset)


def test_the_judge_decides_alone_unless_a_gap_is_asked_for() -> None:
    """Preset judge has no bounds; judge-gap and gap want 0.20, and judge-gap asks no judge without it."""
    assert ended("judge", 10, 10).outcome == "accepted"
    assert ended("gap", 4, 10).outcome == ended("judge-gap", 4, 10).outcome == "accepted"
    for preset in ("gap", "judge-gap"):
        (step,) = ended(preset, 9, 10).steps
        assert step.report is not None and step.report.reasons == ("gap_small",) and step.opinion is None
    (step,) = ended("judge", 9, 10).steps
    assert not step.shadow["gap"].accepted


def test_confirmed_asks_the_judge_after_all_attempts_and_then_fresh_ones() -> None:
    """The loop judge sees five weak and three strong attempts at once; fresh ones come after its yes and decide."""
    unproven = dict.fromkeys(CHECKS, False)
    models = scripted(2, 13)
    (step,) = rolled(models, submits(case()), preset="confirmed", checks=unproven).steps
    assert (len(step.weak), len(step.strong), step.posterior) == (5, 3, None)
    assert step.opinion is not None and step.confirmation is not None and step.report is not None
    assert step.report.stage == "accepted" and len(step.confirmation.weak) >= 3
    assert "W5" in asked_with(models, LoopVerdict)[0].messages[0].content


def test_an_improve_is_never_confirmed() -> None:
    """After the loop judge's no there are no fresh attempts, and no checks of the task."""
    models = scripted(2, 13, loop_judge=verdict(verdict="improve"))
    (step,) = rolled(models, submits(case()), preset="confirmed").steps
    assert step.confirmation is None and step.proofs == () and len(models.of("strong")) == 3
    assert step.report is not None and step.report.stage == "improve"


def test_the_checks_of_confirmed_are_made_after_the_judge() -> None:
    """A rubric that empty answers score high on is unproven, whatever the judge said."""
    (step,) = rolled(scripted(2, 13), submits(case()), preset="confirmed").steps
    assert step.opinion is not None and step.report is not None
    assert step.report.stage == "unproven" and "null_high" in step.report.reasons
    assert {one.check for one in step.proofs} <= {"reference", "null_answers", "agreement"}


def test_everything_frozen_is_in_the_instrument() -> None:
    """The domain's own prompts are among those that measure; the one-shot arm's is not."""
    names = DOMAIN.measuring_prompts
    assert {"extractor.md", "loop_judge.md", "verifier.md", "solver.md", "judge.md"} <= names.keys()
    assert "cot.md" not in names
    assert all(f'"{field}"' in names["loop_judge.md"] for field in LoopVerdict.model_fields)
    assert all(f'"{field}"' in names["extractor.md"] for field in Findings.model_fields)
