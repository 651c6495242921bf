"""The list of models of an endpoint: what is read from a response, which names are near, what to do about trouble."""

import asyncio
import json
import socket

import pytest
from plain_server import answering

from harness.models.listing import Listing, harmless, nearest, read, remedy, served, without_key
from harness.types import Model

NAMES = ("gpt-5", "gpt-5-mini", "Qwen/Qwen3-4B-Instruct-2507", "llama-3.1-8b")


def model(base_url: str = "http://localhost/v1", key_variable: str | None = None) -> Model:
    return Model(name="tiny", base_url=base_url, key_variable=key_variable)


@pytest.mark.parametrize(
    ("status", "body", "names", "problem"),
    [
        (200, json.dumps({"data": [{"id": "a"}, {"id": "b"}]}).encode(), ("a", "b"), ""),
        (200, b'{"data": []}', (), ""),
        (200, b'{"models": ["a"]}', None, ""),
        (200, b'{"data": [{"id": 3}, {"id": "b"}]}', ("b",), ""),
        (200, b"[" * 100_000, None, ""),
        (200, b"\xff\xfe", None, ""),
        (404, b"404 page not found", None, ""),
        (405, b"{}", None, ""),
        (200, b" <!DOCTYPE html><p>hello", None, "web page"),
        (401, b'{"error": {"message": "no\\u001b[31m key"}}', None, "HTTP 401: no[31m key"),
        (403, b"forbidden", None, "HTTP 403: forbidden"),
        (502, b"<html>bad gateway</html>", None, "HTTP 502"),
    ],
)
def test_responses(status: int, body: bytes, names: tuple[str, ...] | None, problem: str) -> None:
    """A list gives its names, an endpoint without one no problem; refusals, web pages and 5xx are problems."""
    found = read(status, body)
    assert found.names == names
    assert (problem in found.problem) if problem else not found.problem


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("gpt5-mini", "gpt-5-mini"),
        ("GPT-5", "gpt-5"),
        ("qwen3-4b-instruct", "Qwen/Qwen3-4B-Instruct-2507"),
        ("meta/llama-3.1-8b-instruct", "llama-3.1-8b"),
        ("nothing like it", "gpt-5"),
    ],
)
def test_nearest_names(name: str, first: str) -> None:
    """Case, vendor and suffix do not hide the likest name; at most three are given."""
    found = nearest(name, NAMES)
    assert found[0] == first
    assert len(found) <= 3
    assert nearest(name, ()) == []


def test_a_key_is_sent_only_where_there_is_one() -> None:
    """No key, no header; and the time is measured."""
    with answering({"GET /v1/models": (200, {"data": [{"id": "tiny"}]})}) as server:
        found = asyncio.run(served(model(server.url), "", 5.0))
        asyncio.run(served(model(server.url + "/"), "abc", 5.0))
    assert found == Listing(("tiny",), found.seconds)
    assert found.seconds > 0
    assert [header for _, header, _ in server.requests] == ["", "Bearer abc"]


def test_a_key_that_comes_back_is_taken_out() -> None:
    """A server that repeats the key in its refusal does not get it printed."""
    with answering({"GET /v1/models": (401, b"bad key sk-12345")}) as server:
        found = asyncio.run(served(model(server.url, "MY_KEY"), "sk-12345", 5.0))
    assert found.problem == "HTTP 401: bad key [key]"
    assert "MY_KEY" in found.remedy


def test_no_answer_ends_in_time() -> None:
    """A server that accepts and says nothing is given up after the deadline."""

    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = asyncio.run(served(model(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), "", 0.1))
    assert found.problem == "no answer within 0.1 s"
    assert found.remedy


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("All connection attempts failed", "start the server"),
        ("APIConnectionError: [Errno -2] Name or service not known", "host in base_url"),
        ("APIConnectionError: [Errno -3] Temporary failure in name resolution", "DNS"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "ca-certificates"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "http://"),
        ("HTTP 401 from 'x'", "key"),
        ("HTTP 402 from 'x'", "top up"),
        ("HTTP 429 from 'x'", "slots"),
        ("no complete answer within 60 s", "overloaded"),
        ("something new", "log"),
    ],
)
def test_remedies(problem: str, words: str) -> None:
    """Each kind of trouble has its own remedy, and an unknown one the server's log."""
    assert words in remedy(problem, model())


def test_nothing_secret_in_a_url() -> None:
    """User name and password go, everything else stays; a short word is no key."""
    assert harmless("https://me:pass@host:8000/v1?x=1") == "https://host:8000/v1?x=1"
    assert harmless("http://host/v1") == "http://host/v1"
    assert without_key("a and b", "a") == "a and b"
