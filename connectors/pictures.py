"""Media types of pictures that may hold text, which only an API can read. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

BMP = "image/bmp"
HEIC = "image/heic"
JPEG = "image/jpeg"
PNG = "image/png"
TIFF = "image/tiff"

_PICTURES = frozenset({BMP, HEIC, JPEG, PNG, TIFF})
"""https://docs.unstructured.io/ui/supported-file-types"""

PICTURE_EXTENSIONS: Mapping[str, str] = {
    **dict.fromkeys(("jpg", "jpeg", "jpe", "jfif"), JPEG),
    **dict.fromkeys(("tif", "tiff"), TIFF),
    **dict.fromkeys(("heic", "heif"), HEIC),
    "bmp": BMP,
    "png": PNG,
}
"""In lower case and without the dot."""

PICTURE_SYNONYMS: Mapping[str, str] = {
    **dict.fromkeys(("image/x-bmp", "image/x-ms-bmp", "image/x-windows-bmp"), BMP),
    **dict.fromkeys(("image/jpg", "image/pjpeg"), JPEG),
    **dict.fromkeys(("image/tif", "image/x-tiff"), TIFF),
    "image/heif": HEIC,
    "image/x-png": PNG,
}

_SIGNATURES: Mapping[str, re.Pattern[bytes]] = {
    # By the size of its second header as well (BITMAPINFOHEADER and its kin): texts begin with BM, too.
    BMP: re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL),
    HEIC: re.compile(rb".{4}ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL),  # ISO/IEC 23008-12, 10
    JPEG: re.compile(rb"\xff\xd8\xff"),
    PNG: re.compile(rb"\x89PNG\r\n\x1a\n"),
    TIFF: re.compile(rb"II[*+]\0|MM\0[*+]"),
}


def is_picture(media_type: str) -> bool:
    """Whether files of this type are pictures that can be read."""
    return media_type.partition(";")[0].strip().lower() in _PICTURES


def picture_by_content(data: bytes) -> str | None:
    """Media type of a picture by what it begins with."""
    return next((media_type for media_type, begins in _SIGNATURES.items() if begins.match(data)), None)
