"""The picture of one decision: sections of a few lines each, made for 80 to 100 columns. Values come in."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evolve.contest import Look
from evolve.iteration import KEPT, Prediction
from evolve.report import figures, records
from evolve.report.arms_view import NAMES
from evolve.report.figures import visible
from evolve.report.log import verdict
from evolve.report.views import outcome, score, titled
from evolve.report.why import Budget, Pair, Part, Why

MOST_PAIRS = 10
FIRST_LOOKS, LAST_LOOKS = 1, 4
DIFF_LINES = 8
DIFF_WIDTH = 96
NOTE = (
    "The interval is that of one look, 95 %, and not adjusted for stopping as soon as a bound is reached. What decides is "
    "the evidence, a log likelihood ratio, against its bounds."
)
PLAIN_NOTE = "The interval is 95 %, for this one decision."
HONEST = "The draws that a child wins by flatter it. The fresh record, drawn after the decision, is the honest figure:"
UNRECORDED = "The version that recorded this decision did not record its looks."
ENDED = {
    "no_change": "There is no child to decide on",
    "no_proposal": "There is no child to decide on",
    "out_of_scope": "The edit was refused before anything was measured",
    "broken": "The edit was refused before anything was measured",
    "not_improved": "The child was not raced on validation documents",
}
RACE = ("parent", "child")
WHAT = {"survived": "kept", "contender": "made a contender, of which nothing is claimed,"}


def drawn(one: Why, diff: str) -> list[RenderableType]:
    """Every section that there is something to say in. diff: of the child against its parent, "" without a child."""
    label = ", simulated" if one.simulated else ""
    parts: list[RenderableType] = [head(one)]
    if one.decision is not None:
        parts.append(titled(f"Looks, child − {other(one)} on validation{label}", looks(one)))
    elif one.entry.outcome in (*KEPT, "dropped"):
        parts.append(titled(f"Looks, child − {other(one)} on validation{label}", Text(UNRECORDED, "yellow")))
    if one.pairs:
        parts.append(titled(f"By document, mean of valid rollouts{label}", pairs(one.pairs, other(one))))
    if one.budget is not None:
        parts.append(titled("Error budget", Text(error(one.budget, one.entry.number))))
    if one.predictions:
        parts.append(
            titled("Diagnosis, its predictions for the minibatch and what came of them", claims(one))
        )
    elif one.diagnosis is not None:
        causes = "\n".join(
            f"{at}. {visible(cause.title)}" for at, cause in enumerate(one.diagnosis.causes, 1)
        )
        parts.append(titled("Diagnosis, without recorded predictions", Text(causes)))
    if one.parts or one.roles:
        parts.append(titled(f"Cost{', simulated: notional prices' if label else ''}", cost(one)))
    if diff:
        parts.append(titled(f"Change against {one.entry.parent}", change(one, diff)))
    return parts


def other(one: Why) -> str:
    """Whom the child is compared with."""
    return one.entry.against or "parent"


def head(one: Why) -> RenderableType:
    """What was decided, in a sentence, and how the child came about."""
    entry = one.entry
    title = Text.assemble((f"Iteration {entry.number}", "bold"), "  ", outcome(entry.outcome))
    lines = [title, Text(visible(sentence(one)))]
    if entry.number:
        partner = f" and {one.partner}" if one.partner else ""
        made = f"arm: {NAMES[entry.arm]}; made by: {entry.operator}, from {entry.parent}{partner}"
        lines.append(Text(f"{made}; it saw iterations up to {one.sees}", "dim"))
    if entry.summary:
        lines.append(Text(f"change: {figures.shortened(entry.summary, 300)}", "dim"))
    return Group(*lines, Text(""))


def sentence(one: Why) -> str:
    """What was decided and by which rule, or what stopped the iteration before there was anything to decide."""
    entry = one.entry
    if not entry.number:
        return f"Nothing was decided: this is the baseline, measured for its record: {score(one.record)}."
    if entry.outcome in ENDED:
        return f"{ENDED[entry.outcome]}: {figures.shortened(entry.reason, 400)}."
    what = WHAT.get(entry.outcome, "dropped")
    rule = f" by the rule `{one.decision.rule}`" if one.decision else ""
    count = len(one.decision.looks) if one.decision else 0
    when = f" (look {count})" if count > 1 else ""
    whom = entry.against or "its parent"
    why = verdict(entry.reason).replace("better by", f"better than {whom} by")
    why = f"better than {whom}" if why == "better" else why
    return f"{entry.child}, a child of {entry.parent}, was {what}{rule}{when}: {figures.shortened(why, 400)}."


def looks(one: Why) -> RenderableType:
    """A row a look; of many the first and the last ones."""
    assert one.decision is not None
    found = list(enumerate(one.decision.looks, 1))
    if not found:
        return Text("No document was measured.", "dim")
    weighed = any(look.evidence is not None or look.keep_at is not None for _, look in found)
    rivals = any(look.ahead is not None for _, look in found)
    gap = 1 if rivals else 2  # it has to fit into 80 columns
    table = Table(box=None, padding=(0, gap, 0, 0), header_style="dim", pad_edge=False)
    for name in ("look", "child", other(one), "docs"):
        table.add_column(name, justify="right", no_wrap=True)
    measures = ("evidence", "kept at", "dropped at") if weighed else ()
    for name in ("difference", *measures, *((f"− {one.entry.parent}",) if rivals else ())):
        table.add_column(name, no_wrap=True)
    short = len(found) > FIRST_LOOKS + LAST_LOOKS + 1
    for at, look in [*found[:FIRST_LOOKS], *found[-LAST_LOOKS:]] if short else found:
        table.add_row(str(at), *_look(look, weighed), *([_ahead(look)] if rivals else ()))
    notes = (
        [Text(f"{len(found) - FIRST_LOOKS - LAST_LOOKS} looks in between are in --json", "dim")]
        if short
        else []
    )
    notes.append(Text(NOTE if weighed else PLAIN_NOTE, "dim"))
    return Group(table, *notes, *fresh(one))


def _look(look: Look, weighed: bool) -> Iterator[str]:
    yield from (str(look.child_trials), str(look.parent_trials), str(look.documents))
    if look.documents:
        yield f"{look.difference:+.2f} [{look.low:+.2f}, {look.high:+.2f}]"
    else:
        yield "none measured for both"
    if weighed:
        for value in (look.evidence, look.keep_at, look.drop_at):
            yield "" if value is None else f"{value:+.1f}"


def _ahead(look: Look) -> str:
    """The difference from a parent that is a contender."""
    return "" if look.ahead is None else f"{look.ahead:+.2f}"


def fresh(one: Why) -> list[RenderableType]:
    """The record of a survivor beside the look that it won by."""
    if one.fresh is None:
        return []
    grid = Table.grid(padding=(0, 2))
    grid.add_row("", "record", score(one.fresh.record))
    if one.fresh.gain is not None:
        gain = records.text(one.fresh.gain, one.fresh.record.simulated)
        grid.add_row("", f"− {other(one)}", gain)
    return [Text(HONEST), grid]


def pairs(found: Sequence[Pair], other: str) -> RenderableType:
    """A row a document, as many as fit."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("document", no_wrap=True, max_width=40, overflow="ellipsis")
    for name in ("child", "n", other, "n", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found[:MOST_PAIRS]:
        table.add_row(
            visible(one.document),
            _mean(one.child),
            str(one.child_trials),
            _mean(one.parent),
            str(one.parent_trials),
            "" if one.difference is None else f"{one.difference:+.2f}",
        )
    rest = len(found) - MOST_PAIRS
    more = f"{figures.count(rest, 'document')} more, less telling, in --json; " if rest > 0 else ""
    return Group(table, Text(f"{more}the most telling first; n: valid rollouts of all its trials", "dim"))


def _mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def error(one: Budget, number: int) -> str:
    """The share of this decision, what is used and what is left."""
    share = f"search.error {one.whole:g}; the share of iteration {number} is {one.share:.5f}"
    if one.used is None or one.left is None:
        return share
    return f"{share}; used by iterations 1 to {number}: {one.used:.4f}, left for later ones: {one.left:.4f}"


def claims(one: Why) -> RenderableType:
    """A row a cause, the base rate last."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("cause", ratio=1)
    for name in ("outcome", "fixed", "broken"):
        table.add_column(name, no_wrap=True)
    for at, each in enumerate(one.predictions, 1):
        colour = {"confirmed": "green", "refuted": "red"}.get(each.outcome, "dim")
        title = f"{at}. {visible(each.title)} ({each.kind.replace('_', ' ')})"
        table.add_row(title, Text(each.outcome, colour), *_counts(each))
    if one.base is not None:
        table.add_row(Text("documents named by none of them (the base rate)", "dim"), "", *_counts(one.base))
    return table


def _counts(one: Prediction) -> tuple[str, str]:
    """`1 of 2`: of the failures and of the passes that were named."""
    fixed = "" if not one.fixes else f"{'?' if one.fixed is None else one.fixed} of {len(one.fixes)}"
    broken = "" if not one.breaks else f"{'?' if one.broken is None else one.broken} of {len(one.breaks)}"
    return fixed or "–", broken or "–"


def cost(one: Why) -> RenderableType:
    """A row a side, the race and the whole iteration; the roles in a line."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("part", no_wrap=True)
    for name in ("rollouts", "missing", "calls", "tokens", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for part in one.parts:
        table.add_row(*_cells(part))
    race = [part for part in one.parts if part.name in RACE]
    if len(race) > 1:
        table.add_row(*(Text(cell, "bold") for cell in _cells(_sum("race", race))))
    paid = _sum("recorded in all", one.roles) if one.roles else Part("recorded in all")
    rollouts = sum(part.rollouts for part in one.parts)
    missing = sum(part.missing for part in one.parts)
    whole = Part(paid.name, rollouts, missing, paid.calls, paid.tokens, paid.cost)
    table.add_row(*(Text(cell, "bold") for cell in _cells(whole)))
    roles = ", ".join(f"{part.name} {figures.money(part.cost or 0.0)}" for part in one.roles)
    return Group(table, Text(roles, "dim")) if roles else table


def _sum(name: str, parts: Sequence[Part]) -> Part:
    return Part(
        name,
        sum(one.rollouts for one in parts),
        sum(one.missing for one in parts),
        sum(one.calls or 0 for one in parts),
        sum(one.tokens or 0 for one in parts),
        sum(one.cost or 0.0 for one in parts),
    )


def _cells(one: Part) -> tuple[str, ...]:
    paid = one.calls is not None and one.tokens is not None and one.cost is not None
    spent = (
        (f"{one.calls:,}", figures.amount(one.tokens or 0), figures.money(one.cost or 0.0))
        if paid
        else ("?",) * 3
    )
    measured = one.name != "edit"
    return (one.name, str(one.rollouts) if measured else "", str(one.missing) if measured else "", *spent)


def change(one: Why, diff: str) -> RenderableType:
    """The beginning of the diff, a line of it on a line."""
    lines = [line for line in diff.splitlines() if not line.startswith(("index ", "--- ", "+++ "))]
    shown = Text()
    for line in lines[:DIFF_LINES]:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(
            line[:1], "bold" if line.startswith("diff") else "dim"
        )
        text = visible(line)
        shown.append(text[: DIFF_WIDTH - 1] + "…\n" if len(text) > DIFF_WIDTH else f"{text}\n", colour)
    shown.no_wrap, shown.overflow = True, "ellipsis"
    rest = len(lines) - DIFF_LINES
    shown.rstrip()
    command = f"`evolve diff {one.entry.parent} {one.entry.child}`"
    note = (
        f"{figures.count(rest, 'line')} more; {command} shows all"
        if rest > 0
        else f"{command} shows lines whole"
    )
    return Group(shown, Text(note, "dim"))
