"""Pictures of one candidate or iteration: its measurements, diagnosis, edit, and what happened on each document."""

import json
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from evolve.iteration import Diagnosis, Exchange
from evolve.report import figures
from evolve.report.figures import visible
from evolve.report.log import difference
from evolve.report.overview import Entry, Measured, Node
from evolve.report.scrutiny import scrutiny
from evolve.report.views import outcome, said, score, titled
from harness.trajectory import Attempt, Report, Rollout, Step


def candidate(node: Node, entry: Entry | None) -> RenderableType:
    """What a candidate is and where it comes from."""
    head = Text.assemble(
        (f"Candidate {node.candidate}", "bold"), "  ", outcome(node.status), f"  {node.commit}"
    )
    origin = "the baseline" if node.parent is None else f"child of {node.parent}"
    line = Text(f"{origin}; validation {score(node.score)} over all its trials")
    return Group(head, line, _edit(entry))


def iteration(entry: Entry) -> RenderableType:
    """What an iteration decided."""
    head = Text.assemble((f"Iteration {entry.number}", "bold"), "  ", outcome(entry.outcome))
    step = f"{entry.parent} → {entry.child or 'no child'}" if entry.number else "the baseline"
    line = f"{step}, {figures.clock(entry.seconds)} long, begun {figures.moment(entry.started_at)}"
    return Group(head, Text(line, "dim"), _edit(entry))


def _edit(entry: Entry | None) -> RenderableType:
    if entry is None:
        return Text("")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    simulated = bool(entry.child_score and entry.child_score.simulated)
    rows = [("change", entry.summary), ("reason", entry.reason)]
    if entry.gain:
        rows.append(("gain", f"{difference(entry, simulated)}, child − parent on validation"))
    if entry.number:
        rows.append(("more", f"`evolve why {entry.number}` shows the evidence for this decision"))
    for name, value in rows:
        if value:
            grid.add_row(name, Text(visible(value)))
    return Padding(grid, (0, 0, 1, 0))


def measurements(found: Sequence[Measured]) -> RenderableType:
    """Every single measurement; the instrument in the title, or in a column if there were several."""
    instruments = sorted({one.score.instrument for one in found})
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=False)
    table.add_column("#", justify="right")
    for title in ("side", "candidate", "split", "score", *(("instrument",) if len(instruments) > 1 else ())):
        table.add_column(title, no_wrap=title != "score", overflow="fold")
    for one in found:
        last = (one.score.instrument,) if len(instruments) > 1 else ()
        facts = (one.side, one.candidate, one.score.split, score(one.score))
        table.add_row(str(one.iteration), *facts, *last)
    named = f", instrument {instruments[0]}" if len(instruments) == 1 else ""
    return titled(f"Measurements by iteration{named}", table) if found else Text("")


def diagnosis(found: Diagnosis | None) -> RenderableType:
    """The analyzer's reading of the minibatch."""
    if found is None:
        return Text("")
    parts: list[RenderableType] = [Text(visible(found.summary))]
    for number, cause in enumerate(found.causes, 1):
        parts.append(Text(f"{number}. {visible(cause.title)}", "bold"))
        lines = [Text(visible(cause.explanation))]
        lines += [Text(f"seen: {visible(one)}", "dim") for one in cause.evidence]
        lines.append(Text(f"remedy: {visible(cause.remedy)}", "green"))
        parts.append(Padding(Group(*lines), (0, 0, 0, 3)))
    return titled("Diagnosis", Group(*parts))


def rollouts(title: str, found: Sequence[Rollout]) -> RenderableType:
    """A row a document: how it ended and what led there."""
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=False)
    table.add_column("document", overflow="fold", max_width=28)
    table.add_column("outcome", no_wrap=True)
    table.add_column("what happened (weak mean → strong mean)", ratio=1)
    for one in found:
        table.add_row(visible(one.name), outcome(one.outcome), _story(one))
    return titled(title, table)


def _story(one: Rollout) -> Text:
    """The submissions of a rollout, in order, with where each ended."""
    text = Text()
    for step in one.steps:
        report = step.report
        if report is None:
            continue
        text.append(" · " if text.plain else "")
        text.append_text(outcome(report.stage))
        means = [f"{mean:.2f}" for mean in (report.weak_mean, report.strong_mean) if mean is not None]
        text.append(f" {' → '.join(means)}" if means else "")
        why = ", ".join(one.replace("_", " ") for one in report.reasons if one != report.stage)
        text.append(f" ({why})" if why else "", "dim")
    if one.detail:
        text.append(f"{' · ' if text.plain else ''}{figures.shortened(one.detail, 300)}", "red")
    return text if text.plain else Text("nothing was submitted", "dim")


def trajectory(one: Rollout) -> RenderableType:
    """Everything that was said in a rollout."""
    parts: list[RenderableType] = [
        Rule(Text.assemble((visible(one.name), "bold"), "  ", outcome(one.outcome)), align="left")
    ]
    if one.extraction is not None:
        parts += said("notes on the document", json.dumps(one.extraction.facts, indent=2, ensure_ascii=False))
    parts += [part for step in one.steps for part in _step(step)]
    if one.detail:
        parts.append(Text(visible(one.detail), "red"))
    return Group(*parts)


def _step(step: Step) -> list[RenderableType]:
    if step.kind == "ask":
        return [
            *said(f"step {step.ordinal}: ask", step.prompt),
            *said(f"step {step.ordinal}: reply", step.reply),
        ]
    if step.example is None:
        parts = said(f"step {step.ordinal}: submission, malformed", step.malformed)
    else:
        parts = said(f"step {step.ordinal}: submission", _example(step))
    if step.verification is not None:
        checked = step.verification
        verdict = "passed" if checked.passed else f"refused: {', '.join(checked.reasons)}"
        parts += said(f"step {step.ordinal}: verifier, {verdict}", checked.feedback)
    parts += [part for attempt in (*step.weak, *step.strong) for part in _attempt(step.ordinal, attempt)]
    parts += scrutiny(step)
    if step.report is not None:
        reasons = ", ".join(step.report.reasons)
        parts += said(
            f"step {step.ordinal}: report: {step.report.stage}{f' ({reasons})' if reasons else ''}{_means(step.report)}",
            step.report.feedback,
        )
    return parts


def _means(report: Report) -> str:
    """The figures that the gate decided by, as far as there are any."""
    values = {
        "weak": report.weak_mean,
        "best weak": report.weak_best,
        "strong": report.strong_mean,
        "gap": report.gap,
    }
    known = [f"{name} {value:.2f}" for name, value in values.items() if value is not None]
    return f": {', '.join(known)}" if known else ""


def _example(step: Step) -> str:
    assert step.example is not None
    one = step.example
    rows = "\n".join(f"  {each.weight:+d} {each.criterion}" for each in one.rubric)
    skills = ", ".join((*one.skills, *one.secondary_skills))
    kind = f"rubric {one.rubric_policy}" if one.rubric else f"answer of kind {one.answer_kind}"
    head = "; ".join(part for part in (one.question_type, skills, kind) if part)
    parts = (
        head,
        f"Context: {one.context}" if one.context else "",
        f"Passage: {one.passage}" if one.passage else "",
        f"Question: {one.question}",
        f"Reference answer: {one.reference_answer}",
        f"Rubric:\n{rows}" if rows else "",
    )
    return "\n\n".join(part for part in parts if part)


def _attempt(ordinal: int, one: Attempt) -> list[RenderableType]:
    hits = "".join("+" if hit else "-" for hit in one.hits)
    decided = f"criteria {hits}" if hits else f"answer {one.final!r} by {one.how}"
    return said(
        f"step {ordinal}: {one.solver} attempt {one.number}, score {one.score:.2f}, {decided}",
        one.answer,
    )


def exchange(one: Exchange) -> RenderableType:
    """One question to analyzer or implementer, and its answer."""
    problem = [Text(visible(one.problem), "red")] if one.problem else []
    return Group(*said(f"{one.role} asked", one.prompt), *said(f"{one.role} replied", one.reply), *problem)
