"""The dense leg's vectors, as both stores take them."""

from __future__ import annotations

from pipelines.index.contract import Vector


def floats(vector: Vector) -> list[float]:
    """A vector as a plain list: a NumPy array is taken apart element by element otherwise, at twice the time."""
    import numpy

    plain: list[float] = numpy.asarray(vector, dtype=numpy.float32).tolist()
    return plain
