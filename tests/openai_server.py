"""An HTTP server with real sockets that speaks POST /v1/chat/completions, answered by the simulated models.

python tests/openai_server.py --port 0 prints its URL and serves until it is ended. It knows nothing of runs: what
makes it a test server is its log, one line for every request answered: when it came, when it was answered (seconds
since 1970), model, seed of the request, SHA-256 of its body.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

from harness.models.simulated.completion import BadRequest, UnknownModel, complete

LONGEST_HEAD = 64 * 2**10
LONGEST_BODY = 16 * 2**20
PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 413: "Content Too Large"}


@dataclass(frozen=True)
class Manner:
    """How it answers. latency: mean seconds; jitter: share of it by which single answers differ, drawn by `shuffle`.

    slow: share of the answers that take `slow_latency` seconds instead.
    """

    world: int = 0
    latency: float = 0.0
    jitter: float = 0.0
    shuffle: int = 0
    slow: float = 0.0
    slow_latency: float = 2.0
    log: TextIO | None = None


@dataclass(frozen=True)
class Asked:
    """One HTTP request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def keep(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


@dataclass(frozen=True)
class Line:
    """One line of the log."""

    came: float
    answered: float
    model: str
    seed: int
    digest: str

    def __str__(self) -> str:
        return f"{self.came:.6f} {self.answered:.6f} {self.model} {self.seed} {self.digest}"


def read_log(path: Path) -> list[Line]:
    """All whole lines of a log."""
    rows = (line.split() for line in path.read_text().splitlines(keepends=True) if line.endswith("\n"))
    return [
        Line(float(came), float(done), model, int(seed), digest) for came, done, model, seed, digest in rows
    ]


async def serve(port: int, manner: Manner) -> asyncio.Server:
    """Listen on the loopback; port 0 takes a free one."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := await read_request(reader):
                status, answer = await respond(asked, manner)
                write_response(writer, status, answer, asked.keep)
                await writer.drain()
                if not asked.keep:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side was killed
        finally:
            writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", port, limit=LONGEST_HEAD, backlog=512)


async def read_request(reader: asyncio.StreamReader) -> Asked | None:
    """The next request of a connection; None when it was closed between two."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await read_chunks(reader)
    else:
        body = await reader.readexactly(min(LONGEST_BODY, int(headers.get("content-length", 0))))
    return Asked(method, path, headers, body)


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    """A body sent in chunks."""
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return body


async def respond(asked: Asked, manner: Manner) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer, after the time it takes; then its line in the log."""
    came = time.time()
    if (asked.method, asked.path.partition("?")[0]) != ("POST", "/v1/chat/completions"):
        return 404, problem(f"nothing is served at {asked.method} {asked.path}")
    digest = sha256(asked.body).hexdigest()
    if manner.latency:
        await asyncio.sleep(delay(digest, manner))
    try:
        body = json.loads(asked.body)
        answer = complete(body, manner.world)
    except UnknownModel as error:
        return 404, problem(str(error))
    except (ValueError, BadRequest) as error:
        return 400, problem(str(error))
    if manner.log is not None:
        line = Line(came, time.time(), body["model"], body.get("seed", -1), digest)
        manner.log.write(f"{line}\n")
        manner.log.flush()
    return 200, answer


def delay(digest: str, manner: Manner) -> float:
    """Seconds that an answer takes; they follow from the request and `shuffle`."""
    rng = random.Random(f"{manner.shuffle} {digest}")
    spread = 1 + manner.jitter * rng.uniform(-1, 1)
    return manner.slow_latency if rng.random() < manner.slow else manner.latency * spread


def problem(message: str) -> dict[str, Any]:
    """An error in the shape OpenAI gives it."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


def write_response(writer: asyncio.StreamWriter, status: int, answer: dict[str, Any], keep: bool) -> None:
    """One response with its length."""
    body = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    head = [
        f"HTTP/1.1 {status} {PHRASES[status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Connection: {'keep-alive' if keep else 'close'}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + body)


async def main(port: int, manner: Manner) -> None:
    """Serve for ever; the first line of the output is the URL."""
    server = await serve(port, manner)
    bound = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{bound}/v1\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--world", type=int, default=0, help="seed of the simulated models")
    parser.add_argument("--latency", type=float, default=0.0, help="mean seconds of an answer")
    parser.add_argument("--jitter", type=float, default=0.0, help="share of the latency that varies, 0 to 1")
    parser.add_argument("--shuffle", type=int, default=0, help="seed of the jitter")
    parser.add_argument("--slow", type=float, default=0.0, help="share of slow answers, 0 to 1")
    parser.add_argument("--slow-latency", type=float, default=2.0, help="seconds of a slow answer")
    parser.add_argument("--log", type=Path, help="file for one line a request")
    return parser.parse_args()


if __name__ == "__main__":
    options = arguments()
    log = options.log.open("a") if options.log else None
    chosen = Manner(
        options.world,
        options.latency,
        options.jitter,
        options.shuffle,
        options.slow,
        options.slow_latency,
        log,
    )
    asyncio.run(main(options.port, chosen))
