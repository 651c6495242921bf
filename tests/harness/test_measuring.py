"""Asking until an answer is usable: what is drawn again, with how much room, and when it is missing."""

import asyncio
from collections.abc import Callable

import pytest
from fakes import ScriptedModels, reply, request

from harness.errors import InvalidMeasurement, Unanswerable
from harness.measuring import LARGEST_REPLY, RETRIES, SMALLEST_ROOM, USUAL_ROOM, measure, more_room
from harness.parsing import Malformed
from harness.types import Reply, Request


def scripted(*replies: Reply) -> ScriptedModels:
    """A weak solver whose n-th draw is the n-th reply."""
    return ScriptedModels(weak=lambda request: replies[request.draw.retry])


def ask(models: ScriptedModels, read: Callable[[str], str] = str.upper) -> tuple[str, Reply]:
    return asyncio.run(measure(models, request(), read))


def test_first_usable_answer() -> None:
    """A whole, readable answer is returned with its reply after a single call."""
    models = scripted(reply("yes"))
    assert ask(models) == ("YES", reply("yes"))
    assert [one.draw for one in models.asked] == [request().draw]


@pytest.mark.parametrize(
    "bad",
    [
        reply(""),
        reply(" \n"),
        reply("half", "length"),
        reply("no", "content_filter"),
        reply("", "refused: x"),
        reply("", "failed: HTTP 500 again and again"),
    ],
)
def test_unusable_answers_are_drawn_again(bad: Reply) -> None:
    """Empty, cut-off, filtered and refused answers lead to another draw, never to a value."""
    models = scripted(bad, bad, reply("yes"))
    assert ask(models)[0] == "YES"
    assert [one.draw.retry for one in models.asked] == [0, 1, 2]
    assert len({one.draw for one in models.asked}) == 3


def test_unreadable_answers_are_drawn_again() -> None:
    """What the reader cannot use is drawn again."""

    def read(text: str) -> str:
        if text != "good":
            raise Malformed("not good")
        return text

    assert ask(scripted(reply("bad"), reply("good")), read)[0] == "good"


def test_more_room_after_a_cut_only() -> None:
    """After a cut-off answer the limit doubles up to the largest; after another failure it stays as it was."""
    cuts = [
        reply("a", "length", said=3000),
        reply("", said=9),
        reply("a", "length", said=30_000),
        reply("done"),
    ]
    models = scripted(*cuts)
    ask(models)
    assert [one.max_tokens for one in models.asked] == [None, 6000, 6000, LARGEST_REPLY]


@pytest.mark.parametrize(
    ("answer", "before", "room"),
    [
        (reply("half", "length", said=3000), None, 6000),
        (reply("half", "length", said=3), None, 2 * SMALLEST_ROOM),
        (reply("half", "length", said=3000), 20_000, 6000),  # it ended before its limit: the window is full
        (reply("half", "length", said=60_000), None, LARGEST_REPLY),
        (reply("", "length", said=4096), None, 8192),  # all of it was thought, and counted
        (reply("", "length", said=0), None, 2 * USUAL_ROOM),  # thought that the server does not count
        (reply("", "length", said=0), 8192, 16_384),
        (reply("half", "length", said=1).model_copy(update={"estimated": True}), None, 2 * USUAL_ROOM),
        (reply("half", "length", said=5000).model_copy(update={"estimated": True}), 8192, 16_384),
        (reply("", "length", said=0), LARGEST_REPLY, LARGEST_REPLY),
    ],
)
def test_room_after_a_cut(answer: Reply, before: int | None, room: int) -> None:
    """Twice what was not enough; where the count tells nothing, twice the room there was; never above the cap."""
    assert more_room(answer, before) == room


def test_all_thought_and_no_usage_gets_room_in_the_end() -> None:
    """A model that spends every limit on thought without reporting it gets twice as much every time."""
    silent = reply("", "length", said=1).model_copy(update={"estimated": True})
    models = scripted(silent, silent, silent, reply("done"))
    assert ask(models)[0] == "DONE"
    assert [one.max_tokens for one in models.asked] == [None, 8192, 16_384, LARGEST_REPLY]


@pytest.mark.parametrize("end", ["refused: max_tokens is too large", "failed: HTTP 500"])
def test_less_room_where_more_was_too_much(end: str) -> None:
    """A refusal or failure after a cut goes back to the model's own limit."""
    models = scripted(reply("a", "length", said=3000), reply("", end), reply("done"))
    ask(models)
    assert [one.max_tokens for one in models.asked] == [None, 6000, None]


@pytest.mark.parametrize(
    "ends",
    [
        ["failed: x"] * 4,
        ["refused: x", "failed: x", "refused: x", "refused: x"],
        ["failed: x", *["refused"] * 3],
    ],
)
def test_a_failing_endpoint_is_nobodys_prompt(ends: list[str]) -> None:
    """Where an endpoint failed, the measurement is missing; only refusals alone are charged to who wrote the prompt."""
    with pytest.raises(InvalidMeasurement) as caught:
        ask(scripted(*[reply("", end) for end in ends]))
    assert not isinstance(caught.value, Unanswerable)
    with pytest.raises(Unanswerable):
        ask(scripted(*[reply("", "refused: x")] * 4))


def test_missing_in_the_end() -> None:
    """After the last draw the measurement is missing; the reason names role and last problem."""
    models = scripted(*[reply("x", "length", said=n) for n in range(RETRIES + 1)])
    with pytest.raises(InvalidMeasurement) as caught:
        ask(models)
    assert len(models.asked) == RETRIES + 1
    assert (
        caught.value.reason
        == f"weak: no usable answer in {RETRIES + 1} draws; last: length after {RETRIES} tokens"
    )


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (reply(" "), "empty"),
        (reply("half", "length"), "cut_off"),
        (reply("", "length"), "cut_off"),
        (reply("", "content_filter"), "refused"),
        (reply("I can", "content_filter"), "refused"),
        (reply("", "refused: too long"), "refused"),
        (reply("", "failed: HTTP 500"), "failed"),
        (reply("?"), "unreadable"),
    ],
)
def test_every_cause_has_its_name(bad: Reply, cause: str) -> None:
    """What stays missing is told by name, whatever it was."""

    def read(text: str) -> str:
        raise Malformed("nonsense")

    with pytest.raises(InvalidMeasurement) as caught:
        ask(scripted(bad, bad, bad, bad), read)
    assert (caught.value.cause, caught.value.role) == (cause, "weak")


def test_other_errors_pass() -> None:
    """An error that is not about the text of the answer is not taken for one."""

    def broken(request: Request) -> Reply:
        raise InvalidMeasurement("elsewhere")

    with pytest.raises(InvalidMeasurement, match="elsewhere"):
        ask(ScriptedModels(weak=broken))
    with pytest.raises(ZeroDivisionError):
        ask(scripted(reply("x")), lambda text: str(1 / 0))
