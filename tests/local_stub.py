"""A runtime of local models without a model, for child processes and for whoever looks whether it is installed."""

import json
import urllib.request
from pathlib import Path

import pytest

from harness.models.local.weights import Weights

RUNTIME = Path(__file__).parent / "local_runtime"


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be found, here and in processes that are started."""
    monkeypatch.setenv("PYTHONPATH", str(RUNTIME))
    monkeypatch.syspath_prepend(str(RUNTIME))


def weights(folder: Path, text: str = "fine") -> Weights:
    """A file that stands for weights; see local_runtime/xllamacpp.py for what its text does."""
    path = folder / "tiny.gguf"
    path.write_text(text)
    return Weights("tiny", path)


def ask(base_url: str, text: str) -> str:
    """The answer to one question. Raises OSError where there is none."""
    body = json.dumps({"messages": [{"role": "user", "content": text}], "max_tokens": 16}).encode()
    request = urllib.request.Request(
        f"{base_url}/chat/completions", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return str(json.loads(response.read())["choices"][0]["message"]["content"])
