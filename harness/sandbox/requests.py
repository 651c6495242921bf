"""One line from a scaffold -> one checked request. Pure; nothing of the line is used before it is understood."""

import json
import math
from typing import Any, NoReturn

from harness.errors import CandidateFault

KINDS: dict[str, tuple[type, ...]] = {
    "ask": (str, list),
    "submit": (dict, str),
    "done": (bool,),
    "error": (str,),
}
MAX_DEPTH = 32


def parse(line: bytes) -> dict[str, Any]:
    """The request in `line`: an object with exactly one of `ask`, `submit`, `done`, `error`, its value of that type.

    Raises CandidateFault `bad_request` for anything else, NaN, infinities, lone surrogates and NUL included.
    """
    try:
        request = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
        _check(request)
    except (ValueError, RecursionError) as error:
        raise CandidateFault("bad_request", f"{error}, in the line {_start(line)}") from error
    if not isinstance(request, dict) or len(request) != 1:
        raise CandidateFault("bad_request", f"a request is an object with one key, not {_start(line)}")
    (kind, value), *_ = request.items()
    listed = isinstance(value, list)
    if listed and not (value and all(isinstance(one, str) for one in value)):
        raise CandidateFault("bad_request", f"a list of prompts is texts, one at least: {_start(line)}")
    if kind not in KINDS or not isinstance(value, KINDS[kind]) or value is False:
        raise CandidateFault("bad_request", f"unknown request, or a value of the wrong type: {_start(line)}")
    return request


def _check(value: object, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
        if "\0" in value:
            raise ValueError("a NUL character")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number out of range")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _start(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", "backslashreplace"))
