"""Settings of all tests. Its presence also puts this folder on the import path, so that tests share `fakes.py`."""

from hypothesis import settings

# the same examples on every machine, no clock in the verdict, nothing written to disk
settings.register_profile("house", derandomize=True, deadline=None, database=None, max_examples=80)
settings.load_profile("house")
