"""Numbers for people."""

import pytest

from evolve.report import figures


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1.00 kB"),
        (12_345, "12.3 kB"),
        (4_560_000_000, "4.56 GB"),
        (2e14, "200 TB"),
    ],
)
def test_sizes(octets: float, text: str) -> None:
    """Three figures and the unit that makes them readable."""
    assert figures.size(octets) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0"),
        (4.4e-5, "$0.000044"),
        (0.0042, "$0.0042"),
        (0.01, "$0.01"),
        (3.1, "$3.10"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money(dollars: float, text: str) -> None:
    """Cents, and of less than a cent two figures written out."""
    assert figures.money(dollars) == text
