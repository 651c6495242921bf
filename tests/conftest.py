"""Settings of all tests. Its presence also puts this folder on the import path, so that tests share `fakes.py`."""

import signal

from hypothesis import settings

# the same examples on every machine, no clock in the verdict, nothing written to disk
settings.register_profile("house", derandomize=True, deadline=None, database=None, max_examples=80)
settings.load_profile("house")


def pytest_configure() -> None:
    """Started in the background of a script, signals are ignored, and so they would be in every process we test."""
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_DFL),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
