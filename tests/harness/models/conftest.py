"""What every test of a client on real sockets needs."""

import gc
import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback is reached directly, whatever proxy this machine uses."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="module")
def no_leak() -> Iterator[None]:
    """A socket that any of these tests left open warns when it is collected, and warnings are errors."""
    yield
    gc.collect()
