"""Kanji and signs that vendors put into the free rows of JIS X 0208, such as ① and ㈱ in row 13, and 髙.

Everybody writes them, in EUC-JP and ISO-2022-JP as well, and Python's codecs know them in cp932 alone. The tables of
https://encoding.spec.whatwg.org/#index-jis0208 have them.
"""

from __future__ import annotations

import codecs

REPLACE = "headrace.replace_jis"
"""Error handler for `bytes.decode`: as `replace`, but for pairs of bytes that cp932 knows under another number."""
_BELOW = {"euc_jp": 0xA0, **dict.fromkeys(("iso2022_jp", "iso2022_jp_2", "iso2022_jp_ext"), 0x20)}
"""The byte below the first that a character may have, by encoding."""


def _replace_jis(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + 2]
    is_jis = len(pair) == 2 and min(pair) > _BELOW.get(error.encoding, 0xFF)
    kanji = _shifted(pair[0] & 0x7F, pair[1] & 0x7F).decode("cp932", errors="ignore") if is_jis else ""
    return (kanji, error.start + 2) if len(kanji) == 1 else ("\ufffd", error.end)


def _shifted(row: int, cell: int) -> bytes:
    """A character's two bytes in Shift_JIS, by those in JIS (each from 0x21 on)."""
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    return bytes((lead, cell + (0x7E if row % 2 == 0 else 0x1F if cell < 0x60 else 0x20)))


codecs.register_error(REPLACE, _replace_jis)
