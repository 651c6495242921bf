"""The commands `models`: `check` is here, `fetch` and `serve` are in local_models.py."""

import asyncio
from pathlib import Path

import click
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from evolve.checks.model_check import Checked, by_endpoint, check, total
from evolve.commands.common import as_json as json_option
from evolve.commands.common import console, database, draw, examples
from evolve.commands.local_models import fetch_command, serve_command
from evolve.configuration.sources import read_environment
from evolve.report import figures
from evolve.report.figures import visible
from evolve.report.store import as_json, plain
from evolve.settings import effective, gathered
from harness.errors import ProviderError
from harness.types import ROLES, Role

EXAMPLES = examples(
    "evolve models check  # every role",
    "evolve models check --role judge --role weak",
    "evolve models check --json  # for a program",
)
DEADLINE = 60.0
INDENT, STATE, ROLE, SECONDS, TOKENS, FORM, COST = 2, 5, 12, 8, 10, 12, 9
NARROWEST_NAME = 16


@click.group(epilog=EXAMPLES)
def models() -> None:
    """Try the models of the roles; fetch and serve a small one."""


models.add_command(fetch_command)
models.add_command(serve_command)


@models.command("check", epilog=EXAMPLES, short_help="Ask every role's model one tiny question.")
@click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, help="Only this role; can be repeated."
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    default=DEADLINE,
    show_default=True,
    help="Seconds an answer may take.",
)
@database
@json_option
def check_command(roles: tuple[Role, ...], deadline: float, db: Path, json_output: bool) -> None:
    """Ask the model of every role one tiny question, and say how it answers.

    Roles with the same endpoint, key, model and sampling are asked once. It costs a few hundred tokens, which count in no
    run. Exit code 3 if a model does not answer.
    """
    folder = db.absolute().parent
    environment = read_environment(folder)
    settings = effective(gathered(folder, environment), environment).settings
    if console(stderr=True).is_terminal and not json_output:
        click.echo(f"asking; an answer may take {deadline:g} s", err=True)
    rows = asyncio.run(check(settings, environment, roles, deadline, folder))
    calls, cost = total(rows)
    failed = [one.role for one in rows if one.problem]
    if json_output:
        objects = [plain(one) | {"answers": not one.problem} for one in rows]
        click.echo(as_json({"answers": not failed, "calls": calls, "cost": cost, "roles": objects}))
        if failed:
            raise click.exceptions.Exit(ProviderError.exit_code)
        return
    draw(*pictures(rows, console().width), summary(rows))
    if failed:
        raise click.exceptions.Exit(ProviderError.exit_code)


def pictures(rows: list[Checked], width: int) -> list[RenderableType]:
    """The rows under their endpoints, what is to be said of each below it."""
    parts: list[RenderableType] = []
    longest = max((len(one.model) + 1 for one in rows), default=0)
    name = max(NARROWEST_NAME, min(longest, width - INDENT - STATE - ROLE - SECONDS - TOKENS - FORM - COST))
    for (endpoint, key), here in by_endpoint(rows).items():
        with_key = f", key from {key}" if key else ""
        parts.append(
            Text(visible("simulated models" if here[0].simulated else f"{endpoint}{with_key}"), "bold")
        )
        for one in here:
            parts.append(row(one, name))
            parts += [Padding(Text(visible(text), "dim"), (0, 0, 0, INDENT + STATE)) for text in remarks(one)]
            if one.problem and one.same_as is None:
                parts.append(Padding(Text(visible(one.problem), "red"), (0, 0, 0, INDENT + STATE)))
                parts.append(Padding(Text(f"→ {visible(one.remedy)}", "bold"), (0, 0, 0, INDENT + STATE)))
        parts.append(Text(""))
    return parts


def row(one: Checked, name: int) -> Text:
    """One role in a line."""
    state = ("bad", "bold red") if one.problem else ("ok", "green") if fluent(one) else ("warn", "yellow")
    model = visible(one.model)
    short = model if len(model) < name else model[: name - 2] + "…"
    text = Text.assemble(
        (f"{'':{INDENT}}{state[0]:<{STATE}}", state[1]), f"{one.role:<{ROLE}}", f"{short:<{name}}"
    )
    if one.same_as:
        return text.append(f"asked as {one.same_as}", "dim")
    if one.problem:
        return text
    used = f"{one.usage.prompt}+{one.usage.completion}" if one.usage else "no usage"
    form = one.form or ("" if one.simulated else "text")
    price = figures.money(one.cost) if one.priced else "no price"
    return text.append(f"{one.seconds or 0:>5.2f} s {used:<{TOKENS}}{form:<{FORM}}{price}")


def fluent(one: Checked) -> bool:
    """Whether a role answered in the form that was asked for; simulated ones answer in that of their role only."""
    return one.understood or one.simulated or one.same_as is not None


def remarks(one: Checked) -> list[str]:
    """What the row has no room for; said once for roles that were asked together."""
    if one.same_as:
        return []
    thought = one.usage.reasoning if one.usage else 0
    found = [f"{figures.count(thought, 'token')} of reasoning in the answer"] if thought else []
    return [*found, *one.notes]


def summary(rows: list[Checked]) -> Text:
    """How many answer, and what asking cost."""
    calls, cost = total(rows)
    bad = [one for one in rows if one.problem]
    without = "no role has an answer" if len(bad) == len(ROLES) else f"no answer for {names(bad)}"
    asked = "every role has an answer" if len(rows) == len(ROLES) else f"an answer for {names(rows)}"
    verdict = Text(without, "bold red") if bad else Text(asked, "green")
    note = ", simulated" if any(one.simulated for one in rows) else ""
    paid = f"; {figures.count(calls, 'call')}, {figures.money(cost)}{note}, counted in no run"
    return Text.assemble(verdict, paid)


def names(rows: list[Checked]) -> str:
    """Their roles in a line."""
    return ", ".join(one.role for one in rows)
