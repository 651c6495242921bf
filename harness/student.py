"""Student's t for whole degrees of freedom: how likely it lies below a value, and the value for a probability."""

from functools import lru_cache
from math import atan, cos, pi, sin, sqrt


def below(value: float, freedom: int) -> float:
    """Student's distribution function, for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4)."""
    angle = atan(value / sqrt(freedom))
    odd, squared = freedom % 2, cos(angle) ** 2
    term = total = 0.0 if freedom == 1 else cos(angle) if odd else 1.0
    for step in range(2 + odd, freedom - 1, 2):
        term *= squared * (step - 1) / step
        total += term
    inside = 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
    return min(1.0, max(0.0, (1 + inside) / 2))


@lru_cache(maxsize=256)
def quantile(probability: float, freedom: int) -> float:
    """The value below which Student's t lies with this probability in [0.5, 1), to 1e-9."""
    low, high = 0.0, 1.0
    while below(high, freedom) < probability:
        high *= 2
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle, freedom) < probability else (low, middle)
    return high
