"""The dense leg's vectors, as the stores take them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from pipelines.index.contract import Vector


def floats(vector: Vector) -> list[float]:
    """A vector as a plain list: a NumPy array is taken apart element by element otherwise, at twice the time."""
    import numpy

    plain: list[float] = numpy.asarray(vector, dtype=numpy.float32).tolist()
    return plain


def packed(vector: Vector) -> array[float]:
    """A vector as 32-bit floats in a row, which the embedded engine reads in a third of the time of a list."""
    if isinstance(vector, Sequence):
        return vector if isinstance(vector, array) else array("f", vector)
    import numpy

    return array("f", numpy.ascontiguousarray(vector, dtype=numpy.float32).tobytes())
