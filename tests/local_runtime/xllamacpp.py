"""Stands in for the package of that name: the same few names, a server of the standard library, a model that echoes.

What stands in the file of the "weights" decides how it loads, what is asked decides how it answers.
"""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class CommonParams(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(model=SimpleNamespace(path=""))


class Server:
    """Loads: `refuse` not, `hang` for ever, anything else at once."""

    def __init__(self, params: Any) -> None:
        os.write(1, b"native code prints what it likes\n")
        text = Path(params.model.path).read_text()
        if "hang" in text:
            threading.Event().wait()
        if "refuse" in text:
            sys.stderr.write("failed to load model\n")
            raise RuntimeError("Failed to init server, please check the input params.")
        assert (params.cache_prompt, params.hostnames) == (False, ["127.0.0.1"])
        handler = type("Handler", (Handler,), {"name": next(iter(params.model_alias))})
        server = ThreadingHTTPServer(("127.0.0.1", params.port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{server.server_port}"


class Handler(BaseHTTPRequestHandler):
    """A question with CRASH in it ends the process as a native crash does; anything else comes back."""

    name = ""
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = body["messages"][-1]["content"]
        if "CRASH" in said:
            os.kill(os.getpid(), signal.SIGSEGV)
            signal.pause()
        message = {"role": "assistant", "content": f"echo: {said[-80:]}"}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        usage = {"prompt_tokens": 40, "completion_tokens": 10}
        data = json.dumps({"model": self.name, "choices": choices, "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        return
