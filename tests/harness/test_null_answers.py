"""Answers that say nothing of their own: which there are, and what is in them."""

from dataclasses import replace

from fakes import example

from harness.domains.cs import DOMAIN as CS
from harness.null_answers import MOST_WORDS, keywords, null_answers


def test_the_five() -> None:
    """Nothing, question, context, keywords, prose; none of them with a word of rubric, reference or document."""
    found = null_answers(CS, example())
    assert set(found) == {"nothing", "question", "context", "keywords", "prose"}
    assert found["question"] == "What happens to their order if they tie?"
    assert found["context"] == "Pairs arrive in a queue."
    assert found["keywords"] == "arrive, happens, order, pairs, queue"
    assert "arrive, happens, order" in found["prose"]
    assert not any("kept" in text or "claim 1" in text for text in found.values())


def test_none_is_empty() -> None:
    """An answer without text is missing data and never marked, so none is made: a task without context lacks that one."""
    found = null_answers(CS, example(context="  "))
    assert set(found) == {"nothing", "question", "keywords", "prose"} and all(found.values())
    dumb = null_answers(CS, example(context="", question="1 + 1 = ?"))
    assert set(dumb) == {"nothing", "question", "prose"} and "these" in dumb["prose"]


def test_compared_answers_have_fewer() -> None:
    """Where answers are compared only what names an object can be right."""
    assert set(null_answers(replace(CS, comparable=True), example())) == {"question", "context"}


def test_keywords() -> None:
    """Terms between backticks stay whole and come first among equals; frame words are left out; the list is bounded."""
    text = "The `page cache` feeds the journal. Which journal, with `page cache` or without, grows?"
    assert keywords(text)[:2] == ("`page cache`", "journal") and "which" not in keywords(text)
    letters = "abcdefghij"
    many = " ".join(f"word{one}{other}" for one in letters for other in letters)
    assert len(keywords(many)) == MOST_WORDS
