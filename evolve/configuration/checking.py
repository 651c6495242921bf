"""Settings as somebody wrote them, held against the tree: what can be used, and what is wrong with the rest. No I/O."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from evolve.configuration.fields import NONE, ROLE, TEXTS, URL, choices, in_words, optional, table_of, walk
from harness.types import ROLES

DEFAULT = "default"
SHOWN = 60
NAME_OF_A_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BEGINNING_OF_A_KEY = re.compile(
    r"(sk|pk|rk|hf|gsk|xai|r8|glpat|ghp|nvapi|key|Bearer)[-_ ]\S{12,}|AIza\S{20,}"
)
SECRETS = ("key", "token", "password", "secret", "authorization")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `value`: how it was written, empty where it does not matter or may be a secret.

    nearest: the dotted name that was perhaps meant. table: the unknown thing is a table.
    """

    key: str
    text: str
    value: str = ""
    nearest: str = ""
    table: bool = False


@dataclass(frozen=True)
class Checked:
    """What can be used of one source, by dotted name, and what cannot."""

    values: Mapping[str, Any]
    problems: tuple[Problem, ...]


def check(data: Mapping[str, Any], tree: type[BaseModel], strict: bool) -> Checked:
    """Hold nested tables against a tree. Missing settings are no problem here: another source may have them.

    strict: values have the types that were written (TOML); else texts are converted (the environment).
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for one in Checker(tree, strict).table(data, tree, ""):
        if isinstance(one, Problem):
            problems.append(one)
        else:
            values[one[0]] = one[1]
    return Checked(values, tuple(problems))


class Checker:
    """Walks what was written beside the tree that it should fit."""

    def __init__(self, tree: type[BaseModel], strict: bool) -> None:
        self.names = tuple(names(tree))
        self.strict = strict

    def table(
        self, data: Mapping[str, Any], model: type[BaseModel], start: str
    ) -> Iterator[Problem | tuple[str, Any]]:
        """The settings of one table and of those in it."""
        for name, value in data.items():
            key, field = f"{start}{name}", model.model_fields.get(name)
            if field is None:
                yield self.unknown(key, value)
            elif (shape := table_of(field)) is None:
                yield leaf(key, field, value, self.strict)
            elif not isinstance(value, Mapping):
                yield Problem(key, "must be a table", shown(value))
            elif not shape.by_role:
                yield from self.table(value, shape.model, f"{key}.")
            else:
                yield from self.roles(value, shape.model, key)

    def roles(
        self, data: Mapping[str, Any], model: type[BaseModel], start: str
    ) -> Iterator[Problem | tuple[str, Any]]:
        """One table a role; among the models `default` is one of them."""
        known = (*ROLES, DEFAULT) if start == "models" else ROLES
        for role, value in data.items():
            key = f"{start}.{role}"
            if role not in known:
                near = get_close_matches(role, known, 1)
                yield Problem(
                    key,
                    f"is no role; the roles are {', '.join(known)}",
                    nearest=f"{start}.{near[0]}" if near else "",
                    table=True,
                )
            elif not isinstance(value, Mapping):
                yield Problem(key, "must be a table", shown(value))
            else:
                yield from self.table(value, model, f"{key}.")

    def unknown(self, key: str, value: object) -> Problem:
        """A name that the tree does not have, and the one that was perhaps meant."""
        last = key.rpartition(".")[2].lower()
        of_a_model = key.startswith("models.") and key.count(".") == 2 and isinstance(value, str)
        if of_a_model and any(word in last for word in SECRETS):
            hint = "is unknown; keys never stand in settings: set key_variable to the NAME of the variable that holds it"
            return Problem(key, hint)
        table = isinstance(value, Mapping)
        return Problem(key, "is unknown", nearest=nearest(key, self.names), table=table)


def names(tree: type[BaseModel]) -> Iterator[str]:
    """Every dotted name that may be written, with each role's."""
    for one in walk(tree):
        if ROLE not in one.key:
            yield one.key
            continue
        for role in (*ROLES, DEFAULT) if one.key.startswith("models.") else ROLES:
            yield one.key.replace(ROLE, role)


def nearest(key: str, known: tuple[str, ...]) -> str:
    """The known name most like this one: in the same table, of the same last part elsewhere, or like it as a whole."""
    start, _, last = key.rpartition(".")
    beside = {one.rpartition(".")[2]: one for one in known if one.rpartition(".")[0] == start}
    if found := get_close_matches(last, beside, 1):
        return beside[found[0]]
    if namesakes := [one for one in known if one.rpartition(".")[2] == last]:
        return min(namesakes, key=lambda one: (one.count("."), one))
    return next(iter(get_close_matches(key, known, 1, 0.7)), "")


def leaf(key: str, field: FieldInfo, value: Any, strict: bool) -> Problem | tuple[str, Any]:
    """One value, converted to what the field holds, or what is wrong with it."""
    if optional(field) and isinstance(value, str) and value.lower() == NONE:
        return key, None
    if in_words(field) in ("a table", TEXTS) and not strict:
        value = decoded(value)
    if in_words(field) == TEXTS and isinstance(value, list):
        value = tuple(value)
    try:
        found = adapter(field, strict).validate_python(value)
    except ValidationError:
        near = get_close_matches(str(value), choices(field), 1)
        text = f"must be {in_words(field)}" + (f"; did you mean {near[0]!r}?" if near else "")
        return Problem(key, text, shown(value))
    if text := RULES.get(key.rpartition(".")[2], nothing)(found):
        return Problem(key, text, "" if key.endswith(".key_variable") else shown(value))
    return key, found


def adapter(field: FieldInfo, strict: bool) -> TypeAdapter[Any]:
    """What validates one field by itself."""
    shape: Any = field.annotation
    if field.metadata:
        shape = Annotated[shape, *field.metadata]
    return TypeAdapter(shape, config=ConfigDict(strict=strict, allow_inf_nan=False))


def decoded(value: Any) -> Any:
    """Free-form tables from the environment, whose values are JSON where they can be."""
    if isinstance(value, Mapping):
        return {key: decoded(one) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def nothing(value: Any) -> str:
    """No rule beyond the type."""
    return ""


def url_problem(value: str) -> str:
    """Why a base URL cannot be used, or an empty string."""
    try:
        parts = urlsplit(value)
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0) and not re.search(r"\s", value)
    except ValueError:
        good = False
    if not good:
        return f"must be {URL}"
    if parts.username or parts.password:
        return "must not hold a user or password: it is recorded; name the variable of a key in key_variable"
    path = parts.path.rstrip("/")
    if path.endswith(("/chat/completions", "/completions", "/responses")):
        return "must end before /chat/completions: calls append it"
    return ""


def key_variable_problem(value: str | None) -> str:
    """Why this names no environment variable, or an empty string. It is never repeated: it may be a key."""
    if value is None or (NAME_OF_A_VARIABLE.fullmatch(value) and not looks_like_a_key(value)):
        return ""
    return (
        "must be the NAME of an environment variable, such as OPENAI_API_KEY; the value (not repeated here) is no such "
        "name. If it is a key, take it out of here and put it into the environment or .env"
    )


def looks_like_a_key(text: str) -> bool:
    """Whether a text is rather a secret than a word: a known beginning, or a long part of mixed letters and digits."""
    if BEGINNING_OF_A_KEY.match(text):
        return True
    long = [part for part in re.split(r"[^A-Za-z0-9]+", text) if len(part) >= 16]
    return any(re.search(r"\d", part) and re.search(r"[a-z]", part) for part in long)


RULES: Mapping[str, Callable[[Any], str]] = {"base_url": url_problem, "key_variable": key_variable_problem}


def shown(value: object) -> str:
    """A value in a message: short, and without keys and passwords."""
    text = re.sub(r"//[^/@\s]*@", "//...@", repr(value))
    if looks_like_a_key(str(value)):
        return "(not shown: it looks like a key)"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
