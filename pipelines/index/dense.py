"""The dense leg's vectors, as the stores take them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.index.contract import Vector, Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def floats(vector: Vector) -> list[float]:
    """A vector as a plain list: a NumPy array is taken apart element by element otherwise, at twice the time."""
    plain: list[float] = stored_floats(vector)
    return plain


def stored_floats(dense: Vector | Vectors) -> Any:
    """A point's vector as a plain list, or its windows' as a list of those."""
    import numpy

    return numpy.asarray(dense, dtype=numpy.float32).tolist()


def packed(vector: Vector) -> array[float]:
    """A vector as 32-bit floats in a row, which the embedded engine reads in a third of the time of a list."""
    if isinstance(vector, Sequence):
        return vector if isinstance(vector, array) else array("f", vector)
    import numpy

    return array("f", numpy.ascontiguousarray(vector, dtype=numpy.float32).tobytes())


def stored_packed(dense: Vector | Vectors) -> Any:
    """A point's vector as it is packed, or its windows' as a list of those."""
    import numpy

    values = numpy.asarray(dense, dtype=numpy.float32)
    return packed(values) if values.ndim == 1 else [packed(one) for one in values]


def windows(stored: Any) -> NDArray[np.float32]:
    """What a store keeps of a point, be it one vector or a list of them, in shape (windows, dimensions)."""
    import numpy

    return numpy.atleast_2d(numpy.asarray(stored, dtype=numpy.float32))
