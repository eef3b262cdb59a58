"""The objects in a pack, no further unpacked than memory is given for. Pure. https://git-scm.com/docs/pack-format"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from dulwich.errors import ApplyDeltaError, ObjectFormatException
from dulwich.object_format import SHA1
from dulwich.objects import ShaFile
from dulwich.pack import (
    DELTA_TYPES,
    PackInflater,
    UnpackedObject,
    UnresolvedDeltas,
    read_pack_header,
    take_msb_bytes_at,
    unpack_object_at,
)

from connectors.errors import AnswerTooLarge, InvalidResponse
from connectors.response_bodies import MOST_BYTES

_HEADER_BYTES = 12
_BROKEN = (
    ApplyDeltaError,
    AssertionError,
    IndexError,
    ObjectFormatException,
    TypeError,
    UnresolvedDeltas,
    ValueError,
    struct.error,
    zlib.error,
)
"""What dulwich runs into where a pack is none, or not whole."""


def read_pack(pack: bytes, where: str) -> dict[str, ShaFile]:
    """Commits, folders and files by their SHA, which is counted from what they hold.

    Raises AnswerTooLarge, before it is unpacked, for more than MOST_BYTES: zlib makes 1 MB of 1 GB. Raises
    InvalidResponse for what is no pack.
    """
    inflater = PackInflater(BytesIO(pack), SHA1.hash_func, object_format=SHA1)
    try:
        for unpacked in _entries(pack, where):
            inflater.record(unpacked)
        return {one.id.decode(): one for one in inflater}
    except _BROKEN as error:
        raise InvalidResponse(where, f"no pack of git's: {type(error).__name__}: {error}") from error


def _entries(pack: bytes, where: str) -> Iterator[UnpackedObject]:
    """Each as it is in the pack, once its size and those of all before it are known to be small enough."""
    _, count = read_pack_header(BytesIO(pack).read)
    place, size = _HEADER_BYTES, 0
    for _ in range(count):
        header, _, _ = take_msb_bytes_at(pack, place)
        size = _within(where, size + (header[0] & 0x0F) + (_little_endian(header[1:]) << 4))
        found, place = unpack_object_at(pack, place, SHA1.hash_func)
        if found.pack_type_num in DELTA_TYPES:
            size = _within(where, size + _made_by_delta(found))
        yield found


def _made_by_delta(found: UnpackedObject) -> int:
    """Bytes of the object that a delta makes: the second number that it begins with."""
    delta = b"".join(found.decomp_chunks)
    _, after, _ = take_msb_bytes_at(delta, 0)
    number, _, _ = take_msb_bytes_at(delta, after)
    return _little_endian(number)


def _little_endian(digits: list[int]) -> int:
    """A number in seven bits a byte, lowest first."""
    return sum((digit & 0x7F) << (7 * place) for place, digit in enumerate(digits))


def _within(where: str, size: int) -> int:
    if size > MOST_BYTES:
        raise AnswerTooLarge(where, MOST_BYTES)
    return size
