"""Several things at once: results in order, and the first error of ours as itself."""

import asyncio

import pytest

from harness.errors import ProviderError
from harness.together import together


def test_results_come_in_order() -> None:
    """Whoever finishes first, the results stand in the order of the works."""

    async def work(number: int) -> int:
        for _ in range(5 - number):
            await asyncio.sleep(0)
        return number

    async def main() -> tuple[int, ...]:
        return await together(work(number) for number in range(5))

    assert asyncio.run(main()) == (0, 1, 2, 3, 4)


def test_an_error_of_ours_comes_out_bare_and_ends_the_rest() -> None:
    """One failure cancels the others and is no group for those outside; an error that is not ours stays one."""
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def fails(error: Exception) -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises(ProviderError, match="down"):
        asyncio.run(together([waits(), fails(ProviderError("down"))]))
    assert ended == ["cancelled"]
    with pytest.raises(ExceptionGroup):
        asyncio.run(together([waits(), fails(KeyError("bug"))]))
