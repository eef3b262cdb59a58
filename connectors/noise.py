"""What is no text, told by its characters or its bytes. Pure."""

from __future__ import annotations

import re

_ODD = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd\ufffe\uffff]")
"""Characters that no text holds; an escape begins the colours of a terminal's log."""
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\v\f\r\x1b"})
_LOOKED_AT = 100_000
"""Characters, or bytes, that are looked at."""
NOISE_SHARE = 0.05
_FEW_KINDS, _SEPARATORS_AT_MOST = 2, 0.4
_NEVER_SEPARATORS = frozenset(("\0", "\ufffd", "\ufffe", "\uffff", *map(chr, range(0x7F, 0xA0))))
"""What divides fields of FIX messages and of old databases, and strikes letters over, is one or two others, often."""
HIGH_BYTES = bytes(range(0x80, 0x100))
_SEPARATORS = b"\t\n\r" + bytes(range(0x20, 0x40))
_ENOUGH_BYTES = 40
_SOME_HIGH, _MOSTLY_HIGH = 0.3, 0.6
_SEPARATORS_SHARE = 0.06


def count_bytes(data: bytes, kinds: bytes) -> int:
    """How many bytes of `data` are among `kinds`."""
    return len(data) - len(data.translate(None, kinds))


def is_noise(text: str) -> bool:
    """Whether a text holds more control and replacement characters than one that somebody wrote."""
    looked_at = text[:_LOOKED_AT]
    odd = (
        count_bytes(looked_at.encode(), _CONTROLS) if looked_at.isascii() else sum(1 for _ in _ODD.finditer(looked_at))
    )
    if odd <= max(1, len(looked_at) * NOISE_SHARE):
        return False
    kinds = set(_ODD.findall(looked_at))
    return len(kinds) > _FEW_KINDS or bool(kinds & _NEVER_SEPARATORS) or odd > _SEPARATORS_AT_MOST * len(looked_at)


def is_high_noise(data: bytes, reads_as_words: bool, has_spaces: bool) -> bool:
    """Whether bytes, of which many are beyond ASCII, are letters of nothing: such as read as words in no encoding, or
    nothing but letters in one of a script that has spaces, as EBCDIC, 8-bit sound and erased blocks do."""
    sample = data[:_LOOKED_AT]
    high = count_bytes(sample, HIGH_BYTES)
    if len(sample) < _ENOUGH_BYTES or high < _SOME_HIGH * len(sample):
        return False
    separators = count_bytes(sample, _SEPARATORS)
    if has_spaces and separators < _SEPARATORS_SHARE * len(sample):
        return True
    return not reads_as_words and high > _MOSTLY_HIGH * (len(sample) - separators)
