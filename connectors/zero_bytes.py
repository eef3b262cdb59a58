"""Texts that hold zero bytes: those in UTF-16 and UTF-32, and others that zeros came into. Pure."""

from __future__ import annotations

import codecs
import re

from connectors.noise import NOISE_SHARE, count_bytes, is_noise

# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, and what they stand for."""

_SAMPLE_BYTES = 4_096
_SIXTEEN = ("utf-16-le", "utf-16-be")
_MOSTLY_ASCII = 0.2
"""The share of zero bytes on one side from which on that side decides which kind of UTF-16 it is."""
_ROW_SHARE = 0.6
_CONTROLS = bytes({*range(0x20)} - {*b"\t\n\f\r\x1b"})
_USUAL = re.compile(
    "[\t\n\r -\u024f\u0370-\u06ff\u0900-\u18af\u1e00-\u1fff\u2010-\u20bf\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3"
    "\uff01-\uff9f]"
)
_WIDE_PIECE = re.compile(rb"(?:\xff\xfe)?(?>(?:[\x01-\xff][\0-\x06]){8,})")
"""Latin, Greek, Cyrillic, Hebrew or Arabic in UTF-16."""
_ZEROS = re.compile(rb"\0+")
_BLOCK = 8
"""So many zero bytes together are no characters and no separators."""
_LONG_BLOCK = re.compile(rb"\0{16,}")
_WORDS = re.compile(rb"[A-Za-z\x80-\xff]{3,}")
_WORDS_SHARE = 0.3


def has_wide_mark(data: bytes) -> bool:
    """Whether a byte order mark says that `data` is UTF-16 or UTF-32."""
    return data.startswith(tuple(mark for mark, _ in WIDE_MARKS))


def find_wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 by where the zero bytes are, which other texts do not have."""
    sample = data[:_SAMPLE_BYTES]
    if b"\0" in sample:
        sample = _LONG_BLOCK.sub(lambda block: b"\0" * (len(block[0]) % 4), sample)
    controls = count_bytes(sample, _CONTROLS)
    is_of_one_script = controls > 0 and _has_rows(sample)
    is_plain = b"\0" not in sample and controls <= len(sample) * NOISE_SHARE and not is_of_one_script
    if is_plain or (len(data) % 2 and len(data) < 64):
        return None
    quarters = [sample[at::4].count(0) / max(1, len(sample) // 4) for at in range(4)]
    if len(sample) >= 4 and min(quarters[2:]) >= 0.7 and quarters[3] == 1 and quarters[0] < 0.5:
        return "utf-32-le"
    if len(sample) >= 4 and min(quarters[:2]) >= 0.7 and quarters[0] == 1 and quarters[3] < 0.5:
        return "utf-32-be"
    even, odd = (sample[at::2].count(0) / max(1, len(sample) // 2) for at in (0, 1))
    is_stray = max(even, odd) < _MOSTLY_ASCII and not is_of_one_script
    if is_stray and not is_noise(sample.replace(b"\0", b"").decode(errors="replace")):
        return None  # a stray zero byte or two
    if max(even, odd) >= _MOSTLY_ASCII:
        best = "utf-16-le" if odd > even else "utf-16-be"
    else:
        best = max(_SIXTEEN, key=lambda encoding: _usual_share(sample, encoding))
    return best if _usual_share(sample, best) > 0.9 else None


def _has_rows(sample: bytes) -> bool:
    """Whether every other byte is one by which line ends and tabs are written: the scripts of India in UTF-16."""
    return any(sample[side::2].count(row) > _ROW_SHARE * len(sample) / 2 for side in (0, 1) for row in b"\t\n\f\r")


def replace_zeros(data: bytes) -> bytes | None:
    """A text of narrow characters with line ends for its zero bytes: separators, or a block that a power cut left in a
    log. What was appended to it in UTF-16, as PowerShell does, becomes UTF-8. None for anything else."""
    outside = _WIDE_PIECE.sub(b"", data)
    plain = outside.replace(b"\0", b"")
    words = sum(len(word) for word in _WORDS.findall(outside))
    has_controls = count_bytes(plain, _CONTROLS) > len(plain) // 1_000
    if has_controls or not plain or words < _WORDS_SHARE * len(plain):
        return None
    text = _ZEROS.sub(b"\n", _WIDE_PIECE.sub(lambda piece: _narrow(piece[0]), data))
    in_blocks = outside == data and all(len(zeros[0]) >= _BLOCK for zeros in _ZEROS.finditer(data))
    return text if in_blocks or is_utf8(text) else None


def _narrow(piece: bytes) -> bytes:
    return piece.removeprefix(b"\xff\xfe").decode("utf-16-le", errors="replace").encode()


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _usual_share(sample: bytes, encoding: str) -> float:
    """The share of characters that are of widely used scripts."""
    text = sample[: len(sample) // 2 * 2].decode(encoding, errors="replace")
    return sum(1 for _ in _USUAL.finditer(text)) / max(1, len(text))
