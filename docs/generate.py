"""Writes docs/commands.md and docs/settings.md from the commands and the settings themselves: `make docs`.

Not a framework for documentation: two functions, each of which returns a page.
"""

import inspect
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill

import click

from evolve.cli import COMMANDS, EPILOG, cli
from evolve.configuration.binding import fixed
from evolve.configuration.fields import ROLE, FieldHelp
from evolve.configuration.sources import variable_of
from evolve.settings import Settings, fields

FOLDER = Path(__file__).parent
WRITTEN = "<!-- Written by `make docs` from the code; edit the code instead. -->"
WIDTH = 118
KEPT = "search.lag"
SERVED = {
    "models.<role>.base_url": "default OpenAI, or `OPENAI_BASE_URL`",
    "models.<role>.key_variable": "default: see above",
}
NOTES = {
    "models.<role>": """\
Without `base_url` the address is that of the variable `OPENAI_BASE_URL` if it is set, else OpenAI's. The key is then
expected in `OPENAI_API_KEY` (a server that is reached without encryption needs none). With a `base_url` of its own a
role does not inherit the default's `key_variable`, and a key that one source names is not sent to an address that a
stronger source gives: no key goes to a server it was not named for. A role with `simulated = true` needs nothing
else."""
}
ABOUT_SETTINGS = """\
Settings come from five places; a later one wins over an earlier one:

1. the defaults below, or, when a run goes on, the settings that it began with;
2. `evolve.toml` in the folder of the database;
3. `.env` in that folder;
4. environment variables;
5. flags of the command.

`evolve config show` tells what holds and where each value comes from. `evolve init` writes an `evolve.toml` with every
setting explained. A name that is not known is refused, with the nearest one that is.

A dot in the name of a setting is a table in `evolve.toml`: `search.seed` is `seed` under `[search]`. The environment
variable of a setting is its name in capitals with `EVOLVE_` before it and two underscores for each dot:
`EVOLVE_SEARCH__SEED=7`. Where `<role>` stands, there is one for each of challenger, verifier, weak, strong, judge,
analyzer and implementer; under `models` also for `default`, which fills every role that says nothing of its own. The
word `none` stands for no value.

What a run measures with stays as it began: a setting marked *fixed* cannot change while a run goes on; it needs another
run (`--new`). One marked *free* may change with every start."""


def commands_page() -> str:
    """docs/commands.md: every command with its arguments, options, examples, and the exit codes."""
    parts = [
        "# Commands",
        WRITTEN,
        "`evolve COMMAND --help` says the same in the terminal. Everything that reads takes `--json`.",
        table(
            ("command", ""), ((f"[`{name}`](#evolve-{name})", text) for name, (_, text) in COMMANDS.items())
        ),
        "Exit codes of all commands:",
        table(("code", ""), exit_codes()),
    ]
    top = click.Context(cli, info_name="evolve")
    for name in COMMANDS:
        command = cli.get_command(top, name)
        assert command is not None
        parts += sections(command, click.Context(command, parent=top, info_name=name), 2)
    return "\n\n".join(parts) + "\n"


def exit_codes() -> Iterator[tuple[str, str]]:
    """Code and meaning, as `evolve --help` lists them."""
    for line in EPILOG.splitlines():
        code, _, meaning = line.strip().partition(" ")
        if code.isdigit():
            yield code, meaning.strip()


def sections(command: click.Command, ctx: click.Context, level: int) -> Iterator[str]:
    """One command, and below it those it groups."""
    yield f"{'#' * level} {ctx.command_path}"
    yield paragraphs(command.help or "")
    usage = " ".join((ctx.command_path, *command.collect_usage_pieces(ctx)))
    yield fenced(usage)
    if arguments := list(argument_rows(command, ctx)):
        yield table(("argument", ""), arguments)
    if options := list(option_rows(command, ctx)):
        yield table(("option", ""), options)
    if epilog := inspect.cleandoc((command.epilog or "").replace("\b", "")).strip():
        yield fenced(epilog)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner is not None
            yield from sections(inner, click.Context(inner, parent=ctx, info_name=name), level + 1)


def argument_rows(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, str]]:
    """Arguments with what they are if they are left out."""
    for parameter in command.get_params(ctx):
        if isinstance(parameter, click.Argument):
            default = (
                f"default: `{usual}`" if (usual := parameter.to_info_dict()["default"]) else "may be left out"
            )
            many = "several may be given" if parameter.nargs == -1 else ""
            needed = "required" if parameter.required else default
            name = parameter.make_metavar(ctx).strip("[].")
            yield f"`{name}`", "; ".join(filter(None, (needed, many)))


def option_rows(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, str]]:
    """Options with their helps, as `--help` shows them."""
    for parameter in command.get_params(ctx):
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts:
            record = parameter.get_help_record(ctx)
            if record is not None:
                yield f"`{record[0].replace(' RANGE', '')}`", " ".join(record[1].split())


def paragraphs(text: str) -> str:
    """A help without its line breaks, which are those of the source."""
    blocks = inspect.cleandoc(text.partition("\f")[0]).split("\n\n")
    return "\n\n".join(
        fenced(one.removeprefix("\b\n"))
        if one.startswith("\b")
        else fill(" ".join(one.split()), WIDTH, break_on_hyphens=False)
        for one in blocks
    )


def fenced(text: str) -> str:
    """A block of literal text."""
    return f"```\n{text}\n```"


def settings_page() -> str:
    """docs/settings.md: every setting with type, default, variable, and whether it may change in a run that goes on."""
    parts = ["# Settings", WRITTEN, ABOUT_SETTINGS]
    bound = {key for key, _ in fixed(Settings())}
    every = list(fields())
    for table_ in [one for one in every if one.table]:
        inside = [one for one in every if not one.table and one.key.rpartition(".")[0] == table_.key]
        parts += [f"## `[{table_.key}]`", table_.help, NOTES.get(table_.key, "")]
        parts += ["\n".join(setting(one, bound)) for one in inside]
    parts += ["## Outside of any table"]
    parts += ["\n".join(setting(one, bound)) for one in every if "." not in one.key and not one.table]
    return "\n\n".join(filter(None, parts)) + "\n"


def setting(one: FieldHelp, bound: Iterable[str]) -> Iterator[str]:
    """One setting: a line with its help, and one with its facts."""
    default = SERVED.get(one.key) or ("required" if one.required else f"default `{said(one.default)}`")
    stays = "fixed" if one.key.replace(ROLE, "weak") in bound else "free"
    stays = "stays as it was at the first start, whatever is said" if one.key == KEPT else stays
    facts = f"Takes {one.type}; {default}; {stays}; `{variable_of(one.key)}`."
    yield fill(f"- **`{one.key}`**: {one.help}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    yield fill(facts, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def said(value: object) -> str:
    """A default as it is written."""
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


PAGES = {"commands.md": commands_page, "settings.md": settings_page}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (FOLDER / file).write_text(page(), "utf-8")
