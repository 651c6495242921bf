"""The text of an evolve.toml in which every setting is explained, made from the tree of settings and a profile. No I/O
but its own package data."""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from textwrap import wrap

from evolve.configuration.checking import DEFAULT
from evolve.configuration.fields import NONE, ROLE, URL, FieldHelp
from evolve.configuration.profiles import OPENAI, Profile
from evolve.settings import fields
from harness.types import ROLES

WIDTH = 79
MODEL = f"models.{ROLE}."
RULE = 74
COLUMN = 28


def text(name: str) -> str:
    """A template of the package."""
    return files("evolve.configuration").joinpath("templates", name).read_text("utf-8")


def evolve_toml(profile: Profile, domain: str = "cs") -> str:
    """The whole file; reading it gives the profile's values, and so it does with every name switched on.

    domain: the kind of task, written if it is not the usual one.
    The profile of simulated models has a block of models that is switched off, with the values of OpenAI's.
    """
    head = text("head.toml").format(profile=profile.name, about=profile.about)
    every = list(fields())
    single = (line for one in every if "." not in one.key and not one.table for line in setting(one, {}))
    blocks = [head, "\n".join(single), "\n".join(models(every, profile))]
    for table in every:
        if table.table and not table.key.startswith("models") and ROLE not in table.key:
            chosen = {"domain": domain} if (table.key, domain != "cs") == ("measure", True) else {}
            blocks.append("\n".join(section(every, table, chosen)))
    return "\n".join(f"{block.strip()}\n" for block in blocks if block.strip())


def models(every: list[FieldHelp], profile: Profile) -> Iterator[str]:
    """The block of models: all settings of the default with their help, then the tables of single roles."""
    off = "" if profile.models else "#"
    shown = profile if profile.models else OPENAI
    yield text("models.toml").rstrip()
    if off:
        yield from comment(
            "Now all of them are simulated. To use your own, switch on the tables below, from [models.default] on, and "
            "write yours; or begin again with another --profile and --force."
        )
    yield ""
    yield from comment(shown.remarks.get(DEFAULT, ""))
    yield f"{off}[models.{DEFAULT}]"
    if "simulated" in shown.models[DEFAULT]:
        yield from (f"{key} = {value_of(value)}" for key, value in shown.models[DEFAULT].items())
        yield from explained(every)
    else:
        yield from keys(every, MODEL, shown.models[DEFAULT], off)
        yield ""
        yield f"{off}[models.{DEFAULT}.sampling]"
        yield from keys(every, f"{MODEL}sampling.", inner(shown.models[DEFAULT], "sampling"), off)
    for role, table in shown.models.items():
        if role != DEFAULT:
            yield ""
            yield from comment(shown.remarks.get(role, ""))
            yield f"{off}[models.{role}]"
            yield from (f"{off}{key} = {value_of(value)}" for key, value in table.items())
    others = [role for role in ROLES if role not in shown.models]
    yield ""
    yield from comment(
        f"Tables for {', '.join(others)} are written in the same way; all that [models.{DEFAULT}] holds may stand in each."
    )


def explained(every: list[FieldHelp]) -> Iterator[str]:
    """What else a table of a model may hold, in words: simulated and local ones have defaults of their own."""
    yield ""
    yield from comment("What a table of a role may hold besides:")
    for one in every:
        if one.key.startswith(MODEL) and not one.table:
            yield from comment(f"- {one.key.removeprefix(MODEL)}: {one.help}")


def section(every: list[FieldHelp], table: FieldHelp, chosen: Mapping[str, object]) -> Iterator[str]:
    """One table that is not of a role, with the values that were chosen."""
    if table.type != "table":
        example = next(one for one in every if one.key.startswith(f"{table.key}.{ROLE}.") and not one.table)
        yield from comment(f"{table.help} For instance:")
        yield f"#   [{table.key}.strong]"
        yield f"#   {example.key.rpartition('.')[2]} = 1000"
        return
    if "." not in table.key:
        yield f"# {'-' * (RULE - len(table.key))} {table.key}"
    yield from comment(table.help)
    yield f"[{table.key}]"
    yield from keys(every, f"{table.key}.", chosen, "")


def keys(every: list[FieldHelp], start: str, values: Mapping[str, object], off: str) -> Iterator[str]:
    """The settings right in one table, each with its help."""
    for one in every:
        if one.key.startswith(start) and not one.table and "." not in one.key[len(start) :]:
            yield from setting(one, values, off)


def setting(one: FieldHelp, values: Mapping[str, object], off: str = "") -> Iterator[str]:
    """One setting: its help, then the value of the profile, or the default switched off; and what it may be."""
    name = one.key.rpartition(".")[2]
    line = (
        f"{off}{name} = {value_of(values[name])}" if name in values else f"#{name} = {value_of(one.default)}"
    )
    kind = "" if one.type in ("text", URL) else one.type
    beside = f"{line:<{COLUMN}}  # {kind}" if kind else line
    fits = len(beside) <= WIDTH
    yield from comment(one.help if fits else f"{one.help} ({kind})")
    yield beside if fits else line


def inner(table: Mapping[str, object], name: str) -> dict[str, object]:
    """What a table holds within one of its own."""
    return {key.removeprefix(f"{name}."): value for key, value in table.items() if key.startswith(f"{name}.")}


def comment(text: str) -> Iterator[str]:
    """Help in lines; a line that is indented stays as it is."""
    for part in text.splitlines():
        if part.startswith(" "):
            yield f"# {part}"
        else:
            yield from (
                f"# {line}" for line in wrap(part, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
            )


def value_of(value: object) -> str:
    """A value as TOML."""
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, dict):
        return f"{{{', '.join(f' {json.dumps(key)} = {value_of(one)} ' for key, one in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
