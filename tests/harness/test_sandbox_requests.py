"""Which lines are requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CandidateFault
from harness.sandbox.requests import parse


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        (b'{"ask": "a"}\n', {"ask": "a"}),
        (b'{"ask": "\\ud83d\\ude00"}\n', {"ask": "\U0001f600"}),
        (b'{"ask": "a literal \\\\u0000"}\n', {"ask": "a literal \\u0000"}),
        (b'{"submit": {"a": [1, 2.5, null]}}\n', {"submit": {"a": [1, 2.5, None]}}),
        (b'{"submit": "text"}\n', {"submit": "text"}),
        (b'{"done": true}\n', {"done": True}),
        (b'{"error": "why"}\n', {"error": "why"}),
    ],
)
def test_requests(line: bytes, request_: dict[str, object]) -> None:
    """The four kinds of request come through as they are."""
    assert parse(line) == request_


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"nonsense\n",
        b"[]\n",
        b'"ask"\n',
        b"{}\n",
        b'{"ask": "a", "submit": "b"}\n',
        b'{"ask": 1}\n',
        b'{"ask": null}\n',
        b'{"submit": [1]}\n',
        b'{"done": 1}\n',
        b'{"done": false}\n',
        b'{"ready": true}\n',
        b'{"ask": "\\ud800"}\n',
        b'{"ask": "\xff"}\n',
        b'{"ask": "a\\u0000b"}\n',
        b'{"submit": {"a\\u0000": 1}}\n',
        b'{"submit": {"a": NaN}}\n',
        b'{"submit": {"a": -Infinity}}\n',
        b'{"submit": {"a": 1e999}}\n',
        b'{"submit": {"a": ' + b"9" * 5000 + b"}}\n",
        b'{"submit": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}\n",
        b'{"submit": ' + b"[" * 100_000 + b"\n",
    ],
)
def test_bad_requests(line: bytes) -> None:
    """Anything else is the scaffold's fault, with the start of the line quoted."""
    with pytest.raises(CandidateFault) as caught:
        parse(line)
    assert caught.value.kind == "bad_request"
    assert len(caught.value.detail) < 1000


@given(st.binary(max_size=60))
def test_no_bytes_do_harm(line: bytes) -> None:
    """Arbitrary bytes are a request or a fault, never another error."""
    try:
        assert len(parse(line)) == 1
    except CandidateFault as fault:
        assert fault.kind == "bad_request"
