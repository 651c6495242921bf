"""`evolve models check`: what it says of endpoints that work, half work and do not work, and that it never says a key."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from plain_server import answering, completed

from evolve.checks.model_check import Checked
from evolve.cli import cli
from evolve.commands.models import pictures
from harness.models.openai import Usage
from harness.types import ROLES

CHAT = "POST /v1/chat/completions"
LIST = "GET /v1/models"
KEY = "a-secret-of-46-characters"
PRICED = "input_price = 1.0\noutput_price = 2.0\n"


def check(folder: Path, *more: str, **environment: str) -> Result:
    arguments = ["models", "check", "--db", str(folder / "population.db"), *more]
    return CliRunner().invoke(cli, arguments, env={"NO_COLOR": "1", **environment})


def settings(folder: Path, url: str, more: str = PRICED) -> None:
    text = f'[models.default]\nname = "tiny"\nbase_url = "{url}"\n{more}'
    (folder / "evolve.toml").write_text(text)


def rows(result: Result) -> dict[str, Any]:
    return {one["role"]: one for one in json.loads(result.stdout)["roles"]}


def test_simulated_models_are_called_and_labelled(tmp_path: Path) -> None:
    """Without settings every simulated role answers, is called simulated, and nothing is written."""
    result = check(tmp_path)
    assert result.exit_code == 0, result.output
    assert "simulated models" in result.stdout
    assert "7 calls" in result.stdout
    assert ", simulated" in result.stdout.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_roles_that_share_a_model_are_asked_once(tmp_path: Path) -> None:
    """One call serves all roles with the same endpoint, model, key and sampling; another temperature is another call."""
    with answering({CHAT: (200, completed('{"sum": 42}'))}) as server:
        settings(tmp_path, server.url, PRICED + "[models.judge]\nsampling = { temperature = 0.0 }\n")
        result = check(tmp_path, "--json")
        asked = [body["temperature"] for path, _, body in server.requests if path == "/v1/chat/completions"]
    found = rows(result)
    assert result.exit_code == 0, result.output
    assert set(found) == set(ROLES)
    assert sorted(asked) == [0.0, 1.0]
    assert (found["weak"]["same_as"], found["judge"]["same_as"]) == ("challenger", None)
    assert found["challenger"]["understood"]
    assert found["challenger"]["form"] == "json_schema"
    assert found["challenger"]["cost"] == pytest.approx((40 + 2 * 10) / 1e6)
    assert json.loads(result.stdout)["cost"] == pytest.approx(2 * (40 + 2 * 10) / 1e6)


def test_what_a_run_can_live_with_is_a_note(tmp_path: Path) -> None:
    """No usage block, another reported name, no JSON and no price do not fail the check, and are said."""
    body = completed("forty-two, of course", "tiny-2026-01-01", usage=...)
    with answering({CHAT: (200, body)}) as server:
        settings(tmp_path, server.url, "")
        result = check(tmp_path, "--role", "weak")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    for text in ("no usage block", "'tiny-2026-01-01'", "not with the JSON", "no price"):
        assert text in words


def test_a_reasoning_model_that_is_cut_off_has_answered(tmp_path: Path) -> None:
    """An answer that ended at the token limit is no failure; how much of it was reasoning is shown."""
    usage = {
        "prompt_tokens": 40,
        "completion_tokens": 512,
        "completion_tokens_details": {"reasoning_tokens": 512},
    }
    with answering({CHAT: (200, completed("", finish_reason="length", usage=usage))}) as server:
        settings(tmp_path, server.url)
        result = check(tmp_path, "--role", "judge")
        found = rows(check(tmp_path, "--role", "judge", "--json"))
    assert result.exit_code == 0, result.output
    assert "cut off after 512 tokens" in result.stdout
    assert "512 tokens of reasoning" in result.stdout
    assert found["judge"]["usage"]["reasoning"] == 512
    assert not found["judge"]["understood"]


def test_a_wrong_model_name_gets_the_nearest_ones(tmp_path: Path) -> None:
    """Where the server does not know the model, the likest of those it lists are named."""
    refusal = {"error": {"message": "The model `tiny` does not exist.", "type": "NotFoundError", "code": 404}}
    listed = {"data": [{"id": "huge"}, {"id": "Tiny-2"}, {"id": "unlike"}]}
    with answering({CHAT: (404, refusal), LIST: (200, listed)}) as server:
        settings(tmp_path, server.url)
        result = check(tmp_path, "--role", "weak")
    assert result.exit_code == 3
    assert "does not exist" in result.stdout
    assert "→ correct `name`: the server has Tiny-2" in result.stdout


def test_a_forgotten_v1_is_found(tmp_path: Path) -> None:
    """Where the base URL lacks /v1, the right one is the remedy."""
    with answering({LIST: (200, {"data": [{"id": "tiny"}]})}) as server:
        settings(tmp_path, server.url.removesuffix("/v1"))
        result = check(tmp_path, "--role", "weak")
    assert result.exit_code == 3
    assert f"set base_url = '{server.url}'" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("status", "body", "problem", "remedy"),
    [
        (401, {"error": {"message": f"bad key {KEY}"}}, "HTTP 401", "valid key into the variable TINY_KEY"),
        (200, b"<!DOCTYPE html><html>Welcome</html>", "not a chat completion", "web page"),
        (200, completed("x", choices=[]), "not a chat completion", "OpenAI protocol"),
        (429, {"error": {"message": "out", "code": "insufficient_quota"}}, "429", "top up the account"),
        (503, b"upstream", "503", "in trouble"),
    ],
)
def test_each_failure_has_its_remedy(
    tmp_path: Path, status: int, body: Any, problem: str, remedy: str
) -> None:
    """What an endpoint did wrong is named, with what to do; the key it was sent is shown nowhere."""
    with answering({CHAT: (status, body)}) as server:
        settings(tmp_path, server.url, PRICED + 'key_variable = "TINY_KEY"\n')
        result = check(tmp_path, "--role", "weak", TINY_KEY=KEY)
        machine = check(tmp_path, "--role", "weak", "--json", TINY_KEY=KEY)
        assert {header for _, header, _ in server.requests} == {f"Bearer {KEY}"}
    assert (result.exit_code, machine.exit_code) == (3, 3)
    assert problem in result.stdout
    assert remedy in " ".join(result.stdout.split())
    assert KEY not in result.output + machine.output


def test_one_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    """A port where nobody listens, a name nobody knows and a key that is not set fail alone."""
    with socket.socket() as closed, answering({CHAT: (200, completed('{"sum": 42}'))}) as server:
        closed.bind(("127.0.0.1", 0))
        more = (
            f'[models.weak]\nbase_url = "http://127.0.0.1:{closed.getsockname()[1]}/v1"\n'
            '[models.strong]\nbase_url = "http://nowhere.invalid/v1"\n'
            '[models.judge]\nkey_variable = "KEY_THAT_IS_NOT_SET"\n'
        )
        settings(tmp_path, server.url, PRICED + more)
        result = check(tmp_path, "--json")
        text = " ".join(check(tmp_path).stdout.split())
    found = rows(result)
    assert result.exit_code == 3
    assert {role for role, one in found.items() if not one["answers"]} == {"weak", "strong", "judge"}
    assert all(one["remedy"] for one in found.values() if not one["answers"])
    assert "start the server there" in found["weak"]["remedy"]
    assert "KEY_THAT_IS_NOT_SET" in found["judge"]["problem"]
    assert "no answer for weak, strong, judge; 1 call" in text


def test_credentials_in_a_url_are_not_shown(tmp_path: Path) -> None:
    """A user name and password in base_url are left out of everything that is printed."""
    with answering({CHAT: (500, b"oops")}) as server:
        settings(tmp_path, server.url.replace("//", "//user:hunter2@"))
        result = check(tmp_path, "--role", "weak")
    assert result.exit_code in (2, 3)
    assert "hunter2" not in result.output


def test_rows_fit_into_80_columns() -> None:
    """The line of a role is no wider than a small terminal, also with a long model name."""
    url = "https://models.example/v1"
    usage = Usage(12_345, 512)
    one = Checked(
        "implementer", "long-" * 20, url, None, False, seconds=61.5, usage=usage, cost=0.00012, priced=True
    )
    lines = [str(part) for part in pictures([replace(one, form="json_schema")], 80)]
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
