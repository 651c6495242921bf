"""Number recall: what is only looked up in the document is found, and what has to be worked out is let through."""

from decimal import Decimal

import pytest
from fakes import example
from hypothesis import given
from hypothesis import strategies as st

from harness.number_recall import derivable, number_recall, numbers
from harness.trajectory import Criterion, Example

PAPER = """
The encoder has 24 layers with a hidden size of 1,024. We train it for 300,000 steps on 64 accelerators.

On the held-out set the accuracy reaches 0.87, while the baseline stays at 0.79. The retry limit of the client is 5, and
the time-out doubles after every failure, beginning at 250 ms. A compaction runs every 30 minutes. The scheduler knows
four priority classes. See RFC 7231, section 3.2 and Table 4. The cache was resized from 512 to 2048 entries in 2019.
"""


def task(
    question: str, answer: str, context: str = "A model and its client are described.", *rubric: Criterion
) -> Example:
    return example(
        context=context, question=question, reference_answer=answer, rubric=rubric or example().rubric
    )


def claim(text: str, weight: int = 1) -> Criterion:
    return Criterion(criterion=text, weight=weight, category="positive" if weight > 0 else "negative")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many layers does the encoder have?", "The encoder has 24 layers."),
        ("What is the hidden size of the encoder?", "1024"),
        ("For how many steps is the encoder trained?", "It is trained for 300,000 steps."),
        ("What accuracy is reached on the held-out set?", "The accuracy is 0.87."),
        ("What is the retry limit of the client?", "The limit is 5."),
        ("How often does a compaction run?", "Every 30 minutes."),
        ("State the accuracy of the baseline on the held-out set.", "It stays at 0.790."),
        ("How many priority classes does the scheduler know?", "It knows four priority classes."),
        ("How many priority classes does the scheduler know?", "Four."),
        (
            "In which year was the cache resized? State the year and the number of entries.",
            "In 2019, to 2,048 entries.",
        ),
        ("On how many accelerators is the encoder trained, if all of them work?", "64 accelerators"),
    ],
)
def test_a_number_to_look_up(question: str, answer: str) -> None:
    """A quantity that is asked for, that the document states and that nothing else leads to is recall."""
    assert "only has to be found in the document" in number_recall(PAPER, task(question, answer))


@pytest.mark.parametrize(
    ("question", "answer", "context"),
    [
        ("How many layers would the encoder need?", "It would need 24 layers.", ""),
        ("Predict how many steps the training takes.", "300,000 steps.", ""),
        ("Why does the encoder have so many layers?", "Its 24 layers hold more.", ""),
        ("Which component fails first?", "The cache, at 2048 entries.", ""),
        ("How many layers does the encoder have?", "It has 24 layers.", "The encoder has 24 layers."),
        (
            "How many entries does the cache have in the end?",
            "2048 entries.",
            "It has 512 entries and grows to 4 times as many.",
        ),
        (
            "How long is the first time-out of the client?",
            "250 ms.",
            "The client doubles it to 500 ms at the first failure.",
        ),
        (
            "By how much does the accuracy rise over the baseline on the held-out set?",
            "By 0.08.",
            "0.79, then 0.87",
        ),
        ("How many layers does the encoder have in all?", "24 layers and 3 heads, 27 in all.", ""),
        ("How many boats lie in the harbour?", "24 boats.", ""),
        ("How many of the priority classes matter to the client?", "None, since the two are apart.", ""),
        ("What is the value of the integral?", r"\frac{\pi}{4}", ""),
        ("Which table is it?", "Table 4.", ""),
        ("What is the number of the standard that the client follows?", "RFC 7231", ""),
    ],
)
def test_a_number_to_work_out(question: str, answer: str, context: str) -> None:
    """A near miss: thought is asked for, the number is given, worked out, not in the document, or about something else."""
    assert number_recall(PAPER, task(question, answer, context)) == ""


MATHS = """
Graph theory. Trees, connectivity, colourings. Example problems: How many spanning trees does the complete graph on 5
vertices have? The answer is 125. Find the number of real roots of x^3 - 3x + 1; there are 3 real roots.
"""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many spanning trees does the complete bipartite graph K_{2,5} have?", "80"),
        ("How many spanning trees does the cycle with 125 vertices have?", "125"),
        (r"Find the number of real roots of $x^5 - 5x + 2$.", "3"),
        (r"What is the number of proper colourings of the cycle $C_7$ with $k$ colours?", r"(k-1)^7-(k-1)"),
        (r"Determine the interval on which $x^3-3x$ decreases.", "[-1, 1]"),
        (r"What is the value of $\sum_{n\ge 1} 1/n^2$?", r"\pi^2/6"),
        (r"Give the number of vertices of a tree with $5$ leaves and $3$ inner vertices.", "8"),
    ],
)
def test_invented_problems_are_let_through(question: str, answer: str) -> None:
    """A problem invented on a topic has no rubric and numbers everywhere; none of it is looked up."""
    made = task(question, answer, "").model_copy(update={"rubric": (), "rubric_policy": ""})
    assert number_recall(MATHS, made) == ""


NUMBERS = (
    "States that the encoder has 24 layers.",
    "Gives 0.87 as the accuracy on the held-out set.",
    "Names a hidden size of 1,024 for the encoder.",
    "Mentions the retry limit of the client, 5.",
)
REASONS = (
    "States that the accuracy falls because the hidden size of the encoder is 1,024.",
    "Says that the client gives up after the retry limit of 5 if the scheduler is down.",
    "Claims that the cache is the bottleneck.",
    "Predicts that compaction delays the client.",
)


def test_half_of_the_points_for_numbers() -> None:
    """A rubric is recall where at least half of its positive weight goes to bare numbers of the document, not below."""
    asked = "How does the client fare?"
    half = (
        *(claim(one, 3) for one in NUMBERS[:2]),
        *(claim(one, 2) for one in REASONS[:3]),
        claim("Is wrong.", -9),
    )
    assert "6 of 12 points" in number_recall(PAPER, task(asked, "Badly.", "A client.", *half))
    fewer = (*half, claim(REASONS[3], 1))
    assert number_recall(PAPER, task(asked, "Badly.", "A client.", *fewer)) == ""


def test_given_numbers_are_no_recall() -> None:
    """Criteria that ask for numbers out of the context, or for ones that follow from these, are let through."""
    rubric = [claim(one, 3) for one in NUMBERS]
    assert number_recall(PAPER, task("How does it fare?", "Well.", "A client.", *rubric))
    context = (
        "An encoder of 24 layers, hidden size 1,024, reaches 87 of 100; its client tries 2 times, then 3."
    )
    assert number_recall(PAPER, task("How does it fare?", "Well.", context, *rubric)) == ""


def test_reasons_with_numbers_are_no_recall() -> None:
    """A criterion that asks for a reason or a condition is more than the number in it."""
    assert number_recall(PAPER, task("How does it fare?", "Well.", "A client.", *map(claim, REASONS))) == ""


def test_what_counts_as_a_number() -> None:
    """Thousands, decimals, percentages and units count; versions, ordinals, names and list markers do not."""
    text = "1. In 3.11.7 the 4th GPT-4 of RFC 7231 took 1,024 MB, 12ms, 24% and .5x [7] (see Table 2), v2, 0.50 (18 runs)"
    assert list(numbers(text)) == [Decimal(one) for one in ("1024", "12", "24", "0.5", "18")]


@pytest.mark.parametrize(
    ("value", "known", "comes_out"),
    [
        ("72", "24 3", True),
        ("27", "24 3", True),
        ("37.5", "24 64", True),
        ("0.375", "24 64", True),
        ("66.7", "3 2", True),
        ("144", "24 3 2", True),
        ("12", "24", True),
        ("25", "24 3", False),
        ("73.5", "24 3", False),
        ("7", "", False),
        ("0", "5", False),
    ],
)
def test_one_step_of_arithmetic(value: str, known: str, comes_out: bool) -> None:
    """What one operation on given numbers gives is worked out; anything else is not."""
    assert derivable(Decimal(value), frozenset(map(Decimal, known.split()))) is comes_out


@given(st.text(max_size=300), st.text(max_size=300), st.text(min_size=1, max_size=200))
def test_any_text_is_read(document: str, context: str, question: str) -> None:
    """Whatever the texts hold, the check ends with a sentence or nothing."""
    made = replace_texts(context, f"How many {question}", f"{question} 24")
    assert isinstance(number_recall(f"{document} 24 {question}", made), str)


def replace_texts(context: str, question: str, answer: str) -> Example:
    return example().model_copy(update={"context": context, "question": question, "reference_answer": answer})
