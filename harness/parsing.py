"""Strict reading of what models call JSON: fences and small slips are forgiven, types, lengths and ranges are not."""

import json
import re
from typing import TypeVar

import json_repair
from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

MOST_CHARACTERS = 200_000
DEEPEST = 40
FORBIDDEN = re.compile("[\0\ud800-\udfff]")
ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
BRACKET = re.compile(r"[\[\]{}]")
STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


class Malformed(ValueError):
    """The text is not the JSON object that was asked for; the message can be shown to whoever wrote it."""


def parse(text: str, model: type[T], *, repair: bool = True) -> T:
    """Read one JSON object as `model`. Fences and a leading thought are dropped.

    repair: also drop prose around the object and mend commas and quotes.

    Call it only on replies that ended by themselves: repairing a cut-off text makes it look complete.

    Raises:
        Malformed: too long, too deep, cut off, no object, several, or not valid for `model`.
    """
    body = unfenced(without_thought(text))
    if repair and "{" in body:
        end = body.rfind("}") + 1
        if "{" in body[end:]:
            raise Malformed(f"the last object is not closed; it ends {body[-80:]!r}")
        body = body[body.index("{") : end]
    return validate(read_object(body.strip(), repair=repair), model)


def without_thought(text: str) -> str:
    """The text after a leading thought: some servers send `<think>…</think>`, some only what closes it."""
    thought, closed, rest = text.partition("</think>")
    if not closed or ("```" in thought and not thought.lstrip().startswith("<think>")):
        return text
    return rest.lstrip()


def unfenced(text: str) -> str:
    """What stands between code fences, if the text begins and ends with one; else the text. Takes linear time."""
    body = text.strip()
    opening, newline, rest = body.partition("\n")
    language = opening[3:].strip()
    if not (newline and opening.startswith("```") and rest.endswith("```")):
        return text
    return rest[:-3] if not language or language.isalpha() else text


def validate(value: object, model: type[T]) -> T:
    """A decoded value as `model`, every mismatch named.

    Raises:
        Malformed: it does not fit.
    """
    try:
        encoded = json.dumps(value, allow_nan=False)
        if ESCAPED_NUL.search(encoded):
            raise Malformed("a string holds a NUL character")
        return model.model_validate_json(encoded, strict=True)
    except Malformed:
        raise
    except ValidationError as error:
        raise Malformed(explain(error)) from None
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not plain JSON values: {error}") from None


def read_object(body: str, *, repair: bool) -> object:
    """Decode `body`; only an object will do.

    Raises:
        Malformed: it is too long, too deeply nested, or no JSON object.
    """
    if len(body) > MOST_CHARACTERS:
        raise Malformed(f"{len(body):,} characters of JSON; at most {MOST_CHARACTERS:,} are read")
    if depth(STRING.sub("", body)) > DEEPEST:
        raise Malformed(f"brackets nested deeper than {DEEPEST}")
    if FORBIDDEN.search(body):
        raise Malformed("the text holds a NUL or a lone surrogate")
    try:
        value = json.loads(body)
    except ValueError as error:
        if not repair or not (body.startswith("{") and body.endswith("}")):
            raise Malformed(f"not a JSON object: {error}; it begins {body[:80]!r}") from None
        if str(error).startswith("Extra data"):
            raise Malformed(f"more than one JSON object; the text begins {body[:80]!r}") from None
        if depth(body) > DEEPEST:  # where quotes are broken, brackets in strings count as well
            raise Malformed(f"brackets nested deeper than {DEEPEST}") from None
        value = json_repair.loads(body, skip_json_loads=True)
    if not isinstance(value, dict):
        raise Malformed(f"a JSON object is needed, not {type(value).__name__}; it begins {body[:80]!r}")
    return value


def depth(body: str) -> int:
    """Upper bound of the nesting: the most brackets that stand open at once, wherever they are."""
    deepest = level = 0
    for character in BRACKET.findall(body):
        level += 1 if character in "[{" else -1
        deepest = max(deepest, level)
    return deepest


def explain(error: ValidationError) -> str:
    """A pydantic error in a few lines that name each field, what was wrong and the value."""
    rows = []
    for one in error.errors(include_url=False)[:8]:
        where = ".".join(str(part)[:60] for part in one["loc"]) or "object"
        rows.append(f"{where}: {one['msg']} (got {str(one['input'])[:60]!r})")
    return "; ".join(rows)
