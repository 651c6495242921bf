"""The places that settings come from, each read alone: evolve.toml, .env, environment, flags. What wins is decided above."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from evolve.configuration.checking import Problem, check, names, nearest
from evolve.configuration.fields import nested
from harness.errors import UsageError

PREFIX = "EVOLVE_"
BETWEEN = "__"
DOTENV = ".env"
OURS = (f"{PREFIX}TEST_", f"{PREFIX}CACHE")  # of the test suite, and where weights are kept: no settings
HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")
AT_LINE = re.compile(r"at line (\d+)")
KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")

Kind = Literal["default", "run", "file", ".env", "environment", "flags"]


@dataclass(frozen=True)
class Origin:
    """Where a value comes from. `where`: a file with its line, a variable, or who gave the flags."""

    kind: Kind
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.where}" if self.kind == "environment" else self.where or self.kind


BY_DEFAULT = Origin("default")


@dataclass(frozen=True)
class Setting:
    """One value and its origin."""

    value: Any
    origin: Origin


@dataclass(frozen=True)
class Layer:
    """The settings of one source by dotted name, and a line of text for each thing in it that cannot be used.

    replaces: beginnings of names; what lower layers say of those does not count.
    """

    settings: Mapping[str, Setting]
    problems: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Environment:
    """The process's variables, and those of `.env`, which they win over. Values are never shown."""

    process: Mapping[str, str] = field(default_factory=dict, repr=False)
    file: Mapping[str, str] = field(default_factory=dict, repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)
    path: Path = Path(DOTENV)

    def get(self, name: str) -> str:
        """The value of a variable; empty where it is not set."""
        return self.process.get(name) or self.file.get(name) or ""

    def origin(self, name: str) -> Origin:
        """Where a variable is set; the environment, if nowhere."""
        return self.origin_in(
            ".env" if not self.process.get(name) and name in self.file else "environment", name
        )

    def origin_in(self, kind: Literal[".env", "environment"], name: str) -> Origin:
        """The origin of a variable that is set in that place."""
        if kind == ".env":
            return Origin(".env", f"{display(self.path)}:{self.lines[name]}")
        return Origin("environment", name)


def display(path: Path) -> str:
    """A path as people would write it here."""
    path, here = path.absolute(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def from_file(path: Path, tree: type[BaseModel]) -> Layer:
    """The settings of a TOML file; none if there is no file.

    Raises:
        UsageError: it cannot be read, or is no TOML; names the line.
    """
    name = display(path)
    try:
        if not path.exists():
            return Layer({})
        text = path.read_bytes().decode("utf-8-sig")
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = AT_LINE.search(str(error))
        raise UsageError(
            f"{name}{f':{line[1]}' if line else ''} cannot be read, it is no TOML: {error}"
        ) from None
    except (UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{name} cannot be read: {reason(error)}") from None
    lines = dict(positions(text))
    checked = check(data, tree, strict=True)
    place = {key: f"{name}:{line}" for key, line in lines.items()}
    return Layer(
        {
            key: Setting(value, Origin("file", above(key, place, name)))
            for key, value in checked.values.items()
        },
        tuple(f"{above(one.key, place, name)}: {in_file(one)}" for one in checked.problems),
    )


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read."""
    return (
        str(error.strerror) if isinstance(error, OSError) else f"it is no text in UTF-8 (byte {error.start})"
    )


def positions(text: str) -> Iterator[tuple[str, int]]:
    """Dotted names of tables and keys with the line they stand in; the last word on a name wins."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = parts(header[1])
            yield ".".join(table), number
        elif key := KEY.match(line):
            yield ".".join(table + parts(key[1])), number


def parts(dotted: str) -> tuple[str, ...]:
    """A dotted key of TOML in its parts; one part if it is none (it stood inside a text)."""
    try:
        table: Any = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return (dotted,)
    found: list[str] = []
    while isinstance(table, dict):
        ((name, table),) = table.items()
        found.append(name)
    return tuple(found)


def above(key: str, places: Mapping[str, str], otherwise: str) -> str:
    """The place of a name, or of the nearest table around it."""
    while key:
        if key in places:
            return places[key]
        key = key.rpartition(".")[0]
    return otherwise


def in_file(one: Problem) -> str:
    """A problem in the words of TOML."""
    name, near = (f"[{one.key}]", f"[{one.nearest}]") if one.table else (one.key, one.nearest)
    value = f" = {one.value}:" if one.value else ""
    return f"{name}{value} {one.text}" + (f"; did you mean {near}?" if near else "")


def read_environment(folder: Path, process: Mapping[str, str] | None = None) -> Environment:
    """The variables of the process (those given, or its own) and of `.env` in the folder.

    Raises:
        UsageError: `.env` cannot be read; names the line, and repeats nothing of it.
    """
    process, path = os.environ if process is None else process, folder / DOTENV
    if not path.exists():
        return Environment(process, path=path)
    from dotenv.parser import parse_stream

    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for binding in parse_stream(stream):
                start = binding.original.string
                line = binding.original.line + len(start[: len(start) - len(start.lstrip())].splitlines())
                if binding.error:
                    raise UsageError(f"{display(path)}:{line}: this is no line of the form NAME=value")
                if binding.key is not None:
                    values[binding.key], lines[binding.key] = binding.value or "", line
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{display(path)} cannot be read: {reason(error)}") from None
    return Environment(process, values, lines, path)


def from_variables(
    environment: Environment, kind: Literal[".env", "environment"], tree: type[BaseModel]
) -> Layer:
    """The settings among the variables of one of the two places: EVOLVE_SEARCH__SEED is search.seed.

    Each variable is read alone by the source of pydantic-settings, so that the origin of each value is known.
    """
    variables = environment.process if kind == "environment" else environment.file
    given = [one for one, value in variables.items() if value and is_setting(one)]
    if not given:
        return Layer({})
    from pydantic_settings import EnvSettingsSource, SettingsError

    source = EnvSettingsSource(
        tree,  # type: ignore[arg-type]  # any model will do: the source looks at its fields alone
        case_sensitive=False,
        env_prefix=PREFIX,
        env_nested_delimiter=BETWEEN,
    )
    settings: dict[str, Setting] = {}
    problems: list[str] = []
    for name in sorted(given, key=lambda one: (one.count(BETWEEN), one)):
        origin = environment.origin_in(kind, name)
        source.env_vars = {name.lower(): variables[name]}
        try:
            data = source()
        except SettingsError:
            problems.append(
                f"{spoken(name, origin)} must be a table in JSON, or be one variable for each key in it"
            )
            continue
        if not data:
            problems.append(in_variable(Problem(dotted(name), "is unknown"), name, origin, tree))
            continue
        checked = check(data, tree, strict=False)
        problems += [in_variable(one, name, origin, tree) for one in checked.problems]
        for key, value in checked.values.items():
            settings[key] = Setting(joined(settings.get(key), value), origin)
    return Layer(settings, tuple(problems))


def joined(before: Setting | None, value: Any) -> Any:
    """A value; a free-form table together with what other variables said of it."""
    if before is not None and isinstance(before.value, dict) and isinstance(value, dict):
        return before.value | value
    return value


def is_setting(variable: str) -> bool:
    """Whether a variable claims to be a setting."""
    return variable.upper().startswith(PREFIX) and not variable.upper().startswith(OURS)


def dotted(variable: str) -> str:
    """The setting that a variable stands for."""
    return variable[len(PREFIX) :].lower().replace(BETWEEN, ".")


def variable_of(key: str) -> str:
    """The variable that stands for a setting."""
    return PREFIX + key.upper().replace(".", BETWEEN)


def spoken(name: str, origin: Origin) -> str:
    """A variable and where it is set."""
    return f"{origin.where}: {name}" if origin.kind == ".env" else f"environment: {name}"


def in_variable(one: Problem, name: str, origin: Origin, tree: type[BaseModel]) -> str:
    """A problem in the words of the environment."""
    near = one.nearest
    if one.text == "is unknown":
        near = meant(name, tuple(names(tree)))
    value = f" = {one.value}:" if one.value else ""
    within = "" if one.key in ("", dotted(name)) or one.nearest else f" ({one.key})"
    return f"{spoken(name, origin)}{within}{value} {one.text}" + (
        f"; did you mean {variable_of(near)}?" if near else ""
    )


def meant(variable: str, known: tuple[str, ...]) -> str:
    """The setting most like a variable's name, however many underscores it was written with."""
    written = {variable_of(key).replace(BETWEEN, "_"): key for key in known}
    found = get_close_matches(variable.upper().replace(BETWEEN, "_"), written, 1, 0.8)
    return written[found[0]] if found else nearest(dotted(variable), known)


def from_flags(overrides: Mapping[str, Any], who: str, tree: type[BaseModel]) -> Layer:
    """Settings given by whoever called, by dotted name; a whole `models` replaces every model of lower layers."""
    checked = check(nested(deepcopy(dict(overrides))), tree, strict=False)
    return Layer(
        {key: Setting(value, Origin("flags", who)) for key, value in checked.values.items()},
        tuple(f"{who}: {in_file(one)}" for one in checked.problems),
        ("models.",) if "models" in overrides else (),
    )
