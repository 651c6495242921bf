"""docs/commands.md and docs/settings.md are what the code makes of them; docs/troubleshooting.md quotes real messages."""

import ast
import re
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from evolve.cli import EPILOG
from evolve.configuration.binding import fixed
from evolve.settings import Settings, fields
from harness import errors

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TROUBLE = DOCS / "troubleshooting.md"
# faults of the program, which no user can mend
INTERNAL = (
    "open_run comes first",
    "is closed; open it again",
    "by this very object",
    "is published already as",
)


def generator() -> ModuleType:
    """docs/generate.py, which is no part of a package."""
    spec = spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "settings.md"])
def test_the_reference_is_up_to_date(name: str) -> None:
    """The page is what `make docs` would write now."""
    assert (DOCS / name).read_text("utf-8") == generator().PAGES[name](), "run `make docs`"


def test_settings_are_all_there_and_marked_as_they_are_bound() -> None:
    """Each setting has an entry, which says `fixed` exactly where a run that goes on is held to it."""
    text = (DOCS / "settings.md").read_text("utf-8")
    entries = dict(re.findall(r"^- \*\*`([^`]+)`\*\*:(.*?)(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(entries) == {one.key for one in fields() if not one.table}
    bound = {key for key, _ in fixed(Settings())}
    for key, entry in entries.items():
        words = re.findall(r"; (fixed|free);", " ".join(entry.split()))
        wanted = "fixed" if key.replace("<role>", "judge") in bound else "free"
        assert words == ([] if key == "search.lag" else [wanted]), key


def templates() -> list[str]:
    """Every text in the code that is no docstring, without backticks; `…` where an f-string has a value."""
    texts = []
    for path in sorted([*(ROOT / "evolve").rglob("*.py"), *(ROOT / "harness").rglob("*.py")]):
        tree = ast.parse(path.read_text("utf-8"))
        inside = {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        inside |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = (str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values)
                texts.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
                texts.append(node.value)
    return [one.replace("`", "") for one in texts]


def quoted() -> list[str]:
    """The messages of the page: headings and table rows in backticks, with `…` where a value stands."""
    text = TROUBLE.read_text("utf-8")
    found = re.findall(r"^### `([^`]+)`$|^\| `([^`]+)` \| .*\| [\d or]+ \|$", text, re.MULTILINE)
    return [heading or row for heading, row in found]


def pattern(message: str) -> re.Pattern[str]:
    """What finds a quoted message among the texts of the code."""
    words = [part.strip() for part in message.split("…") if part.strip()]
    assert max(map(len, words)) >= 8, f"{message!r} is too short to be found by"
    return re.compile(".*".join(map(re.escape, words)), re.DOTALL)


def test_every_quoted_message_is_in_the_code() -> None:
    """A message that the page explains can still be met: its words stand, in this order, in one text of the code."""
    source, found = templates(), quoted()
    assert len(found) > 30
    for message in found:
        assert any(pattern(message).search(one) for one in source), (
            f"no message in the code reads {message!r}"
        )


@cache
def raised() -> list[tuple[str, str, int]]:
    """Place, text without backticks and exit code of every error that the code raises with words of its own."""
    kinds = {"UsageError", "ProviderError", "SandboxError", "StorageError", "BudgetSpent", "OurFault"}
    found = []
    for path in sorted([*(ROOT / "evolve").rglob("*.py"), *(ROOT / "harness").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in kinds
                and node.args
            ):
                texts = [one for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
                words = "…".join(one.value for one in texts if isinstance(one.value, str)).replace("`", "")
                code = getattr(errors, node.func.id).exit_code
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", words, code))
    return found


def test_every_error_is_explained() -> None:
    """An error that the code raises with words of its own is in the page, unless it tells of a fault of the program."""
    patterns = [pattern(message) for message in quoted()]
    told = [(place, words) for place, words, _ in raised() if len(words) > 25]
    assert len(told) > 80
    unknown = [
        f"{place}: {words!r}"
        for place, words in told
        if not any(one.search(words) for one in patterns) and not any(one in words for one in INTERNAL)
    ]
    assert not unknown, "docs/troubleshooting.md does not explain:\n" + "\n".join(unknown)


def test_messages_are_quoted_once() -> None:
    """No message has two explanations."""
    assert len(quoted()) == len(set(quoted()))


def test_every_exit_code_is_explained() -> None:
    """Each exit code of `evolve --help` has a row, and no other code has one."""
    wanted = re.findall(r"^\s+(\d+)\s", EPILOG, re.MULTILINE)
    (part,) = re.findall(
        r"^## Exit codes$(.*?)(?=^## )", TROUBLE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert re.findall(r"^\| (\d+) \|", part, re.MULTILINE) == wanted


def codes() -> dict[str, set[int]]:
    """Message -> the exit codes that the page gives for it; none for notices."""
    text = TROUBLE.read_text("utf-8")
    parts = re.split(r"^### `([^`]+)`$", text, flags=re.MULTILINE)[1:]
    told = {
        message: set(map(int, re.findall(r"(?:[Ee]xit code|else) (\d+)", body.split("\n## ")[0])))
        for message, body in zip(parts[::2], parts[1::2], strict=True)
    }
    for row, last in re.findall(r"^\| `([^`]+)` \| .*\| ([\d or]+) \|$", text, re.MULTILINE):
        told[row] = set(map(int, re.findall(r"\d+", last)))
    return told


def test_exit_codes_are_told_as_they_are() -> None:
    """Where the page gives an exit code for a message, the error that carries it ends with that code."""
    assert set(codes()) == set(quoted())
    wrong = [
        f"{place} ends with {code}, the page says {sorted(told)}: {message}"
        for message, told in codes().items()
        for place, words, code in raised()
        if len(words) > 25 and pattern(message).search(words) and code not in told
    ]
    assert not wrong, "\n".join(wrong)


def test_every_message_tells_its_exit_code() -> None:
    """Under each message stands the code with which it ends, or that it does not end anything."""
    sections = re.split(r"^### `[^`]+`$", TROUBLE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    for one in sections:
        body = " ".join(one.split("\n## ")[0].split())
        assert re.search(r"[Ee]xit code \d|[Aa] notice|does not stop", body), body
