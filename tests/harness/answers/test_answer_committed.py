"""Which answer a solver's text commits to, and which answers are too easy to hit."""

from time import perf_counter

import pytest

from harness.answers import AnswerKind, final_answer, guessable

TEXTS = [
    ("So x = 3.\nAnswer: $x=3$", "x=3"),
    ("Answer: 1\nNo, wait.\nAnswer: 2", "2"),
    ("**Answer:** 42.", "42"),
    ("**Final answer: $\\frac12$**", "\\frac12"),
    ("The final answer is: (0, 1]", "(0, 1]"),
    ("Answer:\n\\boxed{5}", "5"),
    ("Answer: so it is \\boxed{7} indeed", "7"),
    ("Answer:\n$$\n\\begin{pmatrix}1&2\\\\\n3&4\\end{pmatrix}\n$$\nDone.", "\\begin{pmatrix}1&2\\\\\n3&4\\end{pmatrix}"),
    ("Answer: \\begin{cases} x & y \\\\\n z & w \\end{cases}\nQ.E.D.", "\\begin{cases} x & y \\\\\n z & w \\end{cases}"),
    ("Thus \\boxed{\\frac{1}{\\sqrt{2}}} is it.", "\\frac{1}{\\sqrt{2}}"),
    ("\\boxed{1} or rather \\boxed{\\{1,2\\}}", "\\{1,2\\}"),
    ("We get $a$ and then $b+c$.", "b+c"),
    ("We get $$a\n+b$$", "a\n+b"),
    ("First.\n\nThe answer is 12.\n\n", "12"),
    ("just this", "just this"),
    ("\\boxed{never closed", "\\boxed{never closed"),
    ("", ""),
    (" \n\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "answer"), TEXTS)
def test_the_answer_a_text_commits_to(text: str, answer: str) -> None:
    """The last answer line, else the last box, else the last formula, else the last line."""
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    "part", ["\\boxed{", "$", "Answer: {\n", "{", "\\begin{a}", "* ", "the final ", "$$ a $", "\\", "\n"]
)
def test_finding_the_answer_takes_linear_time(part: str) -> None:
    """A long text of any one part is read at once."""
    begun = perf_counter()
    final_answer(part * (400_000 // len(part)))
    assert perf_counter() - begun < 5


GUESSES: list[tuple[AnswerKind, str, str]] = [
    ("number", "12", "bare_integer"),
    ("number", "-7", "bare_integer"),
    ("number", "$x = 0$", "bare_integer"),
    ("number", "\\boxed{999{,}999}", "bare_integer"),
    ("number", "1,024", "bare_integer"),
    ("number", "6/3", "bare_integer"),
    ("number", "\\frac{8}{4}", "bare_integer"),
    ("number", "2^{10}", "bare_integer"),
    ("number", "\\sqrt{49}", "bare_integer"),
    ("number", "5.0", "bare_integer"),
    ("number", "(3)", "bare_integer"),
    ("set", "\\{5\\}", "bare_integer"),
    ("number", "1000000", ""),
    ("number", "2^64", ""),
    ("number", "1/3", ""),
    ("number", "\\sqrt{50}", ""),
    ("number", "3\\pi", ""),
    ("number", "3.14", "rounded_real"),
    ("number", "0.5", "rounded_real"),
    ("number", "\\approx 3", "rounded_real"),
    ("number", "1.414...", "rounded_real"),
    ("interval", "(0, 1.618)", "rounded_real"),
    ("interval", "(0, 1.5)", ""),
    ("expression", "0.5x", ""),
    ("expression", "2.718x", "rounded_real"),
    ("matrix", "[[1,0],[0,1]]", ""),
    ("choice", "3", ""),
    ("string", "3.1415", ""),
    ("number", "", ""),
]


@pytest.mark.parametrize(("kind", "answer", "reason"), GUESSES)
def test_answers_that_are_too_easy_to_hit(kind: AnswerKind, answer: str, reason: str) -> None:
    """Bare integers and rounded reals are named, in every notation; nothing else is."""
    assert guessable(answer, kind) == reason
