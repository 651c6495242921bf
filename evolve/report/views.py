"""Pictures of a run for a terminal: status, closing table, log, lineage. Values come in, rich renderables go out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from evolve.intervals import Interval
from evolve.report import arms_view, figures, learning
from evolve.report.learning import Learning
from evolve.report.operators import Operators
from evolve.report.overview import Line, Node, Overview
from evolve.report.store import Score
from harness.types import ROLES

COLOURS = {
    "survived": "green",
    "contender": "green",
    "accepted": "green",
    "baseline": "cyan",
    "dropped": "yellow",
    "not_improved": "yellow",
    "exhausted": "yellow",
    "stopped": "yellow",
    "no_change": "dim",
    "no_proposal": "dim",
    "missing": "magenta",
}
MOST_CAUSES = 8
WIDE = 110


def outcome(name: str) -> Text:
    """An outcome in its colour; failures are red."""
    return Text(name.replace("_", " "), COLOURS.get(name, "red"))


def score(one: Score | None) -> str:
    """A score with interval, trials and who gave it; its split stands beside it."""
    if one is None:
        return "not measured"
    missing = f", {one.missing} missing" if one.missing else ""
    return figures.score(one.interval, one.simulated) + missing


def said(title: str, text: str) -> list[RenderableType]:
    """A heading and a text of somebody else below it."""
    return [Text(figures.visible(title), "bold cyan"), Padding(Text(figures.visible(text)), (0, 0, 1, 2))]


def titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(title, "bold"), Padding(body, (0, 0, 1, 2)))


def status(
    one: Overview,
    names: Mapping[str, Sequence[str]] = MappingProxyType({}),
    learnt: tuple[Operators, Learning] | None = None,
) -> RenderableType:
    """Everything about a run in one screen. names: of models, of roles whose endpoint reported several."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    roles = ", ".join(one.simulated_roles) or "none"
    documents = ", ".join(f"{number} {split}" for split, number in one.documents.items())
    for name, value in (
        ("state", state(one)),
        ("iterations", f"{one.iterations:,} recorded{asked(one)}; {_mix(one.outcomes)}"),
        ("documents", documents),
        ("test split", f"opened for {', '.join(one.tested)}" if one.tested else "not opened"),
        (
            "settings",
            f"domain {one.domain}, seed {one.seed}, lag {one.lag}, sandbox {one.sandbox}, instrument {one.instrument}",
        ),
        ("simulated", roles if len(one.simulated_roles) < 7 else "all roles"),
        ("started", f"{figures.moment(one.created_at)} by version {one.version}"),
        ("folder", one.folder),
    ):
        facts.add_row(name, figures.visible(value))
    for role, reported in names.items():
        line = f"{role} was answered by models that call themselves {', '.join(reported)}"
        facts.add_row("warning", Text(figures.visible(line), "yellow"))
    picked = "  (picked)" if one.picked else ""
    return Group(titled(f"Run {one.run}{picked}", facts), summary(one), *(_learnt(*learnt) if learnt else ()))


def _learnt(made: Operators, known: Learning) -> list[RenderableType]:
    """Ways of making a child where there were several, and what diagnoses were worth."""
    parts = [titled("Ways of making a child", arms_view.operators(made))] if len(made.lines) > 1 else []
    return parts if known.empty else [*parts, titled("Learnt", learning.brief(known))]


def state(one: Overview) -> str:
    """What the last session is doing, or how it ended, in words; a running `evolve test` is named as such."""
    last = one.sessions[-1] if one.sessions else None
    if one.holder:
        doing = "running" if last and last.alive and last.workers else "starting or ending"
        doing = "running `evolve test`" if last and last.alive and not last.workers else doing
        return f"{doing} ({one.holder})"
    if one.search is None:
        return one.condition
    goal = f"{figures.count(one.search.workers, 'worker')}, since {figures.moment(one.search.started_at)}"
    ended = f", until {figures.moment(one.search.ended_at)}" if one.search.ended_at else ""
    remedy = {
        "killed": "; `evolve run` goes on with it",
        "stopped": "; `evolve run` goes on with it",
        "failed": "; `evolve run` tries again",
        "budget": " spent; `evolve run` with a larger one goes on",
    }.get(one.condition, "")
    return f"{one.condition}{remedy} ({goal}{ended})"


def asked(one: Overview) -> str:
    """How many iterations the last start was to reach, in words."""
    if one.search is None:
        return ""
    return (
        f" of {one.search.iterations:,}"
        if one.iterations <= one.search.iterations
        else (f", {one.search.iterations:,} asked for last")
    )


def unshown(one: Overview) -> str:
    """In words that the best is a contender; "" if it is none."""
    over = one.better_than
    return "" if over is None else f", a contender: ahead of {over}, not shown to be better"


def summary(one: Overview) -> RenderableType:
    """The closing table: baseline and best on both splits, what it cost, and why rollouts fail."""
    if one.baseline is None or one.best is None:
        return Text("Nothing is measured yet.", "dim")
    best = one.best.candidate
    name = f"Best: {best}{arms_view.of_arm(one.arms, best)}" if best != "c0" else "Best: the baseline, so far"
    parts = [titled(f"{name}{unshown(one)}", results(one))]
    if one.iterations:
        parts.append(titled("Evolution against the control arms", arms_view.drawn(one.arms, ("c0", best))))
    if mix := _failures(one.baseline, one.best):
        parts.append(titled("Why rollouts on validation documents were not accepted", mix))
    if one.spend or one.unrecorded.calls:
        parts.append(titled("Spent", _spend(one)))
    return Group(*parts)


def following(one: Overview) -> RenderableType:
    """The three commands that one wants next."""
    grid = Table.grid(padding=(0, 2))
    if one.baseline is None:
        grid.add_row(Text("evolve run", "bold"), "go on; with a larger --budget-... if that is what ended it")
        grid.add_row(Text("evolve status", "bold"), "what was spent so far, and how it ended")
        grid.add_row(Text("evolve doctor", "bold"), "check sandbox, disk, database, keys and endpoints")
        return titled("Next", grid)
    if one.best is not None and one.best.candidate != "c0":
        grid.add_row(Text("evolve diff best", "bold"), "what was changed in the scaffold")
    else:
        grid.add_row(Text("evolve lineage --all", "bold"), "what was tried")
    grid.add_row(Text("evolve log", "bold"), "every iteration, with the reason for its outcome")
    if one.best is not None and one.best.candidate != "c0":
        grid.add_row(Text("evolve why best", "bold"), "the evidence for keeping it")
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
            grid.add_row("", "gain", Text(figures.change(gain, simulated), sign(gain)))
    if one.compared > 1:
        note = f"this gain is corrected for {one.compared} candidates that the test split was opened for; see `evolve test`"
        grid.add_row("", "", Text(note, "dim"))
    return grid


def sign(gain: Interval | None) -> str:
    """The colour of a gain: only what is more than noise has one."""
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
        key=lambda key: (-max(one.get(key, 0) for one in counts.values()), key),
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
    if any(sum(one.values()) > rollouts_of(line) for line, one in zip(lines, counts.values(), strict=True)):
        note = "one rollout can have several reasons, so these add up to over 100 %"
        grid.add_row(*("" for _ in lines), Text(note, "dim"))
    if len(causes) > MOST_CAUSES:
        grid.add_row(
            *("" for _ in lines), Text(f"and {len(causes) - MOST_CAUSES} more (evolve status --json)", "dim")
        )
    return grid


def _cause(stage: str, reason: str) -> str:
    return ": ".join(dict.fromkeys(part.replace("_", " ") for part in (stage, reason) if part))


def _share(number: int, line: Line) -> str:
    rollouts = rollouts_of(line)
    return f"{number / rollouts:.0%}" if rollouts else str(number)


def rollouts_of(line: Line) -> int:
    """All validation rollouts of a candidate."""
    measured = line.validation
    return measured.interval.trials + measured.missing if measured else 0


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
    rest = one.unrecorded
    if rest.calls:
        cells = (f"{rest.calls:,} calls", f"{figures.amount(rest.tokens)} tokens", figures.money(rest.cost))
        grid.add_row("unfinished", *cells, Text("iterations or tests to be gone on with", "dim"))
    calls = rest.calls + sum(each.calls for each in one.spend)
    cost = rest.cost + sum(each.cost for each in one.spend)
    used = rest.tokens + sum(each.prompt_tokens + each.completion_tokens for each in one.spend)
    note = "simulated, notional price" if len(one.simulated_roles) == len(ROLES) else ""
    row = ("all", f"{calls:,} calls", f"{figures.amount(used)} tokens", figures.money(cost))
    grid.add_row(*(Text(cell, "bold") for cell in row), Text(note, "dim"))
    return grid


def _mix(outcomes: dict[str, int]) -> str:
    parts = [f"{number} {name.replace('_', ' ')}" for name, number in outcomes.items() if name != "baseline"]
    return ", ".join(parts) or "none finished"


def tree(nodes: Sequence[Node], everything: bool, width: int = WIDE) -> RenderableType:
    """Candidates under their parents; dropped ones are counted unless everything is asked for."""
    branches: dict[str, Tree] = {}
    root = Tree("", hide_root=True, guide_style="dim")
    left_out = Counter(one.parent for one in nodes if one.status == "dropped" and not everything)
    for one in nodes:
        if everything or one.status != "dropped":
            above = branches.get(one.parent or "", root)
            branches[one.candidate] = above.add(_leaf(one, left_out[one.candidate], width))
    return root


def _leaf(one: Node, dropped: int, width: int) -> Text:
    """A candidate on one line; where there is little room without its commit, and what became of it on the next."""
    wide = width >= WIDE
    text = Text(no_wrap=True, overflow="ellipsis") if wide else Text()
    text.append(one.candidate, "bold")
    text.append(f" {one.commit[:8]} " if wide else " ", "dim")
    text.append_text(outcome(one.status))
    text.append(f"  validation {score(one.score)}")
    children = figures.count(dropped, "dropped child").replace("childs", "children")
    more = [(f"+{children}", "yellow")] if dropped else []
    more += [(figures.shortened(one.summary, 200), "dim")] if one.summary else []
    for place, part in enumerate(more):
        text.append("  " if wide or place else "\n").append(*part)
    return text
