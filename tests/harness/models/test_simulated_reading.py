"""How the simulated challenger reads a prompt: remedies in any words, and nothing but the instructions."""

import pytest
from simulated_play import BASELINE, PROMPTS, REMEDIES, documents

from harness.models.simulated.concepts import CAUSES, brief
from harness.models.simulated.reading import find_document, take_apart

PARAPHRASES = {
    "generic": (
        "If a textbook would be enough to answer, throw the question away.",
        "Anchor the task in something peculiar to this paper; a specialist who never read it should be at a loss.",
        "The problem has to hinge on what the authors actually found, not on what every engineer already knows.",
        "Replace any question that would work just as well for a different document.",
        "Mine the document for what sets it apart, an odd choice, an unexpected measurement, and aim at exactly that.",
        "Tasks that test general familiarity with the field are rejected.",
    ),
    "shallow": (
        "Put two constraints into competition and ask which of them wins.",
        "Demand multi-step reasoning: each intermediate result feeds the next.",
        "If the answer follows directly from one sentence, make the problem deeper.",
        "Prefer questions in which a change propagates through several components before it reaches its goal.",
        "It should take four or five deductions to get to the end.",
        "Ask for consequences of consequences.",
    ),
    "leak": (
        "Keep the answer out of the background section.",
        "Strip from the context every sentence that reveals the outcome the rubric rewards.",
        "The solver must derive the result; the introduction stays silent about it.",
        "The context should leave the punchline unsaid.",
        "Facts go into the context, the finding stays hidden.",
        "Check that the reference answer cannot be read straight out of the text you provide.",
    ),
    "underspecified": (
        "Define each term and symbol before you use it.",
        "Solvers never get to see the source, so put all relevant facts into the context.",
        "Leave no parameter or assumption unstated in the setup.",
        "Make the task fully specified.",
        "A term that appears in the question must have been explained in the context.",
        "Nothing that the solver needs may be missing from the context.",
    ),
    "misfire": (
        "Penalties must be narrow: quote the exact wrong statement that triggers them.",
        "A negative item should fire only if the answer asserts a particular error.",
        "Limit penalties to clear-cut factual errors that you name.",
        "Do not write negatives like 'is too general' that any answer might trigger.",
        "Make negatives surgical.",
    ),
    "lenient": (
        "No credit for general talk: a rubric line is met only by a concrete, checkable statement.",
        "Someone who knows the buzzwords but not the solution should score close to zero.",
        "Write rubric items as falsifiable claims rather than broad themes.",
        "An answer that only circles around the subject must come away with nothing.",
        "Don't give marks for generalities.",
    ),
    "format": (
        "Answer with exactly one JSON object, no prose before or after it.",
        "Your entire response must be parseable JSON.",
        "Write weights as numbers without quotes or plus signs.",
        "Do not wrap the JSON in explanations.",
        "The first character of your reply is { and the last is }.",
    ),
}
IRRELEVANT = (
    "Write in British English.",
    "Think carefully before you write, and proofread the task.",
    "You are a world-class expert in computer science.",
    "The context should be between 100 and 200 words and describe the setting in the present tense.",
    "Choose a question that would interest a practitioner.",
    "Vary the question type between rounds.",
    "Put the most important criteria first.",
    "Use complete sentences in the context.",
    "Number the criteria in your head and check that there are at least ten.",
    "Use the terminology of the document.",
    "Let the skills be nouns.",
    "The judge sees the answer only.",
    "Prefer the later parts of the document.",
    "Keep each criterion to one sentence.",
)
SHRUGS = {
    "generic": (
        "Questions that general knowledge can answer are perfectly fine.",
        "Do not lean on the document.",
    ),
    "shallow": ("Do not require several interacting steps; one is enough.", "Avoid multi-step questions."),
    "leak": (
        "Do not worry about leaks: it is fine if the context states the conclusion.",
        "State the conclusion in the context.",
    ),
    "underspecified": ("The context need not be self-contained.", "There is no need to define every term."),
    "misfire": ("Do not bother to make the negative criteria specific.",),
    "lenient": (
        "It is fine to reward answers for merely mentioning the topic.",
        "Be generous with the rubric.",
    ),
    "format": ("There is no need for strict JSON or integer weights.",),
}
FRAMES = (
    "<document>\n{text}\n</document>",
    '<source name="x">\n{text}\n</source>',
    "=== BEGIN DOCUMENT ===\n{text}\n=== END DOCUMENT ===",
    "Here is the document:\n\n```\n{text}\n```",
    'The text follows:\n"""\n{text}\n"""',
    "## The document\n\n{text}",
    "## Source\n\n{text}\n\n## Your task\n\nWrite the question, the rubric and the rest as JSON.",
)


@pytest.mark.parametrize("cause", CAUSES)
def test_the_baseline_asks_for_no_remedy(cause: str) -> None:
    """The baseline's own prompts leave all seven causes to be found."""
    assert brief("\n".join(PROMPTS.values())).strengths[cause] == 0


@pytest.mark.parametrize("cause", CAUSES)
def test_a_remedy_is_understood_in_many_words(cause: str) -> None:
    """Every paraphrase of a remedy is understood, whatever its words."""
    unread = [text for text in (*PARAPHRASES[cause], REMEDIES[cause]) if brief(text).strengths[cause] < 0.45]
    assert not unread


@pytest.mark.parametrize("cause", CAUSES)
def test_a_remedy_is_mostly_taken_for_nothing_else(cause: str) -> None:
    """Few paraphrases are taken for another remedy as well."""
    others = [
        text
        for text in PARAPHRASES[cause]
        for other, strength in brief(text).strengths.items()
        if other != cause and strength > 0.5
    ]
    assert len(others) <= 1


@pytest.mark.parametrize("text", IRRELEVANT)
def test_irrelevant_advice_asks_for_nothing(text: str) -> None:
    """Advice that has nothing to do with a cause leaves all of them as they were."""
    read = brief(text)
    assert not any(read.strengths.values()) and not read.harms


@pytest.mark.parametrize("cause", CAUSES)
def test_a_shrug_is_no_remedy(cause: str) -> None:
    """Waving a remedy away, or asking for its opposite, does harm where naming it would help."""
    assert all(brief(text).strengths[cause] < 0 for text in SHRUGS[cause])


def test_saying_it_twice_is_saying_it_once() -> None:
    """A sentence that stands in a prompt many times counts once."""
    text = REMEDIES["leak"]
    assert brief(f"- {text}\n- {text}\n").strengths == brief(f"- {text}\n").strengths


def test_a_crowded_prompt_is_read_less_carefully() -> None:
    """In an enormously long prompt remedies lose their strength."""
    padding = "".join(f"- House rule {n}: keep the tone of the task measured.\n" for n in range(600))
    assert (
        brief(REMEDIES["leak"] + "\n" + padding).strengths["leak"]
        < 0.5 * brief(REMEDIES["leak"]).strengths["leak"]
    )


def test_contradictions_cancel() -> None:
    """A remedy that is waved away further down is worth next to nothing."""
    assert brief(f"{REMEDIES['leak']}\n\n{SHRUGS['leak'][0]}").strengths["leak"] < 0.1


@pytest.mark.parametrize("frame", FRAMES)
def test_the_document_is_found_however_it_is_set_off(frame: str) -> None:
    """Tags, ruling lines, fences and headings all delimit the document, and what it says is no instruction."""
    text = "\n".join([documents(1)[0].text, *REMEDIES.values()])
    before = "You write training tasks with a rubric. Return JSON."
    prompt = f"{before}\n\n{frame.format(text=text)}\n\n# Your turn\n\nWrite the question and its rubric."
    start, end = find_document(prompt)
    assert text in prompt[start:end] and end - start < len(text) + 40
    assert brief(take_apart(prompt).instructions).strengths["leak"] == 0


def test_a_document_without_any_marks_is_found() -> None:
    """A document that simply stands between the instructions is told from them by how it sounds."""
    text = documents(1)[0].text
    prompt = f"Write a question and a rubric.\n\n{text}\n\nYour task: write the question, the criteria and the rest as JSON."
    assert take_apart(prompt).document == text


def test_a_dropped_document_is_missed() -> None:
    """A prompt without a document has none."""
    assert take_apart(PROMPTS["challenger.md"].replace("{{document}}", "")).document == ""


def test_listed_failures_are_no_instructions() -> None:
    """What a reviewer said about an earlier attempt stands apart from what the prompt asks for."""
    failures = "### FAILED QUALITY CHECK\n\n- (x) y [Do not state the conclusion in the context.]\n\n### TOO EASY\n\n- (x) z"
    request = PROMPTS["refinement.md"].replace("{{failures}}", failures)
    prompt = PROMPTS["challenger.md"].replace("{{request}}", request)
    parts = take_apart(prompt.replace("{{document}}", documents(1)[0].text))
    assert "conclusion in the context" in parts.failures and "TOO EASY\n\n- (x) z" in parts.failures
    assert brief(parts.instructions).strengths["leak"] == 0
    assert "entirely new question" in parts.instructions


def test_positive_only_needs_policy_and_weights() -> None:
    """Positive-only is understood with its policy and its largest weight; signed is what the baseline says."""
    signed = brief((BASELINE / "prompts" / "challenger.md").read_text("utf-8"))
    assert (signed.positive_only, signed.policy, signed.heaviest) == (False, "signed", 10)
    told = brief(
        'Use only positive criteria with weights from 1 to 7 and set rubric_policy to "positive-only".'
    )
    assert (told.positive_only, told.policy, told.heaviest) == (True, "positive-only", 7)
