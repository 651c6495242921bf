"""What the simulated analyzer and implementer say of maths scaffolds, and which symptoms they look for."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from harness.models.simulated.analyzer import Sign, View, sentence
from harness.models.simulated.wording import INSTRUCTIONS as RESEARCH_INSTRUCTIONS
from harness.models.simulated.wording import SUMMARIES as RESEARCH_SUMMARIES
from harness.models.simulated.wording import Parts, Words

CAUSES = ("shallow", "stock", "wrong", "ambiguous", "guessable", "leak", "form")

TOPICS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        key: re.compile(pattern, re.IGNORECASE)
        for key, pattern in {
            "shallow": r"(several|three|four|dependent|long)[^.\n]{0,30}(steps?|operations)|chain of"
            r"|one (routine )?step|single formula",
            "stock": r"textbook|stock exercise|standard exercise|collection of exercises|known by heart",
            "wrong": r"(reference|answer|result)s?[^.\n]{0,40}(wrong|verif|check|second time|substitut)"
            r"|solve[^.\n]{0,30}(twice|again)",
            "ambiguous": r"ambiguous|not given|undefined|every (symbol|constant|condition)"
            r"|exactly one (right )?answer|left open",
            "guessable": r"guess|plain integer|rounded|decimal",
            "leak": r"\bleak|gives? (it|the answer) away|stat(es?|ed|ing) the (answer|result)|hints? at",
            "form": r"\bjson\b|malformed|unreadable|cannot be read|latex|declared kind",
        }.items()
    }
)

SUBJECT: Mapping[str, str] = MappingProxyType(
    {
        "shallow": r"question",
        "stock": r"question",
        "wrong": r"answer",
        "ambiguous": r"question",
        "guessable": r"answer",
        "leak": r"context",
        "form": r"json|form\b",
    }
)

INSTRUCTIONS: Mapping[str, Parts] = MappingProxyType(
    {
        "shallow": (
            (
                "Solving the problem has to take",
                "Design the problem so that it needs",
                "Make the solver go through",
            ),
            (
                " at least four steps, each working on the result of the one before",
                " a chain of several dependent operations",
                " three or more constructions on top of one another",
            ),
            (
                ". If one routine step gives the answer, throw the problem away.",
                "; a problem that is solved at once by one formula does not qualify.",
                ".",
            ),
        ),
        "stock": (
            (
                "No textbook exercises",
                "Do not take a stock exercise",
                "Avoid standard exercises that are known by heart",
            ),
            (
                ": invent the construction and choose the numbers yourself.",
                "; change to data that nobody has seen before.",
                ", however well they fit the subject.",
            ),
        ),
        "wrong": (
            ("Before you answer,", "When the problem stands,", "As the last thing,"),
            (
                " solve it a second time by another way and compare the results",
                " verify the reference answer by substituting it back",
                " recompute the answer from scratch, independent of your first solution",
            ),
            ("; if they differ, start again.", ". A wrong reference makes the problem worthless.", "."),
        ),
        "ambiguous": (
            (
                "Every symbol, constant and condition",
                "All constants, ranges and assumptions",
                "Each quantity and its domain",
            ),
            (
                " that the answer depends on is given in the question",
                " must be stated in the question",
                " is defined in the text, with its value",
            ),
            (
                "; nothing is left open.",
                ", so that exactly one answer is right.",
                ". Ambiguous wording is refused.",
            ),
        ),
        "guessable": (
            ("Never let the answer be", "The answer must not be", "Discard the problem if the answer is"),
            (
                " an integer or a rounded number",
                " a small number that can be guessed",
                " a decimal approximation",
            ),
            ("; change the data until it is not.", ". Prefer an object with structure as the answer.", "."),
        ),
        "leak": (
            ("Neither context nor question", "No sentence of the context or the question"),
            (" states the result or hints at it.", " may contain the answer.", " gives the answer away."),
        ),
        "form": (
            ("Return one JSON object and nothing else", "Your whole reply is a single JSON object"),
            (
                "; backslashes of the LaTeX are escaped, and its braces are balanced.",
                "; the LaTeX of the answer is complete and can be parsed.",
            ),
            (
                " The declared kind is exactly that of the answer.",
                " Check that answer_kind and the reference answer agree.",
            ),
        ),
        "irrelevant": RESEARCH_INSTRUCTIONS["irrelevant"],
        "harmful": (
            (
                "Keep the problem easy: a beginner should find the answer quickly.",
                "You may leave constants open; solvers will know what is meant.",
                "A cryptic question is harder, so leave out what is not needed.",
                "State the answer in the context as well, so that the solver can check it.",
            ),
        ),
    }
)

SUMMARIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shallow": ("demands a chain of several dependent steps", "rules out problems of one routine step"),
        "stock": ("bans textbook exercises", "rules out any stock exercise"),
        "wrong": ("has the reference answer verified", "asks to solve each problem twice before answering"),
        "ambiguous": ("has every symbol and condition given", "rules out ambiguous questions"),
        "guessable": (
            "rules out answers that can be guessed",
            "bans rounded answers and integers that one can guess",
        ),
        "leak": ("keeps texts from stating the answer", "rules out context that gives the answer away"),
        "form": ("asks for strict JSON with complete LaTeX", "ties the declared kind to the answer"),
        "irrelevant": RESEARCH_SUMMARIES["irrelevant"],
        "harmful": RESEARCH_SUMMARIES["harmful"],
    }
)

SIGNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        key: re.compile(pattern, re.IGNORECASE)
        for key, pattern in {
            "shallow": r"\b(one|single) (routine |short |obvious )?step\b|follows (at once|directly)|immediate|TOO_EASY",
            "stock": r"standard exercise|textbook|well[- ]known|by heart|stock exercise|RECALL",
            "ambiguous": r"(does not|doesn't) say|not (given|defined|stated|specified)|ambiguous|more than one question"
            r"|several_questions|I take it to be|missing",
            "guessable": r"bare_integer|rounded_real|guess",
            "leak": r"as the (problem|context)( itself)? (says|states)|states the result|leak yes",
            "form": r"refused for [^\n]*\bkind\b|declared kind|can(not| be) read|unreadable|JSON",
        }.items()
    }
)

TITLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shallow": ("One routine step solves the problems", "Problems do not need a chain of steps"),
        "stock": ("Problems are stock exercises", "Textbook exercises are known by heart"),
        "wrong": ("Reference answers are wrong", "Nobody checks the reference answer a second time"),
        "ambiguous": ("Questions are ambiguous", "Something is not given that the answer depends on"),
        "guessable": ("Answers can be guessed", "Plain integers and rounded numbers as answers"),
        "leak": ("The text gives the answer away", "Leaks: the context states the result"),
        "form": ("Submissions cannot be read as their declared kind", "Malformed JSON or LaTeX"),
    }
)

LACKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shallow": (
            "Nothing demands several dependent steps, so the weak solver needs one and gets it right.",
        ),
        "stock": ("The prompt is content with any exercise, and so solvers know the answer by heart.",),
        "wrong": (
            "Nothing has the challenger check its answer; strong answers differ from it and agree otherwise.",
        ),
        "ambiguous": (
            "The prompt does not insist that everything is given, and strong solvers have to assume it.",
        ),
        "guessable": ("Answers are simple numbers, which are refused or hit by chance.",),
        "leak": ("The result is not held back; solvers copy it from the text.",),
        "form": ("The form of the answer is described in passing; LaTeX, JSON or kind come back wrong.",),
    }
)


def block(label: str, text: str, stage: str, where: str) -> Iterator[Sign]:
    """The signs in one quoted text of an exchange."""
    if label.startswith("weak attempt") and stage == "too_easy":
        keys: tuple[str, ...] = ("shallow", "stock", "leak")
    elif label.startswith("strong attempt"):
        keys = ("ambiguous",)
    elif label in ("verifier", "feedback") and stage == "quality":
        keys = ("shallow", "stock", "ambiguous", "guessable", "leak", "form")
    else:
        keys = ()
    found = [
        Sign(key, f"{where}, {label.split(',')[0]}", sentence(text, SIGNS[key]))
        for key in keys
        if SIGNS[key].search(text)
    ]
    yield from found
    if (
        label.startswith("strong attempt")
        and "score 0.00" in label
        and stage == "failed_on_strong"
        and not found
    ):
        yield Sign("wrong", where, f"not the reference answer: {label}")


WORDS = Words(CAUSES, TOPICS, SUBJECT, INSTRUCTIONS, SUMMARIES)
VIEW = View(WORDS, TITLES, LACKS, block)
