"""The child process of a local model: it serves, is started again after a crash, and never outlives its parent."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from local_stub import ask, install, weights

from harness.errors import BudgetSpent, ProviderError
from harness.models.local.supervisor import Care, Service, ending, served

CARE = Care(seconds=30)
PARENT = """
import asyncio, sys
from pathlib import Path
from harness.models.local.supervisor import Service, served
from harness.models.local.weights import Weights

async def main():
    async with served(Service(Weights("tiny", Path(sys.argv[1])))) as url:
        print(url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


async def answer(base_url: str, text: str) -> str:
    """The answer, asked for again while nobody listens there."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await asyncio.to_thread(ask, base_url, text)
            except OSError:
                await asyncio.sleep(0.01)


def port_of(base_url: str) -> tuple[str, int]:
    parts = urlsplit(base_url)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


def gone(base_url: str) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as one:
        return one.connect_ex(port_of(base_url)) != 0


def soon_gone(base_url: str) -> bool:
    """The same, waited for: a process that ends closes its sockets one after the other."""
    end = time.monotonic() + 30
    while not gone(base_url) and time.monotonic() < end:
        time.sleep(0.01)
    return gone(base_url)


def test_it_serves_as_long_as_the_block_lasts(tmp_path: Path) -> None:
    """The address ends in /v1 and answers at once; afterwards nobody listens there."""

    async def scene() -> tuple[str, str]:
        async with served(Service(weights(tmp_path)), care=CARE) as base_url:
            return base_url, await asyncio.to_thread(ask, base_url, "hello")

    base_url, said = asyncio.run(scene())
    assert base_url.startswith("http://127.0.0.1:")
    assert base_url.endswith("/v1")
    assert said == "echo: hello"
    assert gone(base_url)


@pytest.mark.parametrize("error", [BudgetSpent("calls"), ValueError("x"), asyncio.CancelledError()])
def test_what_the_block_raises_comes_out_as_it_is(tmp_path: Path, error: BaseException) -> None:
    """Also a cancellation; the child has ended by then."""
    seen: list[str] = []

    async def scene() -> None:
        async with served(Service(weights(tmp_path)), care=CARE) as base_url:
            seen.append(base_url)
            raise error

    with pytest.raises(type(error)) as raised:
        asyncio.run(scene())
    assert raised.value is error or isinstance(error, asyncio.CancelledError)
    assert gone(seen[0])


def test_after_a_crash_it_is_back_at_the_same_address(tmp_path: Path) -> None:
    """Whoever waits and asks again is answered; the crash is told with its signal."""
    said: list[str] = []

    async def scene() -> str:
        async with served(Service(weights(tmp_path)), said.append, CARE) as base_url:
            with pytest.raises(OSError):
                await asyncio.to_thread(ask, base_url, "CRASH")
            return await answer(base_url, "again")

    assert asyncio.run(scene()) == "echo: again"
    (notice,) = said
    assert "'tiny' ended (SIGSEGV) and is started again, 1 of at most 10 times" in notice


GIVEN_UP = r"'tiny' (ended 2 times, the last time with SIGSEGV|does not start \(SIGSEGV\))"


def test_one_that_crashes_again_and_again_is_given_up(tmp_path: Path) -> None:
    """The block is cancelled and the error says so; nothing is left running.

    Whether the last crash came before or after the server had said that it was ready is a matter of chance.
    """
    seen: list[str] = []

    async def scene() -> None:
        async with served(Service(weights(tmp_path)), care=replace(CARE, restarts=1)) as base_url:
            seen.append(base_url)
            while True:
                await answer(base_url, "there?")
                with pytest.raises(OSError):
                    await asyncio.to_thread(ask, base_url, "CRASH")

    with pytest.raises(ProviderError, match=GIVEN_UP) as raised:
        asyncio.run(scene())
    assert raised.value.exit_code == 3
    assert gone(seen[0])


def refusal(service: Service, care: Care = CARE) -> str:
    async def scene() -> None:
        async with served(service, care=care):
            raise AssertionError("it serves")

    with pytest.raises(ProviderError) as raised:
        asyncio.run(scene())
    return str(raised.value)


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    """With what the runtime had to say, and what to look at."""
    text = refusal(Service(weights(tmp_path, "refuse")))
    assert "tiny.gguf' a whole GGUF file" in text
    assert "failed to load model" in text


def test_one_that_does_not_load_in_time_is_ended(tmp_path: Path) -> None:
    """After the seconds that it has."""
    assert "not loaded within 0.5 s" in refusal(
        Service(weights(tmp_path, "hang")), Care(seconds=0.5, end=0.1)
    )


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """Whoever asks for a port gets that one or none."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = refusal(Service(weights(tmp_path), port=port))
    assert f"Is port {port} taken?" in text


def test_without_the_runtime_the_extra_is_named(tmp_path: Path) -> None:
    """The exit code of server.py tells it from a crash."""
    without = (sys.executable, "-c", "import sys; sys.stderr.write('No module'); sys.exit(3)")
    text = refusal(Service(weights(tmp_path)), replace(CARE, program=without))
    assert "pip install '.[local]'" in text
    assert "It said: 'No module'" in text


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """Whatever it does about the end of its stdin."""
    deaf = "import os, threading; os.write(1, b'http://127.0.0.1:1/v1\\n'); threading.Event().wait()"
    care = Care(seconds=30, end=0.1, program=(sys.executable, "-c", deaf))

    async def scene() -> str:
        async with served(Service(weights(tmp_path)), care=care) as base_url:
            return base_url

    assert asyncio.run(scene()) == "http://127.0.0.1:1/v1"


def test_it_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL leaves the parent no chance to clean up, and the child ends all the same."""
    command = [sys.executable, "-c", PARENT, str(weights(tmp_path).path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        base_url = parent.stdout.readline().strip()
        with socket.create_connection(port_of(base_url), timeout=30) as connection:
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""  # blocks until the child is gone
    assert soon_gone(base_url)


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-11, "SIGSEGV"), (-99, "signal 99")]
)
def test_the_end_of_a_process_in_words(code: int, words: str) -> None:
    """Signals by their names."""
    assert ending(code) == words
