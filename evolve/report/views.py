"""Pictures of a run for a terminal: status, closing table, log, lineage. Values come in, rich renderables go out."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from evolve.intervals import Interval
from evolve.report import figures
from evolve.report.overview import Entry, Line, Node, Overview, Session
from evolve.report.store import Score

COLOURS = {
    "survived": "green",
    "accepted": "green",
    "baseline": "cyan",
    "dropped": "yellow",
    "exhausted": "yellow",
    "stopped": "yellow",
    "no_change": "dim",
    "no_proposal": "dim",
    "missing": "magenta",
}
MOST_CAUSES = 8
LONGEST_REASON = 200


def outcome(name: str) -> Text:
    """An outcome in its colour; failures are red."""
    return Text(name.replace("_", " "), COLOURS.get(name, "red"))


def score(one: Score | None) -> str:
    """A score with interval, trials and who gave it; its split stands beside it."""
    if one is None:
        return "not measured"
    missing = f", {one.missing} missing" if one.missing else ""
    return figures.score(one.interval, one.simulated) + missing


def titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(title, "bold"), Padding(body, (0, 0, 1, 2)))


def status(one: Overview) -> RenderableType:
    """Everything about a run in one screen."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    roles = ", ".join(one.simulated_roles) or "none"
    documents = ", ".join(f"{number} {split}" for split, number in one.documents.items())
    for name, value in (
        ("state", state(one)),
        ("iterations", f"{one.iterations} recorded; {_mix(one.outcomes)}"),
        ("documents", documents),
        ("settings", f"seed {one.seed}, lag {one.lag}, sandbox {one.sandbox}, instrument {one.instrument}"),
        ("simulated", roles if len(one.simulated_roles) < 7 else "all roles"),
        ("started", f"{one.created_at} by version {one.version}"),
        ("folder", one.folder),
    ):
        facts.add_row(name, figures.visible(value))
    return Group(titled(f"Run {one.run}", facts), summary(one))


def state(one: Overview) -> str:
    """What the last session is doing, or how it ended, in words."""
    if not one.sessions:
        return "not started"
    last: Session = one.sessions[-1]
    goal = f"to {figures.count(last.iterations, 'iteration')} with {figures.count(last.workers, 'worker')}"
    unfinished = "running" if last.alive else "killed; `evolve run` goes on with it"
    found = last.outcome or unfinished
    return f"{found} ({goal}, session {last.number} of {last.started_at})"


def summary(one: Overview) -> RenderableType:
    """The closing table: baseline and best on both splits, what it cost, and why rollouts fail."""
    if one.baseline is None or one.best is None:
        return Text("Nothing is measured yet.", "dim")
    best = one.best.candidate
    parts = [titled(f"Best: {best}" if best != "c0" else "Best: the baseline, so far", results(one))]
    if mix := _failures(one.baseline, one.best):
        parts.append(titled("Why rollouts on validation documents were not accepted", mix))
    if one.spend:
        parts.append(titled("Spent", _spend(one)))
    return Group(*parts)


def following(one: Overview) -> RenderableType:
    """The three commands that one wants next."""
    grid = Table.grid(padding=(0, 2))
    best = one.best.candidate if one.best else "c0"
    subject = "best" if best != "c0" else "last child" if one.iterations else "best"
    change = "evolve diff best" if subject == "best" else "evolve lineage"
    grid.add_row(
        Text(change, "bold"), "what was changed in the scaffold" if subject == "best" else "what was tried"
    )
    grid.add_row(Text("evolve log", "bold"), "every iteration, with the reason for its outcome")
    grid.add_row(Text("evolve generate best", "bold"), "make accepted examples with it")
    return titled("Next", grid)


def results(one: Overview) -> Table:
    """Baseline and best on validation and test, with the paired difference."""
    if one.baseline is None or one.best is None:
        return Table.grid()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    rows = (
        ("validation, chosen on it", one.baseline.validation, one.best.validation, one.validation_difference),
        ("test, held out", one.baseline.test, one.best.test, one.test_difference),
    )
    for split, before, after, gain in rows:
        grid.add_row(split, "c0", score(before))
        if one.best.candidate != "c0":
            simulated = bool(after and after.simulated)
            grid.add_row("", Text(one.best.candidate, "bold"), Text(score(after), "bold"))
            grid.add_row("", "gain", Text(figures.change(gain, simulated), _sign(gain)))
    return grid


def _sign(gain: Interval | None) -> str:
    """Colour only what is more than noise."""
    if gain is None or not gain.excludes_zero:
        return ""
    return "green" if gain.low > 0 else "red"


def _failures(baseline: Line, best: Line) -> Table | None:
    """Rollouts by stage and reason, in per cent of all trials of each candidate."""
    lines = [baseline] if best.candidate == baseline.candidate else [baseline, best]
    counts = {
        line.candidate: {(one.stage, one.reason): one.rollouts for one in line.failures} for line in lines
    }
    causes = sorted(
        {key for one in counts.values() for key in one},
        key=lambda key: -max(one.get(key, 0) for one in counts.values()),
    )
    if not causes:
        return None
    grid = Table.grid(padding=(0, 2))
    for _ in lines:
        grid.add_column(justify="right")
    grid.add_row(*(Text(line.candidate, "dim") for line in lines), Text("of rollouts", "dim"))
    for stage, reason in causes[:MOST_CAUSES]:
        shares = [_share(counts[line.candidate].get((stage, reason), 0), line) for line in lines]
        grid.add_row(*shares, Text(_cause(stage, reason)))
    if len(causes) > MOST_CAUSES:
        grid.add_row(
            *("" for _ in lines), Text(f"and {len(causes) - MOST_CAUSES} more (evolve status --json)", "dim")
        )
    return grid


def _cause(stage: str, reason: str) -> str:
    return ": ".join(dict.fromkeys(part.replace("_", " ") for part in (stage, reason) if part))


def _share(number: int, line: Line) -> str:
    measured = line.validation
    rollouts = measured.interval.trials + measured.missing if measured else 0
    return f"{number / rollouts:.0%}" if rollouts else str(number)


def _spend(one: Overview) -> Table:
    grid = Table.grid(padding=(0, 2))
    for _ in range(4):
        grid.add_column(justify="right")
    grid.columns[0].justify = "left"
    for each in one.spend:
        note = "simulated, notional price" if each.role in one.simulated_roles else ""
        tokens = figures.amount(each.prompt_tokens + each.completion_tokens)
        grid.add_row(
            each.role,
            f"{each.calls:,} calls",
            f"{tokens} tokens",
            figures.money(each.cost),
            Text(note, "dim"),
        )
    calls, cost = sum(each.calls for each in one.spend), sum(each.cost for each in one.spend)
    tokens = figures.amount(sum(each.prompt_tokens + each.completion_tokens for each in one.spend))
    note = "simulated, notional price" if all(each.role in one.simulated_roles for each in one.spend) else ""
    row = ("all", f"{calls:,} calls", f"{tokens} tokens", figures.money(cost))
    grid.add_row(*(Text(cell, "bold") for cell in row), Text(note, "dim"))
    return grid


def _mix(outcomes: dict[str, int]) -> str:
    parts = [f"{number} {name.replace('_', ' ')}" for name, number in outcomes.items() if name != "baseline"]
    return ", ".join(parts) or "none finished"


def log(entries: Sequence[Entry], width: int) -> RenderableType:
    """A row an iteration; the scores of parent and child only where there is room."""
    simulated = any(one.child_score.simulated for one in entries if one.child_score)
    note = "validation, simulated" if simulated else "validation"
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("from", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    if width >= 110:
        table.add_column(f"child ({note})", no_wrap=True)
    table.add_column(f"child − parent\n({note})" if width < 110 else f"child − parent ({note})", no_wrap=True)
    table.add_column("what and why", ratio=1)
    for one in entries:
        gain = Text(_bare(one.gain), _sign(one.gain))
        cells: list[RenderableType] = [
            str(one.number),
            one.parent or "" if one.number else "",
            outcome(one.outcome),
        ]
        if width >= 110:
            cells.append(_bare_score(one.child_score))
        table.add_row(*cells, gain, _why(one))
    return table


def _bare(gain: Interval | None) -> str:
    return figures.change(gain, False).replace(" pairs", "").replace(" pair", "") if gain else ""


def _bare_score(one: Score | None) -> str:
    return figures.score(one.interval, False) if one else ""


def _why(one: Entry) -> Text:
    text = Text(figures.visible(" ".join(one.summary.split())))
    reason = "" if one.outcome == "survived" else figures.shortened(one.reason, LONGEST_REASON)
    if reason:
        text.append(f" ({reason})" if text.plain else reason, "dim")
    return text


def tree(nodes: Sequence[Node], everything: bool) -> RenderableType:
    """Candidates under their parents; dropped ones are counted unless everything is asked for."""
    shown = [one for one in nodes if everything or one.status != "dropped"]
    left_out: dict[str | None, int] = {}
    for one in nodes:
        if one not in shown:
            left_out[one.parent] = left_out.get(one.parent, 0) + 1
    branches: dict[str, Tree] = {}
    root = Tree("", hide_root=True, guide_style="dim")
    for one in shown:
        above = branches.get(one.parent or "", root)
        branches[one.candidate] = above.add(_leaf(one, left_out.get(one.candidate, 0)))
    return root


def _leaf(one: Node, dropped: int) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(one.candidate, "bold")
    text.append(f" {one.commit[:8]} ", "dim")
    text.append_text(outcome(one.status))
    text.append(f"  validation {score(one.score)}")
    text.append(
        f"  +{figures.count(dropped, 'dropped child').replace('childs', 'children')}" if dropped else "",
        "yellow",
    )
    text.append(f"  {figures.shortened(one.summary, 200)}" if one.summary else "", "dim")
    return text
