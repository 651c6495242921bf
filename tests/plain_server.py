"""A threaded HTTP server on the loopback that gives the same answer to the same path, for tests of whole commands."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[str, tuple[int, Any]]


@dataclass
class PlainServer:
    """`url` ends in /v1. requests: (path, Authorization header, decoded body or None) in the order they came."""

    url: str
    requests: list[tuple[str, str, Any]] = field(default_factory=list)


@contextmanager
def answering(answers: Answers) -> Iterator[PlainServer]:
    """Serve `answers`: "GET /v1/models" -> status and body, bytes as they are, anything else as JSON; 404 elsewhere."""
    found = PlainServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, body: Any) -> None:
            found.requests.append((self.path, self.headers.get("Authorization", ""), body))
            status, what = answers.get(f"{self.command} {self.path}", (404, b"404 page not found"))
            data = what if isinstance(what, bytes) else json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def completed(text: str, model: str = "tiny", **changes: Any) -> dict[str, Any]:
    """A chat completion; a change to `...` leaves the field out, `finish_reason` goes to the choice."""
    reason = changes.pop("finish_reason", "stop")
    body = {
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 10},
    } | changes
    return {key: value for key, value in body.items() if value is not ...}
