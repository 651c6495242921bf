"""An HTTP server of chat completions on a real loopback socket that fails as it is told, one fault a request."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fakes import completion


@dataclass(frozen=True)
class Exchange:
    """One request with the connection it came on."""

    headers: dict[str, str]
    body: dict[str, Any]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


Fault = Callable[[Exchange], Awaitable[None]]


def head(status: int, length: int, headers: dict[str, str]) -> bytes:
    """Status line and headers of a response."""
    rows = {"Content-Type": "application/json", "Content-Length": str(length)} | headers
    return f"HTTP/1.1 {status} X\r\n{''.join(f'{k}: {v}' + chr(13) + chr(10) for k, v in rows.items())}\r\n".encode()


def respond(body: object, status: int = 200, **headers: str) -> Fault:
    """A response with this body: bytes as they are, anything else as JSON. Header names with underscores."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def fault(exchange: Exchange) -> None:
        await exchange.send(head(status, len(data), named) + data)

    return fault


def failing(status: int, message: str = "no", code: str | None = None, **headers: str) -> Fault:
    """An error response in the form of the OpenAI API."""
    return respond({"error": {"message": message, "type": "error", "code": code}}, status, **headers)


def choice(**changes: object) -> Fault:
    """A completion whose first choice is changed; a change to `...` leaves the field out."""
    body = completion()
    kept = body["choices"][0] | changes
    body["choices"] = [{key: value for key, value in kept.items() if value is not ...}]
    return respond(body)


def changed(**changes: object) -> Fault:
    """A completion with changed fields; a change to `...` leaves the field out."""
    return respond({key: value for key, value in (completion() | changes).items() if value is not ...})


async def hang(exchange: Exchange) -> None:
    """Nothing at all, until the client goes."""
    await exchange.reader.read()


def drip(seconds: float) -> Fault:
    """A good response at one byte every `seconds`."""

    async def fault(exchange: Exchange) -> None:
        data = json.dumps(completion()).encode()
        for byte in head(200, len(data), {}) + data:
            await exchange.send(bytes([byte]))
            await asyncio.sleep(seconds)

    return fault


async def reset(exchange: Exchange) -> None:
    """A TCP reset instead of an answer."""
    linger = struct.pack("ii", 1, 0)
    exchange.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    exchange.writer.transport.abort()


async def vanish(exchange: Exchange) -> None:
    """An orderly close of the connection without an answer."""
    exchange.writer.close()


def cut(share: float) -> Fault:
    """A good head that announces the whole body, a part of the body, and the end."""

    async def fault(exchange: Exchange) -> None:
        data = json.dumps(completion()).encode()
        await exchange.send(head(200, len(data), {}) + data[: int(len(data) * share)])
        exchange.writer.close()

    return fault


async def garbage(exchange: Exchange) -> None:
    """Bytes that are no HTTP."""
    await exchange.send(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    exchange.writer.close()


def picky(complain: Callable[[dict[str, Any]], Fault | None]) -> Fault:
    """The fault that a request's body provokes, or a good answer."""

    async def fault(exchange: Exchange) -> None:
        await (complain(exchange.body) or respond(completion()))(exchange)

    return fault


@dataclass
class FaultServer:
    """Plays its faults in order, one a request, then `always` the same. Counts requests and open connections."""

    faults: list[Fault]
    always: Fault
    url: str = ""
    requests: list[Exchange] = field(default_factory=list)
    open: int = 0
    none_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        self.open += 1
        self.none_open.clear()
        try:
            while not writer.is_closing():
                exchange = await read(reader, writer)
                self.requests.append(exchange)
                fault = self.faults.pop(0) if self.faults else self.always
                await fault(exchange)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self.open -= 1
            if not self.open:
                self.none_open.set()

    async def idle(self) -> None:
        """Wait until no connection is open."""
        if self.open:
            await self.none_open.wait()


async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    """The next request of a connection."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in lines[1:] if row)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Exchange(headers, json.loads(body), reader, writer)


@asynccontextmanager
async def serving(*faults: Fault, always: Fault | None = None) -> AsyncIterator[FaultServer]:
    """A running server on a free port of the loopback; after its faults it answers well, or `always` so."""
    fault_server = FaultServer(list(faults), always or respond(completion()))
    server = await asyncio.start_server(fault_server.serve, "127.0.0.1", 0)
    fault_server.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield fault_server
    finally:
        await asyncio.wait_for(fault_server.idle(), 10)
        server.close()
        await server.wait_closed()
