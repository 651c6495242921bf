"""Student's t against the integral of its density and against the printed tables."""

from math import gamma, pi, sqrt

import numpy as np
import pytest

from harness.student import below, quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 9, 22, 23])
@pytest.mark.parametrize("value", [-3.0, -0.7, 0.0, 0.2, 1.9, 6.0])
def test_it_is_the_integral_of_its_density(value: float, freedom: int) -> None:
    """The closed form is what integrating the density from 0 gives, on top of one half."""
    grid = np.linspace(0, value, 20_001)
    density = (1 + grid**2 / freedom) ** (-(freedom + 1) / 2)
    density *= gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))
    assert below(value, freedom) == pytest.approx(0.5 + np.trapezoid(density, grid), abs=1e-8)


@pytest.mark.parametrize(
    ("freedom", "value"),
    [
        (1, 12.7062),
        (2, 4.3027),
        (3, 3.1824),
        (5, 2.5706),
        (9, 2.2622),
        (10, 2.2281),
        (30, 2.0423),
        (99, 1.9842),
    ],
)
def test_quantiles_are_those_of_the_tables(freedom: int, value: float) -> None:
    """The 97.5 % quantiles, to four digits behind the point."""
    assert quantile(0.975, freedom) == pytest.approx(value, abs=1e-4)
