"""Media types of pictures that may hold text, which only an API can read. Pure."""

from __future__ import annotations

_PICTURES = frozenset({"image/bmp", "image/heic", "image/jpeg", "image/png", "image/tiff"})
"""https://docs.unstructured.io/ui/supported-file-types"""


def is_picture(media_type: str) -> bool:
    """Whether files of this type are pictures that can be read."""
    return media_type.partition(";")[0].strip().lower() in _PICTURES
