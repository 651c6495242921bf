"""Which models an endpoint says it has, by GET /models: free, so it also tells whether the endpoint can be reached.

Plain HTTP, not the openai client: what a server answers instead of a list is what one wants to know.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from time import monotonic
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2

from harness.types import Model

LARGEST = 16 * 2**20
LONGEST_NAME = 200
TEXT = 160


@dataclass(frozen=True)
class Listing:
    """What came back. names: None where the endpoint answers but has no list. problem and remedy: empty if none."""

    names: tuple[str, ...] | None = None
    seconds: float = 0.0
    problem: str = ""
    remedy: str = ""


async def served(model: Model, key: str, seconds: float) -> Listing:
    """Ask the endpoint of `model` for its list, for at most so many seconds; what goes wrong is in the result.

    key: empty if there is none; whether it is set is another question than whether the endpoint is there.
    """
    started = monotonic()
    try:
        async with asyncio.timeout(seconds), httpx2.AsyncClient(timeout=None) as client:
            found = await _ask(client, model.base_url, key)
            if found.names is None and not re.search(r"/v\d+/?$", model.base_url):
                found = await _below(client, model.base_url, key) or found
    except TimeoutError:
        problem = f"no answer within {seconds:g} s"
        return Listing(problem=problem, remedy=remedy(problem, model))
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
        problem = without_key(f"{error or type(error).__name__}", key)
        return Listing(problem=problem, remedy=remedy(problem, model))
    if found.problem and not found.remedy:
        return Listing(problem=without_key(found.problem, key), remedy=remedy(found.problem, model))
    return Listing(found.names, monotonic() - started, found.problem, found.remedy)


async def _ask(client: httpx2.AsyncClient, base_url: str, key: str) -> Listing:
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"} if key else {}
    async with client.stream("GET", f"{base_url.rstrip('/')}/models", headers=headers) as response:
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST:
                break
    return read(response.status_code, body)


async def _below(client: httpx2.AsyncClient, base_url: str, key: str) -> Listing | None:
    """Whether the list is one level deeper: most base URLs end in /v1, and it is easily forgotten."""
    deeper = f"{base_url.rstrip('/')}/v1"
    if (await _ask(client, deeper, key)).names is None:
        return None
    problem = f"no list of models there, but at {harmless(deeper)}"
    return Listing(problem=problem, remedy=f"set base_url = {harmless(deeper)!r}")


def read(status: int, body: bytes) -> Listing:
    """Names from a response. A 404 or 405 is an endpoint without a list; 401, 403, 5xx and web pages are problems."""
    if status in (401, 403):
        return Listing(problem=f"HTTP {status}: {_shown(body)}")
    if status >= 500:
        return Listing(problem=f"HTTP {status}: {_shown(body)}")
    if body.lstrip()[:15].lower().startswith((b"<!doctype", b"<html")) and status < 400:
        return Listing(problem=f"it answers with a web page (HTTP {status}, HTML), not with JSON")
    try:
        data: Any = json.loads(body)
        names = [one["id"] for one in data["data"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Listing()
    return Listing(tuple(one[:LONGEST_NAME] for one in names if isinstance(one, str)))


def nearest(name: str, names: tuple[str, ...], most: int = 3) -> list[str]:
    """The names most like `name`, the likest first; where none is like it, the first ones."""
    lower = {one.lower(): one for one in reversed(names)}
    whole = get_close_matches(name.lower(), lower, most, 0.5)
    inside = [one for one in lower if name.lower() in one or one.rpartition("/")[2] in name.lower()]
    return [lower[one] for one in dict.fromkeys([*whole, *inside])][:most] or list(names[:most])


def remedy(problem: str, model: Model) -> str:
    """What to do about a problem with an endpoint, by the words in it."""
    key = model.key_variable
    no_key = "name the variable with the key as `key_variable` of the role in evolve.toml"
    correct = f"put a valid key into the variable {key}" if key else no_key
    known: tuple[tuple[str, str], ...] = (
        (r"the key for .* is not set", f"export {key}=..."),
        (r"HTTP 40[13]|invalid_api_key|Unauthorized", correct),
        (r"insufficient_quota|billing|HTTP 402", "top up the account of this key, or use another key"),
        (r"HTTP 429", "wait, or use fewer `slots`; if it stays so, the account's limit is too low"),
        (
            r"refused|All connection attempts failed",
            "start the server there, or correct base_url (host and port)",
        ),
        (
            r"[Nn]ame or service|Temporary failure in name|nodename|getaddrinfo",
            "correct the host in base_url, or look at the network and its DNS",
        ),
        (r"CERTIFICATE|certificate", "install ca-certificates, or name your own with SSL_CERT_FILE"),
        (r"WRONG_VERSION_NUMBER|SSL|TLS", "the server may speak plain HTTP: begin base_url with http://"),
        (r"[Hh][Tt][Mm][Ll]", "base_url leads to a web page or a proxy; most end in /v1"),
        (
            r"no (complete )?answer within|in time|[Tt]imed? ?out",
            "see whether the server is overloaded or a firewall is between",
        ),
        (r"unreachable|No route", "look at the network, a VPN or a firewall"),
        (r"HTTP 404", "correct `name`, or base_url: most end in /v1"),
        (r"HTTP 5\d\d", "the server is in trouble: look into its log, or try again later"),
        (r"[Pp]roxy", "look at HTTPS_PROXY and NO_PROXY"),
        (
            r"disconnected|reset|incomplete|RemoteProtocol",
            "another service may listen there; look at base_url",
        ),
        (
            r"not a chat completion",
            "the server may not speak the OpenAI protocol there; most base URLs end in /v1",
        ),
        (r"HTTP 4\d\d", "the server does not take this request: look at `name` and `sampling` of the role"),
    )
    return next(
        (text for words, text in known if re.search(words, problem)), "look at base_url and the server's log"
    )


def harmless(url: str) -> str:
    """A URL without the user name and password in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def without_key(text: str, key: str) -> str:
    """The text with the key taken out, should a server have sent it back."""
    return text.replace(key, "[key]") if len(key) > 3 else text


def _shown(body: bytes) -> str:
    """The message of an error response in one line, or its beginning."""
    text = body[:4000].decode("utf-8", "replace")
    try:
        error: Any = json.loads(text)
        text = str(error["error"]["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return "".join(one for one in " ".join(text.split()) if one.isprintable())[:TEXT]
