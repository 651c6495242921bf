"""The command `verify`."""

import asyncio
from pathlib import Path

import click
from rich.text import Text

from evolve.commands.common import draw, examples, reading
from evolve.report.figures import visible
from evolve.report.store import as_json, opened
from evolve.report.verify import Check
from evolve.report.verify import verify as checks

SHOWN = 20


@click.command(
    epilog=examples("evolve verify", "evolve verify --run run-002 --json  # every finding, for a program")
)
@reading
def verify(db: Path, run_name: str | None, json_output: bool) -> None:
    """Check that git, database, journal and traces agree; what does not is named, and the exit code is 1."""

    async def check_all() -> tuple[str, list[Check]]:
        found = []
        with opened(db, run_name) as store:
            async for check in checks(store):
                found.append(check)
                if not json_output:
                    _show(check)
        return store.run.run, found

    def _show(check: Check) -> None:
        good = not check.findings
        draw(
            Text.assemble(
                ("ok  " if good else "BAD ", "green" if good else "bold red"),
                f"{check.name} ({check.count:,})",
            )
        )
        for finding in check.findings[:SHOWN]:
            draw(Text(f"      {visible(finding)}", "red"))
        if len(check.findings) > SHOWN:
            draw(Text(f"      and {len(check.findings) - SHOWN:,} more (--json lists all)", "red"))

    name, found = asyncio.run(check_all())
    bad = sum(len(check.findings) for check in found)
    if json_output:
        click.echo(as_json({"run": name, "agrees": not bad, "checks": found}))
    else:
        draw(Text(f"run {name}: everything agrees" if not bad else f"run {name}: {bad:,} findings", "bold"))
    if bad:
        raise click.exceptions.Exit(1)
