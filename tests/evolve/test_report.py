"""What is read from population.db and how it is drawn: names, scores with intervals, trees, diffs."""

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import recorded
from recorded import RUN, evaluation, iteration
from rich.console import Console, RenderableType

from evolve.contest import Decision, Look
from evolve.history import History
from evolve.intervals import Interval, paired_difference, proportion
from evolve.iteration import Candidate, Iteration, Spend
from evolve.lock import RunLock
from evolve.population import Population
from evolve.report import detail, diffs, figures, journal, overview, views
from evolve.report import log as logs
from evolve.report.overview import Failure
from evolve.report.store import best, opened, resolve
from evolve.seal import Request
from harness.errors import StorageError, UsageError

DIFF = """diff --git a/prompts/task.md b/prompts/task.md
index 1..2 100644
--- a/prompts/task.md
+++ b/prompts/task.md
@@ -1,3 +1,3 @@
 # Task
--- a rule made of dashes
-Write one question whose answer needs two steps of reasoning and which the context alone can answer.
+Write one question whose answer needs at least three separate steps of reasoning and which the context can answer.
 [bold]no markup[/bold] \x1b[31mno escape
"""
REJECTED = Iteration(
    3, "no_change", "these are exactly the files of c1", "c0", 0, started=1e9, finished=1e9 + 1
)


def make(folder: Path, iterations: Sequence[Iteration], finals: Sequence[str] = ()) -> Path:
    """A database with a baseline and these iterations, closed again."""
    path = folder / "population.db"

    async def fill() -> None:
        history = await recorded.begun(path)
        try:
            for one in iterations:
                await history.record(RUN.run, one, {})
            if finals:
                scores: dict[str, list[float | None]] = {key: [1.0, 0.0, 1.0] for key in finals}
                scores["c0"] = [0.0, 0.0, 1.0]
                measured = [evaluation(int(key[1:]), "final", key, scores[key]) for key in finals]
                await history.unseal(
                    RUN.run,
                    [Candidate(one, int(one[1:]), "c0", "", "") for one in finals],
                    Request("selection", 3, RUN.instrument),
                )
                await history.record_final(RUN.run, measured, [Spend("weak", 1, 2, 3, 0.5)], {})
        finally:
            await history.close()

    asyncio.run(fill())
    return path


def text(picture: RenderableType, width: int = 80) -> str:
    out = StringIO()
    Console(file=out, width=width, markup=False, highlight=False, emoji=False).print(picture)
    return out.getvalue()


def test_best_is_the_best_of_the_population(tmp_path: Path) -> None:
    """`best` follows the same rule as the loop: the highest lower end of an interval, survivors only."""
    few = replace(
        iteration(2), evaluations=(evaluation(2, "parent", "c0", [0.0]), evaluation(2, "child", "c2", [1.0]))
    )
    many = replace(iteration(4), evaluations=(evaluation(4, "child", "c4", [*[1.0] * 8, *[0.0] * 2]),))
    dropped = replace(iteration(5, survives=False), evaluations=(evaluation(5, "child", "c5", [1.0] * 10),))
    path = make(tmp_path, [few, many, dropped])

    async def loaded() -> Population:
        history = await History.open(path)
        try:
            return Population(await history.load(RUN.run))
        finally:
            await history.close()

    population = asyncio.run(loaded())
    with opened(path, None) as store:
        assert best(store) == population.best.candidate.id == "c4"
        known = {one.candidate: one.score for one in overview.lineage(store)}
    for key, standing in population.standings.items():
        found = known[key]
        assert found is not None
        assert found.interval.trials == standing.trials
        assert found.interval.value == pytest.approx(standing.score)


def test_the_log_can_be_short(tmp_path: Path) -> None:
    """The last so many iterations, or a single one, are the same entries that the whole log has there."""
    with opened(
        make(tmp_path, [iteration(1), iteration(2, "c1"), REJECTED, iteration(4, "c2")]), None
    ) as store:
        whole = overview.log(store)
        assert [one.number for one in whole] == [0, 1, 2, 3, 4]
        assert overview.log(store, last=2) == whole[-2:]
        assert overview.log(store, last=99) == whole
        assert overview.log(store, 2) == whole[2:3]
        assert overview.log(store, 9) == ()


def test_one_candidate_is_as_in_the_lineage(tmp_path: Path) -> None:
    """Asked for alone it has the same score and summary as among all."""
    with opened(make(tmp_path, [iteration(1), iteration(2, "c1")]), None) as store:
        whole = overview.lineage(store)
        assert [one.candidate for one in whole] == ["c0", "c1", "c2"]
        assert overview.lineage(store, "c1") == whole[1:2]
        assert whole[1].score is not None and whole[1].summary


def test_names_of_candidates(tmp_path: Path) -> None:
    """A candidate is found by id, by `best`, by `baseline` and by a unique beginning of its commit."""
    one = replace(iteration(1), evaluations=(evaluation(1, "child", "c1", [1.0] * 10),))
    with opened(make(tmp_path, [one]), "r") as store:
        assert [resolve(store, name).id for name in ("c1", "best", "baseline", "c0", "aaaa")] == [
            "c1",
            "c1",
            "c0",
            "c0",
            "c0",
        ]


@pytest.mark.parametrize(
    ("name", "message"),
    [("c9", "no candidate 'c9'"), ("0000", "c1, c2"), ("aaa", "no candidate"), ("c3", "evolve show 3")],
)
def test_wrong_names_say_what_to_do(tmp_path: Path, name: str, message: str) -> None:
    """Unknown, ambiguous and too short names are errors, and so is an iteration that left no candidate."""
    with (
        opened(make(tmp_path, [iteration(1), iteration(2), REJECTED]), None) as store,
        pytest.raises(UsageError, match=message),
    ):
        resolve(store, name)


def test_newest_run_is_the_default(tmp_path: Path) -> None:
    """Without a name the run that was created last is read; an unknown name lists those there are."""
    path = make(tmp_path, [])

    async def another() -> None:
        history = await History.open(path)
        await history.open_run(replace(RUN, run="later"), recorded.documents())
        await history.close()

    asyncio.run(another())
    with opened(path, None) as store:
        assert store.run.run == "later"
    with pytest.raises(UsageError, match="its runs are r, later"), opened(path, "nope"):
        pass
    with pytest.raises(StorageError, match="evolve run"), opened(tmp_path / "missing.db", None):
        pass


def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    """What is written while a command reads does not show in it, and the reader does not block the writer."""
    path = make(tmp_path, [iteration(1)])
    with opened(path, None) as store:
        assert len(overview.log(store)) == 2
        with closing(sqlite3.connect(path, timeout=1)) as writer:
            writer.execute("DELETE FROM iterations WHERE number = 1")
            writer.commit()
        assert len(overview.log(store)) == 2
    with opened(path, None) as store:
        assert len(overview.log(store)) == 1


def test_overview_of_a_finished_run(tmp_path: Path) -> None:
    """Scores, differences on both splits, failure shares and spend are those of the records."""
    child = replace(iteration(1), evaluations=(evaluation(1, "child", "c1", [*[1.0] * 6, *[0.0] * 4]),))
    with opened(make(tmp_path, [child], finals=["c0", "c1"]), None) as store:
        found = overview.overview(store)
    assert found.best is not None
    assert found.baseline is not None
    assert found.baseline.validation is not None
    assert found.best.test is not None
    assert (found.best.candidate, found.iterations) == ("c1", 1)
    assert found.baseline.validation.interval == proportion(1, 9)
    assert found.baseline.validation.missing == 1
    assert found.best.test.interval == proportion(2, 3)
    assert found.test_difference == paired_difference([(1, 0), (0, 0), (1, 1)])
    assert found.validation_difference == paired_difference([(1, 1)] + [(1, 0)] * 5 + [(0, 0)] * 3)
    weak = next(one for one in found.spend if one.role == "weak")
    assert (weak.calls, weak.cost) == (10 + 12 + 1, 0.25 + 0.125 + 0.5)
    assert {(one.reason, one.rollouts) for one in found.best.failures} == {
        ("weak_mean_high", 4),
        ("gap_low", 4),
    }
    shown = text(views.status(found))
    assert "44%" not in shown
    assert re.search(r"80%\s+40%\s+too easy: weak mean high", shown)


@pytest.mark.parametrize("width", [80, 120, 160])
def test_every_score_comes_with_interval_trials_and_simulated(tmp_path: Path, width: int) -> None:
    """No picture shows a simulated score without saying so, nor one without its interval and trials."""
    with opened(make(tmp_path, [iteration(1), iteration(2, survives=False)], finals=["c0"]), None) as store:
        found, nodes, entries = overview.overview(store), overview.lineage(store), overview.log(store)
    for picture in (views.status(found), views.results(found), views.tree(nodes, everything=True)):
        for line in text(picture, width).splitlines():
            if re.search(r"\d\.\d\d \[", line):
                assert re.search(r"\[[+-]?\d\.\d\d, [+-]?\d\.\d\d\] n=\d+( pairs?)?, simulated", line), line
    log = text(logs.drawn(entries, width), width)
    assert "simulated" in log.split("\n0 ")[0]
    assert all(len(line) <= width for line in log.splitlines())


def test_run_without_measurements(tmp_path: Path) -> None:
    """A run whose baseline is not measured yet can be looked at; it has no best."""
    path = tmp_path / "population.db"

    async def begin() -> None:
        history = await History.open(path)
        await history.open_run(RUN, recorded.documents())
        await history.close()

    asyncio.run(begin())
    with opened(path, None) as store:
        assert "Nothing is measured yet" in text(views.status(overview.overview(store)))
        with pytest.raises(UsageError, match="no measured candidate"):
            best(store)
        with pytest.raises(UsageError, match="no candidate yet; wait for its baseline"):
            resolve(store, "baseline")


def test_tree_counts_what_it_leaves_out(tmp_path: Path) -> None:
    """Dropped candidates are a number at their parent unless all are asked for."""
    iterations = [
        iteration(1),
        iteration(2, "c1", survives=False),
        iteration(3, "c1"),
        iteration(4, "c1", survives=False),
    ]
    with opened(make(tmp_path, iterations), None) as store:
        nodes = overview.lineage(store)
    short, full = text(views.tree(nodes, False), 160), text(views.tree(nodes, True), 160)
    assert "+2 dropped children" in short
    assert [len(one.splitlines()) for one in (short, full)] == [3, 5]
    assert re.search(r"│?\s+├── c2 .*dropped", full)


def test_a_narrow_tree_keeps_a_candidate_and_its_score_on_one_line(tmp_path: Path) -> None:
    """At 80 columns the head of a candidate is not wrapped, and what became of it stands below."""
    iterations = [iteration(1), iteration(2, "c1", survives=False), iteration(3, "c1")]
    with opened(make(tmp_path, iterations), None) as store:
        drawn = text(views.tree(overview.lineage(store), False, 80), 80).splitlines()
    heads = [line for line in drawn if re.search(r"c\d (baseline|survived)", line)]
    assert len(heads) == 3 and all("simulated" in line for line in heads)
    assert any(re.fullmatch(r"[│ ]*\+1 dropped child.*", line.rstrip()) for line in drawn)


def test_causes_that_are_as_frequent_have_one_order(tmp_path: Path) -> None:
    """What is shown is the same every time: equal shares are in the order of their names."""
    with opened(make(tmp_path, [iteration(1)]), None) as store:
        found = overview.overview(store)
    assert found.baseline is not None
    mix = tuple(Failure("quality", reason, 1) for reason in "hbdgafce")
    shown = text(
        views.summary(replace(found, baseline=replace(found.baseline, failures=mix), best=found.baseline))
    )
    assert re.findall(r"quality: (\w)\b", shown) == list("abcdefgh")


def test_models_cannot_drive_the_terminal(tmp_path: Path) -> None:
    """Escape sequences and markup in what a model wrote are shown as text or left out."""
    bad = replace(iteration(1), summary="\x1b[2J[red]done[/red]\u202e", reason="\x07 no")
    with opened(make(tmp_path, [bad]), None) as store:
        entries = overview.log(store)
        pictures = [text(logs.drawn(entries, width), width) for width in (80, 120, 160)]
        pictures += ["\n".join(logs.lines(entries)), text(views.tree(overview.lineage(store), True), 160)]
        shown = "".join(pictures)
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "[2J[red]done[/red]" in shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_diff_keeps_every_word_whole(width: int) -> None:
    """A drawn diff holds all words of the lines, in order and unbroken, at any width; nothing escapes."""
    shown = text(diffs.drawn(DIFF), width)
    words = [word for line in DIFF.splitlines()[5:] for word in line[1:].split()]
    found = [word for line in shown.splitlines()[3:] for word in line[1:].split()]
    assert found == " ".join(words).replace("\x1b", "").split()
    assert "\x1b" not in shown
    assert diffs.files(DIFF) == [("prompts/task.md", 1, 2)]


def test_diff_marks_the_words_that_changed() -> None:
    """Inside a changed line only what differs stands out."""
    out = StringIO()
    Console(file=out, width=200, force_terminal=True, color_system="standard", markup=False).print(
        diffs.drawn(DIFF)
    )
    strong = re.findall(r"\x1b\[1;7;3[12]m([^\x1b]*)", out.getvalue())
    assert [one.strip() for one in strong] == ["two", "alone", "at least three separate"]
    assert "No difference" in text(diffs.drawn(""))


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (12_345, "12.3 k"), (999_999, "1.00 M"), (4.5e9, "4.50 G")],
)
def test_amounts(number: float, shown: str) -> None:
    """Large numbers have three figures and a unit."""
    assert figures.amount(number) == shown


def test_small_figures() -> None:
    """Money, time and counts read as people write them; a score without trials is no score."""
    assert [figures.money(one) for one in (0, 0.004212, 3.1, 1234.5)] == [
        "$0",
        "$0.0042",
        "$3.10",
        "$1,234.50",
    ]
    assert [figures.clock(one) for one in (0, 59.6, 187, 3723)] == ["0:00", "1:00", "3:07", "1:02:03"]
    assert [figures.count(one, "iteration") for one in (1, 2000)] == ["1 iteration", "2,000 iterations"]
    assert figures.score(Interval(0, 0, 1, 0), True) == figures.score(None, True) == "not measured"
    assert figures.shortened("one two three", 9) == "one two…"
    assert figures.moment("2026-11-22T21:23:09.906210Z") == "2026-11-22 21:23:09 UTC"


def test_log_for_a_pipe_is_a_line_an_iteration(tmp_path: Path) -> None:
    """However long the summary is and whatever breaks it has; the score says that it is simulated."""
    look = Look(10, 19, 9, 0.3, 0.1, 0.5, 7.5, 6.9, -1.9)
    decision = Decision("sequential", 0.001, (look,))
    long = replace(iteration(1), summary="first\nsecond " * 40, decision=decision)
    with opened(make(tmp_path, [long, replace(iteration(2), summary="two"), REJECTED]), None) as store:
        entries = overview.log(store)
    lines = list(logs.lines(entries))
    assert len(lines) == 4
    assert lines[1].count("first second") == 40
    assert re.search(r"\] n=9 documents, 10\+19 rollouts, simulated +first", lines[1])
    assert "no change" in lines[3]
    assert "exactly the files of c1" in lines[3]


def test_log_in_a_narrow_window_keeps_every_word(tmp_path: Path) -> None:
    """At 80 columns what was tried stands below its iteration, in whole words."""
    one = replace(iteration(1), summary="Keeps the conclusion out of the context. " * 5)
    with opened(make(tmp_path, [one]), None) as store:
        shown = text(logs.drawn(overview.log(store), 80))
    assert " ".join(shown.split()).count("Keeps the conclusion out of the context.") == 5


def test_the_log_leaves_figures_to_why(tmp_path: Path) -> None:
    """A reason of a survival rule is its verdict, the difference is told once, and no line of a head is wrapped."""
    reason = "not better by 0.1: difference -0.200 on 9 documents, 10 rollouts against 19 (kept at 6.9)"
    look = Look(10, 19, 9, -0.2, -0.4, 0.0, -2.5, 6.9, -1.9)
    dropped = replace(
        iteration(1, survives=False), reason=reason, decision=Decision("sequential", 0.001, (look,))
    )
    screened = replace(REJECTED, number=2, outcome="not_improved", reason="no failure got better")
    with opened(make(tmp_path, [dropped, screened]), None) as store:
        entries = overview.log(store)
    shown = text(logs.drawn(entries, 80), 80)
    assert "1  c0    dropped       -0.20 [-0.40, +0.00] 9 documents, 10+19 rollouts" in shown
    assert "(not better by 0.1)" in shown and "kept at" not in shown
    assert "2  c0    not improved" in shown and "no failure got better" in shown
    assert views.outcome("not_improved").style == "yellow"
    assert "`evolve why 1` shows the evidence" in text(detail.iteration(entries[1]), 80)


def test_status_names_who_holds_the_run(tmp_path: Path) -> None:
    """While a process has the lock it is running, whatever its pid; else an open session was killed."""
    path = make(tmp_path, [iteration(1)])

    async def session() -> None:
        history = await History.open(path)
        await history.start_session(RUN.run, 4, 50)
        await history.close()

    asyncio.run(session())
    with opened(path, None) as store:
        killed = overview.overview(store)
        with RunLock(store.folder / "lock"):
            running = overview.overview(store)
    assert (killed.condition, running.condition) == ("killed", "running")
    assert "`evolve run` goes on" in views.state(killed)
    assert re.match(r"running \(pid \d+ on ", views.state(running))
    assert "1 recorded of 50" in text(views.status(running))


def test_status_counts_a_test_apart(tmp_path: Path) -> None:
    """A session of `evolve test` does not change what is said of the search, and while it runs it is named."""
    path = make(tmp_path, [iteration(1)])

    async def sessions() -> None:
        history = await History.open(path)
        await history.end_session(RUN.run, await history.start_session(RUN.run, 4, 50), "stopped")
        await history.start_session(RUN.run, 0, 50)
        await history.close()

    asyncio.run(sessions())
    with opened(path, None) as store:
        ended = overview.overview(store)
        with RunLock(store.folder / "lock"):
            testing = views.state(overview.overview(store))
    assert ended.condition == "stopped"
    assert "4 workers" in views.state(ended)
    assert testing.startswith("running `evolve test`")


def test_more_done_than_asked_for_is_said_in_words(tmp_path: Path) -> None:
    """A smaller total than what is recorded is no fraction above one."""
    path = make(tmp_path, [iteration(1), iteration(2)])

    async def session() -> None:
        history = await History.open(path)
        await history.start_session(RUN.run, 4, 1)
        await history.close()

    asyncio.run(session())
    with opened(path, None) as store:
        assert "2 recorded, 1 asked for last" in text(views.status(overview.overview(store)))


def test_model_names_that_change_are_told(tmp_path: Path) -> None:
    """A role whose endpoint calls itself differently among the first and the last calls is named; the others are not."""
    place = tmp_path / "calls.db"
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("CREATE TABLE calls (role, model, prompt_tokens, completion_tokens, cost)")
        rows = (
            [("weak", "a", 1, 2, 0.5)] * 3000
            + [("judge", "b", 1, 2, 0.5)] * 3000
            + [("weak", "c", 1, 2, 0.5)]
        )
        connection.executemany("INSERT INTO calls VALUES (?, ?, ?, ?, ?)", rows)
    assert journal.several_names(place) == {"weak": ("a", "c")}
    assert journal.receipt(place) == journal.Receipt(6001, 3 * 6001, 0.5 * 6001)
    assert journal.several_names(tmp_path / "missing.db") == {}
    assert journal.receipt(tmp_path / "missing.db") == journal.Receipt()
    with opened(make(tmp_path, [iteration(1)]), None) as store:
        shown = text(views.status(overview.overview(store), {"weak": ("a", "c")}))
    assert "weak was answered by models that call themselves a, c" in shown
