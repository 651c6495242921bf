"""How settings look in a terminal: under the headings of their tables, each with its value and where that comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from evolve.configuration.fields import NONE, leaves
from evolve.configuration.foresight import Foresight
from evolve.configuration.sources import BY_DEFAULT, Origin
from evolve.report.figures import visible
from evolve.report.store import as_json
from harness.types import ROLES

VALUE_AT, ORIGIN_AT = 27, 65
EVERY = "every role"


@dataclass(frozen=True)
class Line:
    """One setting as it holds."""

    key: str
    value: object
    origin: Origin


def lines(found: Foresight) -> list[Line]:
    """Every setting as it holds."""
    origins = found.wanted.origins
    return [Line(key, value, origins.get(key, BY_DEFAULT)) for key, value in leaves(found.wanted.settings)]


def pictures(found: Foresight, chosen: list[Line], prefix: str, width: int) -> list[RenderableType]:
    """A heading, a table for each table of settings, the keys, and what stands against going on."""
    what = f"run {found.run}, if it goes on" if found.run else "a new run"
    parts: list[RenderableType] = [Text(f"{what}; {found.source}", "bold")]
    for title, rows in tables(chosen, prefix):
        parts += [Text(""), Text(f"[{title}]" if title else "", "bold cyan")] if title else [Text("")]
        parts += [part for name, one in rows for part in setting(name, one, width)]
    if found.keys and (not prefix or prefix.startswith("models")):
        parts += [Text(""), Text("Keys (values are never shown)", "bold cyan")]
        parts += keys_of(found, width)
    for notice in found.wanted.notices:
        parts += [Text(""), Text(notice, "yellow")]
    if found.refused:
        parts += [
            Text(""),
            Text(
                f"run {found.run} would be refused, since its scores would no longer be comparable:",
                "bold red",
            ),
            *(Text(f"  {line}") for line in found.refused),
            Text("Use the old values to go on with it, or --new to start another run."),
        ]
    return parts


def tables(chosen: list[Line], prefix: str) -> Iterator[tuple[str, list[tuple[str, Line]]]]:
    """Settings under the heading of their table, each with its name there.

    What is the same in every role is said once, and roles that are alike share a heading.
    """
    plain: dict[str, list[tuple[str, Line]]] = {}
    roles: dict[str, dict[str, Line]] = {}
    for one in chosen:
        top, _, rest = one.key.partition(".")
        if top == "models" and prefix.count(".") == 0:
            role, _, name = rest.partition(".")
            roles.setdefault(role, {})[name] = one
        else:
            title, name = heading(one.key)
            plain.setdefault(title, []).append((name, one))
    yield from sorted(plain.items(), key=lambda pair: pair[0] != "")
    yield from of_roles(roles)


def heading(key: str) -> tuple[str, str]:
    """The table a setting is shown in, and its name there."""
    parts = key.split(".")
    depth = 2 if parts[0] == "models" else 3 if parts[:2] == ["budget", "roles"] else min(1, len(parts) - 1)
    return ".".join(parts[:depth]), ".".join(parts[depth:])


def of_roles(roles: Mapping[str, Mapping[str, Line]]) -> Iterator[tuple[str, list[tuple[str, Line]]]]:
    """The models: what all have in common, then what is peculiar to some."""
    if not roles:
        return
    first = next(iter(roles.values()))
    shared = {
        name
        for name, one in first.items()
        if all(name in table and same(table[name], one) for table in roles.values())
    }
    if len(roles) == len(ROLES) and shared:
        yield f"models: {EVERY}", [(name, first[name]) for name in first if name in shared]
    else:
        shared = set()
    groups: list[tuple[list[str], list[tuple[str, Line]]]] = []
    for role, table in roles.items():
        rows = [(name, one) for name, one in table.items() if name not in shared]
        alike = next((names for names, others in groups if equal(others, rows)), None)
        if alike is not None:
            alike.append(role)
        elif rows:
            groups.append(([role], rows))
    for names, rows in groups:
        yield f"models: {', '.join(names)}", rows


def same(one: Line, other: Line) -> bool:
    """Whether two roles have a setting from the same place."""
    return (one.value, one.origin) == (other.value, other.origin)


def equal(some: list[tuple[str, Line]], others: list[tuple[str, Line]]) -> bool:
    """Whether two roles have the same settings from the same places."""
    return len(some) == len(others) and all(
        a == b and same(x, y) for (a, x), (b, y) in zip(some, others, strict=True)
    )


def setting(name: str, one: Line, width: int) -> list[RenderableType]:
    """A setting with its value and origin."""
    style = "dim" if one.origin.kind == "default" else ""
    return row(name, Text(visible(written(one.value))), str(one.origin), width, style)


def keys_of(found: Foresight, width: int) -> Iterator[RenderableType]:
    """The variables of keys: set or not, and who needs them."""
    for need in found.keys:
        state = Text(f"set in {need.where}", "green") if need.set else Text("NOT SET", "bold red")
        who = EVERY if len(need.roles) == len(ROLES) else ", ".join(need.roles)
        yield from row(need.variable, state, who, width)


def row(name: str, value: Text, origin: str, width: int, style: str = "") -> list[RenderableType]:
    """A line in three columns; an origin with little room moves to the left, one with none to the next line."""
    head = Text(f"  {name:<{VALUE_AT - 4}}  ", style, overflow="fold").append_text(value)
    gap = min(ORIGIN_AT, width - len(origin)) - len(head)
    if gap >= 2:
        return [head.append(" " * gap + origin)]
    return [head, Padding(Text(origin, style), (0, 0, 0, VALUE_AT + 2))]


def written(value: object) -> str:
    """A value as people write it."""
    if value is None:
        return NONE
    return value if isinstance(value, str) else as_json(value)
