"""Counts -> scores that mean the same at every rate.

The count of a window is taken as negative binomial with mean ``m`` and variance
``m + dispersion * m**2`` (Poisson when the dispersion is 0). Its
variance-stabilising transform turns every such count into a number of about one
standard deviation, so one threshold serves two calls a day and two thousand a
minute. Source of the transform: F. J. Anscombe, "The transformation of Poisson,
binomial and negative-binomial data", Biometrika 35 (1948).
"""

from __future__ import annotations

from math import asinh, sinh, sqrt

_SHIFT = 0.375
_LEAST_DISPERSION = 1e-6  # below, the transform is the Poisson one to nine digits


def stabilise(count: float, dispersion: float) -> float:
    """``count`` on a scale whose unit is one standard deviation."""
    if dispersion < _LEAST_DISPERSION:
        return 2 * sqrt(count + _SHIFT)
    return 2 / sqrt(dispersion) * asinh(sqrt(dispersion * (count + _SHIFT)))


def restore(score: float, dispersion: float) -> float:
    """The count that has this score; 0 where none is so low."""
    if score <= 0:
        return 0.0
    if dispersion < _LEAST_DISPERSION:
        return max((score / 2) ** 2 - _SHIFT, 0.0)
    return max(sinh(score * sqrt(dispersion) / 2) ** 2 / dispersion - _SHIFT, 0.0)


class Scale:
    """``stabilise`` for one dispersion, remembering small counts: they come thousands of times a day."""

    _REMEMBERED = 512

    def __init__(self, dispersion: float) -> None:
        self._dispersion = dispersion
        self._known = [stabilise(count, dispersion) for count in range(self._REMEMBERED)]

    def __call__(self, count: float) -> float:
        """The score of ``count``."""
        if count < self._REMEMBERED and count == (whole := int(count)):
            return self._known[whole]
        return stabilise(count, self._dispersion)
