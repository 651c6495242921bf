"""The parts of the guest that need no process; its behaviour as a whole is in test_sandbox.py."""

import io
import json
from typing import Any

import pytest

from harness.guest import AllowanceSpent, Env, Wire, short


class Peer:
    """The host's side, scripted: one reply for each request, in order."""

    def __init__(self, *replies: dict[str, Any], line_bytes: int = 1000) -> None:
        self.sent = io.BytesIO()
        lines = "".join(json.dumps(reply) + "\n" for reply in replies)
        wire = Wire(io.BytesIO(lines.encode()), self.sent)
        wire.line_bytes = line_bytes
        self.env = Env(wire, submissions=3)

    @property
    def requests(self) -> list[Any]:
        return [json.loads(line) for line in self.sent.getvalue().splitlines()]


def test_ask() -> None:
    """A prompt goes out as one line, whatever is in it, and the text of the reply comes back."""
    peer = Peer({"text": "answer"})
    assert peer.env.ask("two\nlines – é") == "answer"
    assert peer.requests == [{"ask": "two\nlines – é"}]


def test_submissions_left() -> None:
    """The host's count wins; without one, each submission counts; a spent allowance leaves none."""
    peer = Peer({"report": {"submissions_left": 1}}, {"report": {}}, {"spent": "submissions"})
    assert peer.env.submissions_left == 3
    assert peer.env.submit({"a": 1}) == {"submissions_left": 1}
    assert peer.env.submissions_left == 1
    peer.env.submit("text")
    assert peer.env.submissions_left == 0
    with pytest.raises(AllowanceSpent, match="submissions"):
        peer.env.submit("text")


@pytest.mark.parametrize("what", ["asks", "tokens"])
def test_spent_asks_leave_the_submissions(what: str) -> None:
    """Only a spent allowance of submissions ends the submissions."""
    peer = Peer({"spent": what})
    with pytest.raises(peer.env.AllowanceSpent, match=what):
        peer.env.ask("a")
    assert peer.env.submissions_left == 3


@pytest.mark.parametrize("prompt", [None, 7, b"bytes", "\ud800", "nul\0", "x" * 1000])
def test_bad_prompts(prompt: Any) -> None:
    """What cannot be sent raises before anything is on the wire."""
    peer = Peer()
    with pytest.raises((TypeError, ValueError)):
        peer.env.ask(prompt)
    assert peer.requests == []


@pytest.mark.parametrize(
    "example",
    [
        None,
        [1],
        {"a": {1}},
        {"a": float("inf")},
        {"a": "\udfff"},
        {"a": ["nul\0"]},
        {"nul\0": 1},
        {"a": ("\0",)},
    ],
)
def test_bad_examples(example: Any) -> None:
    """Examples that are no JSON raise before anything is on the wire."""
    peer = Peer()
    with pytest.raises((TypeError, ValueError)):
        peer.env.submit(example)
    assert peer.requests == []


def test_short_keeps_the_end() -> None:
    """A long message is cut at its start and made fit to send."""
    text = short(ValueError("x" * 10_000 + "\ud800\0 end"), "/scaffold")
    assert text.endswith("\\ud800\\0 end")
    assert len(text) <= 2000
