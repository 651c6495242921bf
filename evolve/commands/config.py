"""The commands `config`: what holds, where it comes from, and what one setting means. Values of keys are never shown."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from textwrap import fill

import click

from evolve.commands.common import as_json as json_option
from evolve.commands.common import console, database, examples, page, run_name
from evolve.commands.settings_view import Line, lines, pictures, written
from evolve.configuration.fields import ROLE, FieldHelp
from evolve.configuration.foresight import Foresight, foresee
from evolve.configuration.sources import DOTENV, variable_of
from evolve.opening import Options
from evolve.report.figures import visible
from evolve.report.store import as_json
from evolve.settings import FILE, fields
from harness.errors import UsageError
from harness.types import ROLES

WIDTH = 80


@click.group(
    epilog=examples(
        "evolve config show  # everything",
        "evolve config show models.weak",
        "evolve config explain search.temperature",
    )
)
def config() -> None:
    """Show every setting and where its value comes from.

    The strongest first: flags, environment (EVOLVE_SEARCH__SEED), .env, evolve.toml, what a run that goes on began with,
    defaults.
    """


@config.command(
    "show",
    short_help="Every setting, its value, and where that comes from.",
    epilog=examples(
        "evolve config show",
        "evolve config show budget  # one table, or one setting",
        "evolve config show --changed  # only what is no default",
        "evolve config show --run run-002 --json",
    ),
)
@click.argument("prefix", metavar="[KEY]", default="")
@click.option("--changed", is_flag=True, help="Leave out what has its default.")
@click.option("--new", is_flag=True, help="For a new run, although there is one that would go on.")
@database
@run_name
@json_option
def show(prefix: str, changed: bool, new: bool, db: Path, run_name: str | None, json_output: bool) -> None:
    """What `evolve run` would use now: every setting, its value, and where that comes from.

    That is for the run that would go on, if there is one. KEY is a setting or a table, such as search or models.weak.
    """
    database = db.absolute()
    found = foresee(Options(database.parent, database, run=run_name, new=new))
    held = lines(found)
    chosen = [
        one for one in held if within(one.key, prefix) and not (changed and one.origin.kind == "default")
    ]
    if not chosen and not any(within(one.key, prefix) for one in held):
        raise UsageError(unknown(prefix))
    if json_output:
        click.echo(as_json(facts(found, chosen)))
        return
    page(*pictures(found, chosen, prefix, console().width))


@config.command("explain", epilog=examples("evolve config explain search.temperature"))
@click.argument("key")
@database
@run_name
@json_option
def explain(key: str, db: Path, run_name: str | None, json_output: bool) -> None:
    """What one setting is for, what it may be, and what it is now."""
    role = next((one for one in (*ROLES, "default") if f".{one}." in f".{key}."), "")
    general = key.replace(f".{role}", f".{ROLE}", 1) if role else key
    help_text = next((one for one in fields() if one.key == general), None)
    if help_text is None:
        raise UsageError(unknown(key))
    database = db.absolute()
    held = {one.key: one for one in lines(foresee(Options(database.parent, database, run=run_name)))}
    now = held.get(key)
    if json_output:
        click.echo(as_json(explained(help_text, key, now)))
        return
    click.echo(f"{key}\n{fill(help_text.help, WIDTH, initial_indent='  ', subsequent_indent='  ')}\n")
    if help_text.table:
        inside = [one for one in fields() if one.key.rpartition(".")[0] == general]
        rows = [(one.key.rpartition(".")[2], one.type) for one in inside]
    else:
        rows = about(help_text, key, now)
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        click.echo(f"  {name:<{width}}  {visible(text)}")


def about(one: FieldHelp, key: str, now: Line | None) -> list[tuple[str, str]]:
    """What a setting may be, what it is without anybody's doing, and what it is."""
    rows = [
        ("may be", one.type),
        ("default", "none: it must be given" if one.required else written(one.default)),
    ]
    rows += [("now", f"{written(now.value)}  ({now.origin})")] if now else []
    return rows + ([("variable", variable_of(key))] if ROLE not in key else [])


@config.command("path")
@database
def path(db: Path) -> None:
    """Which files settings are read from, and whether they are there."""
    folder = db.absolute().parent
    for one in (folder / FILE, folder / DOTENV):
        click.echo(f"{one}{'' if one.exists() else '  (not there)'}")


def within(key: str, prefix: str) -> bool:
    """Whether a setting is meant by a name: itself, or a table around it."""
    return not prefix or key == prefix or key.startswith(f"{prefix}.")


def unknown(key: str) -> str:
    """What to say of a name that no setting has."""
    names = [
        one.key.replace(ROLE, role) for one in fields() for role in (ROLES if ROLE in one.key else ("",))
    ]
    near = get_close_matches(key, names, 1)
    return f"there is no setting {key!r}" + (
        f"; did you mean {near[0]}?" if near else "; `evolve config show` lists all"
    )


def facts(found: Foresight, chosen: Iterable[Line]) -> dict[str, object]:
    """All of it for a program."""
    return {
        "run": found.run,
        "settings": [
            {"key": one.key, "value": one.value, "origin": one.origin.kind, "where": one.origin.where}
            for one in chosen
        ],
        "keys": [
            {"variable": one.variable, "roles": one.roles, "set": one.set, "where": one.where}
            for one in found.keys
        ],
        "notices": found.wanted.notices,
        "refused": found.refused,
    }


def explained(one: FieldHelp, key: str, now: Line | None) -> dict[str, object]:
    """The help of one setting for a program."""
    told = {"key": key, "help": one.help, "type": one.type, "default": one.default, "required": one.required}
    return told | ({"value": now.value, "origin": now.origin.kind, "where": now.origin.where} if now else {})
