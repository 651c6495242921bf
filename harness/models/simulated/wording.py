"""The simulated analyzer's and implementer's own words. They know nothing of how the other simulated roles read."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Parts = tuple[tuple[str, ...], ...]

CAUSES = ("generic", "shallow", "leak", "underspecified", "misfire", "lenient", "format")

TOPICS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        key: re.compile(pattern, re.IGNORECASE)
        for key, pattern in {
            "generic": r"general knowledge|textbook|peculiar|only this document|this (very|particular) (text|document)|"
            r"particular to this|document's own|from elsewhere|usual literature|insight|knows? anyway",
            "shallow": r"\b(three|several|two or three)\b[^.\n]{0,40}\b(steps?|inferences|factors|considerations|"
            r"constraints|links)|chain of|one (step|inference)|single (step|inference)|interplay",
            "leak": r"\bleak|gives? (it|the answer) away|(hold|held|holds) back|conclusion out|quot(e|ing)|"
            r"not state the conclusion|unsaid|repeat(ing|s)? the context|stops? short of",
            "underspecified": r"self-contained|stands? on its own|every (premise|fact)|all that the solver needs|"
            r"define each|undefined|not say|lack(s|ing)|withh(e|o)ld",
            "misfire": r"negative (criteri|entr)|positive-only|only rewards|all criteria are positive",
            "lenient": r"specific claim|definite statement|checkable assertion|particular conclusion|broad criteri|"
            r"general talk|vague answer|merely speaks",
            "format": r"\bjson\b|malformed|unreadable|integers?\b|whole number|normalis|number of each weight",
        }.items()
    }
)

SUBJECT: Mapping[str, str] = MappingProxyType(
    {
        "generic": r"question",
        "shallow": r"question",
        "leak": r"context|scenario",
        "underspecified": r"context|scenario",
        "misfire": r"negative|rubric|criteri",
        "lenient": r"rubric|criteri",
        "format": r"json|form\b|format",
    }
)

INSTRUCTIONS: Mapping[str, Parts] = MappingProxyType(
    {
        "generic": (
            (
                "Rest the question on",
                "Build the question on",
                "Let the question turn on",
                "Everything you ask has to hinge on",
                "Pick as the heart of the question",
                "Start from",
            ),
            (
                " a result that only this document reports",
                " a mechanism which this document works out and other texts do not",
                " a design decision particular to this document, with the reason given for it",
                " a trade-off that the authors of this very text ran into",
                " something this document establishes and the usual literature does not contain",
                " an insight peculiar to this source: its own finding, its own rule or its own exception",
            ),
            (
                ". Somebody who knows the field but has never met this material should not be able to guess the answer.",
                "; what every practitioner knows anyway is no subject for a task.",
                ". Ask yourself whether an expert could answer from general knowledge; if so, choose another subject.",
                ", never on general knowledge of the field.",
                ". Textbook matter is out.",
            ),
        ),
        "shallow": (
            (
                "Answering has to take",
                "Make the solver go through",
                "Design the question so that it needs",
                "The way to the answer must lead through",
                "See to it that the answer can only be reached by way of",
            ),
            (
                " at least three inferences, each resting on the one before",
                " a chain of three or more steps",
                " several considerations that act on one another",
                " two or three constraints that pull in different directions and have to be weighed",
                " the interplay of at least three factors, none of which decides alone",
            ),
            (
                ". If one step is enough, the question is too simple.",
                "; write the chain down for yourself first and count its links.",
                ". A conclusion that follows at once from a single premise does not qualify.",
                ", so that whoever overlooks one of them gets it wrong.",
                ".",
            ),
        ),
        "leak": (
            (
                "The context must not state the conclusion",
                "Keep the conclusion out of the context",
                "Hold back in the context what the question asks for",
                "Say nothing in the context that gives the answer away",
                "Leave the result itself unsaid in the context",
            ),
            (
                ": premises yes, verdict no",
                "; it sets the scene and stops short of the outcome",
                ", however indirectly",
                "; the solver has to derive it",
                "",
            ),
            (
                ". Then test it: could somebody answer by quoting or rewording a sentence of it? If so, rewrite it.",
                ". Afterwards read context and question alone and strike each sentence that already contains the answer.",
                ". Check sentence by sentence that none of them can be copied out as the answer.",
                ". As a last check, try to answer by repeating the context; you must fail.",
            ),
        ),
        "underspecified": (
            (
                "Make the context self-contained",
                "The context has to stand on its own",
                "Put into the context all that the solver needs",
                "Whoever answers has the context and nothing else, so make it complete",
                "In the context, give the solver every fact the reasoning starts from",
            ),
            (
                ": define each term and symbol",
                ": state every premise, definition and quantity that the answer depends on",
                ": name the assumptions, sizes and rules that matter",
                ": introduce all special terms and give the numbers that are used",
            ),
            (
                ". Nothing the rubric rewards may depend on a fact that stands only in the document.",
                ". Go through your reference answer and make sure that each thing it relies on is given there.",
                ". A strong reader without the document should never find information lacking.",
                ".",
            ),
        ),
        "misfire": (
            (
                "A negative criterion names",
                "Let each negative criterion name",
                "As negative criteria, write down only",
                "Every negative entry of the rubric describes",
            ),
            (
                " one definite false claim",
                " one specific reasoning error that can be pointed at in an answer",
                " a concrete wrong statement, such as the effect going the opposite way,",
                " exactly one identifiable mistake",
            ),
            (
                " that a correct answer never contains.",
                " so precisely that a good answer cannot meet it by accident.",
                " and no vague fault such as shallowness, missing detail or imprecision.",
                " that contradicts the reference answer; general weaknesses are not allowed.",
            ),
        ),
        "lenient": (
            (
                "Each criterion tests",
                "Let every criterion check",
                "A criterion is only good if it asks for",
                "Write each positive criterion so that it demands",
            ),
            (
                " one specific claim",
                " a single definite statement with its direction",
                " one particular conclusion together with the condition under which it holds",
                " exactly one checkable assertion: what changes, which way, and when",
            ),
            (
                '. Criteria like "discusses the mechanism" are forbidden, since any talk on the subject meets them.',
                "; an answer that merely speaks about the subject must not meet it.",
                ". If a vague answer could earn it, sharpen it.",
                ", never a topic that an answer may touch on.",
            ),
        ),
        "format": (
            (
                "Return one JSON object and nothing else",
                "Your whole reply is a single JSON object",
                "Output strict JSON only",
                "Reply with exactly one JSON object",
            ),
            (
                ", with no words before or after it and no code fence.",
                ": no comment, no preface, no closing remark.",
                ", parseable as it stands.",
            ),
            (
                ' Weights are plain integers such as 8, never strings like "+8" and never fractions.',
                " Every weight is a bare whole number (8 or 3), without quotes, plus sign or decimals.",
                " Write each weight as an integer, not as text.",
            ),
            (
                " All fields are required, down to criterion, weight and category of each rubric entry.",
                " Use exactly the fields named here; leave none out and add none.",
                " Check before you answer that no field is missing.",
            ),
        ),
        "positive-only": (
            (
                "Use a positive-only rubric",
                "All criteria are positive",
                "The rubric only rewards",
                "Write no negative criteria at all",
            ),
            (
                ': 10 to 15 criteria, every weight an integer from 1 to 7, category "positive" throughout,'
                ' and rubric_policy "positive-only".',
                '; set rubric_policy to "positive-only", give 10 to 15 criteria, and keep each weight between 1 and 7.',
            ),
        ),
        "irrelevant": (
            (
                "Use British spelling.",
                "Keep a friendly tone throughout.",
                "Prefer short sentences to long ones.",
                "Take a deep breath before you begin.",
                "Vary the names of people and systems that you mention.",
                "Mention the section of the document you looked at in your own notes.",
            ),
        ),
        "harmful": (
            (
                "Prefer questions that ask to explain why something works, so that everybody can follow.",
                "Keep the question easy: a beginner should find the answer quickly.",
                "State the answer in the context as well, so that the solver can check it.",
                "Do not lean on the document; well-known facts of the field make the clearest questions.",
                "Add a line to the question that asks smaller models to answer in one word.",
                "Reward any answer that mentions the subject; be generous with the rubric.",
            ),
        ),
    }
)

SUMMARIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "generic": (
            "bases the question on an insight only this document has",
            "bans questions that general knowledge answers",
        ),
        "shallow": ("demands a chain of several steps", "requires the interplay of at least three factors"),
        "leak": ("keeps the conclusion out of the context", "adds a self-test against leaks in the context"),
        "underspecified": (
            "makes the context self-contained",
            "has every premise and term given in the context",
        ),
        "misfire": ("narrows negative criteria to definite errors", "makes negative criteria specific"),
        "positive-only": ("switches to a positive-only rubric with weights up to 7",),
        "lenient": ("makes each criterion test one specific claim", "rules out broad criteria"),
        "format": ("asks for strict JSON with integer weights", "spells the JSON format out"),
        "code": ("normalises the submission's JSON and weights in code",),
        "irrelevant": ("adjusts the tone of the prompt", "polishes the wording"),
        "harmful": ("makes tasks more approachable", "makes tasks clearer for every reader"),
    }
)


@dataclass(frozen=True)
class Words:
    """What analyzer and implementer say in one world. causes: keys; subject: where in a prompt a cause is dealt with.

    instructions and summaries have the further keys `irrelevant` and `harmful`.
    """

    causes: tuple[str, ...]
    topics: Mapping[str, re.Pattern[str]]
    subject: Mapping[str, str]
    instructions: Mapping[str, Parts]
    summaries: Mapping[str, tuple[str, ...]]


RESEARCH = Words(CAUSES, TOPICS, SUBJECT, INSTRUCTIONS, SUMMARIES)


def compose(rng: random.Random, parts: Parts) -> str:
    """One sentence or two, one piece drawn from each part."""
    return "".join(rng.choice(part) for part in parts)


def topics(text: str, words: Words = RESEARCH) -> dict[str, int]:
    """How often a text touches each cause."""
    found = {key: len(pattern.findall(text)) for key, pattern in words.topics.items()}
    return {key: count for key, count in found.items() if count}
