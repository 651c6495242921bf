"""An external agent as an operator: real shell scripts in a real sandbox, their result taken, kept and read again."""

import json
import os
from pathlib import Path

import pytest
from cases import DIAGNOSIS, FILES, Script
from shop import Shop, within

from evolve.layout import Layout
from evolve.operators import agent
from evolve.settings import AgentSettings, DocumentSettings, SearchSettings, Settings
from harness.errors import SandboxError, StorageError, UsageError

EDITS = "echo '# more' >> agent.py; echo 'SUMMARY: adds a line'; echo 'CAUSES: 1'"


def settings(script: str, **more: object) -> Settings:
    wanted = AgentSettings(command=("/bin/sh", "-c", script, "{task}"), **{"network": False, **more})
    return Settings(agent=wanted)


def make(folder: Path, chosen: Settings, again: Settings | None = None):
    """What the agent's attempt comes to in a fresh run; with `again`, once more in the same run, as a resume would."""
    layout = Layout(folder, folder / "population.db", "r")
    layout.make()

    async def scene(shop: Shop):
        parent = await shop.plant()
        for one in (chosen, again or chosen) if again else (chosen,):
            async with agent.opened(one, layout, shop.repository) as agency:
                models = Script(DIAGNOSIS.model_dump_json())
                attempt = await agent.make(models, shop.workshop, agency, await shop.case(parent))
        child = attempt.proposal.child
        return attempt, await shop.repository.files(child.commit) if child else None

    return within(folder, scene)


def test_what_the_agent_leaves_is_the_edit(tmp_path):
    """Its files become a child of the parent; its own words are the summary, and what it said is in the trace."""
    attempt, files = make(tmp_path, settings(EDITS))
    assert files == {**FILES, "agent.py": FILES["agent.py"] + "# more\n"}
    proposal = attempt.proposal
    assert proposal.summary == "adds a line" and proposal.edit_hash and attempt.diagnosis == DIAGNOSIS
    exchange = proposal.exchanges[-1]
    assert exchange.call == "agents/000009.json" and "CAUSES: 1" in exchange.reply
    assert agent.told(tmp_path / "runs/r", exchange.call) == exchange.reply
    assert agent.told(tmp_path / "runs/r", "agents/000010.json") is None


def test_the_task_tells_what_the_implementer_is_told(tmp_path):
    """Diagnosis, rules and history are in a file that it finds by the name in its command, outside of the checkout."""
    attempt, _ = make(tmp_path, settings('cat "$0"; ls -a; echo x > prompts/new.md'))
    said = attempt.proposal.exchanges[-1].reply
    for text in (
        DIAGNOSIS.causes[0].remedy,
        "strictly higher",
        "env.submit(example)",
        "Nothing has been tried yet",
    ):
        assert text in said
    assert "{{" not in said and "task.md" not in said.rpartition("..\n")[2]


def test_repository_state_and_caches_do_not_count(tmp_path):
    """A forged repository changes nothing: what is in the files is what counts, hidden files and caches are ignored."""
    script = f"{EDITS}; git init -q . && git add -A; mkdir -p .git .notes lib/__pycache__; echo x > lib/__pycache__/a.pyc"
    _, files = make(tmp_path, settings(script))
    assert files == {**FILES, "agent.py": FILES["agent.py"] + "# more\n"}


@pytest.mark.parametrize(
    ("script", "outcome", "reason"),
    [
        ("true", "no_change", "as it was"),
        ("echo no key >&2; exit 3", "no_proposal", "ended with 3 and changed nothing; it said last: no key"),
        (f"{EDITS}; exit 3", "proposed", ""),
        ("echo x > notes.txt", "out_of_scope", "'notes.txt' may not be there"),
        ("echo x >> README.md", "out_of_scope", "'README.md' may not be changed"),
        ("rm agent.py; ln -s /etc/passwd agent.py", "out_of_scope", "'agent.py' is a link"),
        ("rm agent.py", "out_of_scope", "'agent.py' is missing"),
        ("mkfifo prompts/f.md", "out_of_scope", "'prompts/f.md' is a link or no regular file"),
        ("printf '\\377' > prompts/b.md", "out_of_scope", "'prompts/b.md' is no UTF-8 text"),
        (
            "head -c 70000 /dev/zero > prompts/b.md",
            "out_of_scope",
            "'prompts/b.md' has more than 65536 bytes",
        ),
    ],
)
def test_how_it_ends_and_what_it_leaves_decide(tmp_path, script, outcome, reason):
    """Changes count however it ended; without any it failed or saw nothing to do; what is no scaffold is refused."""
    proposal = make(tmp_path, settings(script))[0].proposal
    assert proposal.outcome == outcome and reason in proposal.reason


def test_when_its_time_is_up_it_is_ended(tmp_path):
    """An agent that does not end is ended; without a change that is no proposal, and its record says so."""
    proposal = make(tmp_path, settings("sleep 600", seconds=0.2))[0].proposal
    assert proposal.outcome == "no_proposal" and "was ended when its time was up" in proposal.reason
    assert json.loads((tmp_path / "runs/r/agents/000009.json").read_text())["status"] is None


def test_what_it_did_before_its_time_was_up_counts(tmp_path):
    """Of an agent that was ended, as its record says, the changes are taken."""
    make(tmp_path, settings(EDITS))
    place = tmp_path / "runs/r/agents/000009.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "status": None}))
    attempt, files = make(tmp_path, settings("exit 9"))
    assert attempt.proposal.outcome == "proposed" and files["agent.py"].endswith("# more\n")


def test_a_resumed_iteration_runs_it_no_second_time(tmp_path):
    """The result on disk is used in its place, whatever the command is now, and comes to the same child."""
    first = make(tmp_path / "a", settings(EDITS))
    second = make(tmp_path / "b", settings(EDITS), again=settings("exit 9"))
    assert second == first


def test_a_damaged_record_stops_the_run(tmp_path):
    """It is neither ignored, which would pay twice, nor taken for an empty one."""
    folder = tmp_path / "runs/r/agents"
    folder.mkdir(parents=True)
    (folder / "000009.json").write_text("{")
    with pytest.raises(StorageError, match=r"000009.json.*Remove it to have the agent run again"):
        make(tmp_path, settings(EDITS))


def test_a_key_gets_neither_into_records_nor_into_candidates(tmp_path, monkeypatch):
    """The named variable reaches the agent and no other does; its value is blotted out and refused in files."""
    monkeypatch.setenv("AGENT_KEY", "sk-very-secret-key")
    monkeypatch.setenv("OTHER_KEY", "sk-another-secret")
    script = f"{EDITS}; env"
    attempt, _ = make(tmp_path / "a", settings(script, environment=("AGENT_KEY",)))
    said = attempt.proposal.exchanges[-1].reply
    assert "AGENT_KEY=[AGENT_KEY]" in said and "OTHER_KEY" not in said
    assert "sk-very-secret-key" not in (tmp_path / "a/runs/r/agents/000009.json").read_text()
    script = 'echo "# $AGENT_KEY" >> agent.py'
    proposal = make(tmp_path / "b", settings(script, environment=("AGENT_KEY",)))[0].proposal
    assert proposal.outcome == "out_of_scope" and "holds the value of AGENT_KEY" in proposal.reason


def test_it_sees_neither_the_run_nor_the_documents(tmp_path):
    """Of the run's folder nothing can be read, the database and the held-out documents least of all."""
    (tmp_path / "population.db").write_text("scores")
    (tmp_path / "docs").mkdir()
    chosen = settings(f"cat {tmp_path}/population.db; ls {tmp_path} {Path.home()}; {EDITS}")
    chosen = chosen.model_copy(update={"documents": DocumentSettings(path="docs")})
    attempt, _ = make(tmp_path, chosen)
    said = attempt.proposal.exchanges[-1].reply
    assert "scores\n" not in said and said.count("No such file") == 3


def test_what_is_not_there_is_the_users_error(tmp_path):
    """A missing program or variable stops before anything is spent, and says which."""
    missing = Settings(agent=AgentSettings(command=("no-such-agent",)))
    with pytest.raises(UsageError, match="'no-such-agent' is not on the PATH"):
        make(tmp_path / "a", missing)
    with pytest.raises(UsageError, match="'NO_SUCH_KEY' is not set"):
        make(tmp_path / "b", settings("true", environment=("NO_SUCH_KEY",)))


def test_a_program_that_does_not_start_is_the_users_error(tmp_path):
    """A script whose interpreter is not visible in the sandbox stops the run; no candidate is charged with it."""
    script = tmp_path / "agent.sh"
    script.write_text("#!/nowhere/sh\n")
    script.chmod(0o755)
    with pytest.raises(UsageError, match=r"does not start in its sandbox.*agent\.visible"):
        make(tmp_path, Settings(agent=AgentSettings(command=("./agent.sh",))))


def test_without_bubblewrap_it_is_refused(tmp_path, monkeypatch):
    """Nothing runs unconfined unless the user has called this machine disposable."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("git", "env", "cat", "head"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SandboxError, match="bwrap is not installed"):
        make(tmp_path / "a", settings(EDITS))
    outside = settings(f'{EDITS}; cat "$0" | head -c 20; echo "$HOME"').model_copy(
        update={"sandbox": "external"}
    )
    attempt, files = make(tmp_path / "b", outside)
    assert files["agent.py"].endswith("# more\n")
    assert os.environ["HOME"] not in attempt.proposal.exchanges[-1].reply.split()


def test_no_agent_without_a_command(tmp_path):
    """Nothing is tried out or made where none is set."""
    layout = Layout(tmp_path, tmp_path / "population.db", "r")

    async def scene(shop: Shop):
        async with agent.opened(Settings(), layout, shop.repository) as agency:
            return agency

    assert within(tmp_path, scene) is None and not layout.home.exists()


def test_the_agent_as_the_only_operator_needs_a_command(tmp_path):
    """Asking for it without one is refused instead of editing in another way."""
    with pytest.raises(UsageError, match=r"needs agent\.command"):
        make(tmp_path, Settings(search=SearchSettings(operator="agent")))
