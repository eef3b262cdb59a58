"""Bytes as text: the one place where that is decided, for all sources and all formats. Pure.

What is tried, in this order: a byte order mark, the pattern of zero bytes of UTF-16 and UTF-32, the escapes of
ISO 2022, UTF-8, what the text or its sender declares, UTF-8 with a few bad bytes, what the letters say, Windows-1252.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from connectors.encoding_detection import detect_encoding, score_encoding

_DEFAULT = "cp1252"
# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ESCAPES = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$", "iso2022_jp_2"), (b"\x1b(J", "iso2022_jp_2"))
_SEVEN_BIT = frozenset({"hz", "utf-7"})
_DECLARED_WITHIN = 4_096
"""Bytes that are searched for a declaration; https://html.spec.whatwg.org/multipage/semantics.html#charset asks for
the first 1,024, and people put styles before it."""
_DECLARATIONS = (
    re.compile(rb"\A\s*<\?xml[^>]{1,200}?encoding\s*=\s*[\"']([\w.:-]+)"),
    re.compile(rb"<meta[^>]{1,500}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE),
    re.compile(rb"\A\s*@charset\s+\"([\w.:-]+)"),
    # PEP 263, and Emacs' way of saying it in other languages.
    re.compile(rb"\A(?:[^\n]{0,500}\n)?[ \t\f]*(?:#|//|;|--|/\*|\.\.|%)[^\n]{0,200}?coding[:=][ \t]*([\w.-]+)"),
)
_PARAMETER = re.compile(r";\s*charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
_ALIASES = {
    # As https://encoding.spec.whatwg.org/#names-and-labels has them: what says the smaller set means the larger one.
    **dict.fromkeys(("ascii", "iso8859-1", "latin-1", "ansi", "default", "unknown-8bit"), _DEFAULT),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "x-sjis", "sjis", "ms932", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc_kr", "ks_c_5601-1987", "ks_c_5601", "ksc5601", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-x-big5", "cn-big5"), "big5hkscs"),
    **{"iso2022_jp": "iso2022_jp_2", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874"},
    **{"macintosh": "mac_roman", "x-mac-roman": "mac_roman", "x-mac-cyrillic": "mac_cyrillic"},
    **{"unicode-1-1-utf-7": "utf-7", "unicode": "utf-16", "dos-720": "cp720", "hz-gb-2312": "hz"},
}
_NO_TEXT = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_ODD = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd\ufffe\uffff]")
"""Characters that no text holds; an escape begins the colours of a terminal's log."""
_HIGH_BYTES = bytes(range(0x80, 0x100))
_SIXTEEN = ("utf-16-le", "utf-16-be")
_MOSTLY_ASCII = 0.2
"""The share of zero bytes on one side from which on that side decides which kind of UTF-16 it is."""
_CONTROLS = bytes({*range(0x20)} - {*b"\t\n\f\r\x1b"})
_LOOKED_AT = 100_000
"""Characters that are looked at for noise."""
_NOISE_SHARE = 0.05
_DECLARED_BADLY_BY, _FEW_DECLARED_BADLY_BY = 0.15, 0.5
"""A declared charset has to read worse by this than the best one, to be given up; the second where a text has few
bytes that tell."""
_FEW_HIGH_BYTES = 10
_USUAL = re.compile(
    "[\t\n\r -\u024f\u0370-\u06ff\u0900-\u0e7f\u2010-\u20bf\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9f]"
)


class UnknownEncoding(Exception):
    """Bytes that are a text in no known encoding."""


def decode(data: bytes, content_type: str = "") -> str:
    """The text of `data`; `content_type` may have a charset as parameter. Raises UnknownEncoding for noise."""
    text = _decode(data, content_type)
    if is_noise(text) or ("\0" in text and not _is_utf8(data)):
        raise UnknownEncoding
    return text


def decode_leniently(data: bytes, charset: str = "") -> str:
    """As `decode`, for a part of something that is worth reading in any case: noise becomes what it becomes."""
    return _decode(data, f";charset={charset}" if charset else "")


def is_noise(text: str) -> bool:
    """Whether a text holds more control and replacement characters than one that somebody wrote."""
    looked_at = text[:_LOOKED_AT]
    odd = sum(1 for _ in _ODD.finditer(looked_at))
    return odd > max(1, len(looked_at) * _NOISE_SHARE)


def find_codec(charset: str) -> str | None:
    """Python's codec for the name of a charset as people and programs write it; None for an unknown one."""
    name = charset.strip(" \t\"'").partition(";")[0].strip().lower()
    # RFC 1556 has two more names for ISO 8859-6 and -8, which say how bidirectional text is stored.
    for spelled in (name, name.replace("-", "", 1), re.sub(r"^x-|^cs|-[ie]$", "", name), name.replace("windows", "cp")):
        if alias := _ALIASES.get(spelled):
            return alias
        try:
            codec = codecs.lookup(spelled).name
            "".encode(codec)  # refuses codecs that are for no text, as base64
        except (LookupError, ValueError, UnicodeError):
            continue
        return None if codec in _NO_TEXT else _ALIASES.get(codec, codec)
    return None


def _decode(data: bytes, content_type: str) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    declared = list(_declared(data, content_type))
    seven_bit = next((one for one in declared if one in _SEVEN_BIT), None)
    if known := _wide(data) or _escaped(data) or seven_bit:
        return data.decode(known, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _decode_legacy(data, declared)


def _decode_legacy(data: bytes, declared: list[str]) -> str:
    """Text that is not wholly UTF-8."""
    text = data.decode(errors="replace")
    bad = text.count("\ufffd")
    good = sum(1 for _ in re.finditer(rb"[\xc3-\xf4][\x80-\xbf]", data)) if bad else 0
    if good >= 2 * bad or good == bad == 1:  # other encodings hold such pairs by chance, and far more that are none
        return text
    found = detect_encoding(data)
    few = len(data) - len(data.translate(None, _HIGH_BYTES)) < _FEW_HIGH_BYTES
    margin = _FEW_DECLARED_BADLY_BY if few else _DECLARED_BADLY_BY
    for encoding in declared:
        if encoding != "utf-8" and (found is None or score_encoding(data, encoding) > found.score - margin):
            return data.decode(encoding, errors="replace")
    return data.decode(found.encoding if found else _DEFAULT, errors="replace")


def _declared(data: bytes, content_type: str) -> Iterator[str]:
    """Codecs that a text or its sender names, the sender's first."""
    if found := _PARAMETER.search(content_type):
        yield from filter(None, [find_codec(found[1])])
    for declaration in _DECLARATIONS:
        if named := declaration.search(data[:_DECLARED_WITHIN]):
            yield from filter(None, [find_codec(named[1].decode("ascii", "replace"))])


def _escaped(data: bytes) -> str | None:
    """The kind of ISO 2022 in which a text without high bytes is (RFC 1468, RFC 1557)."""
    if b"\x1b" not in data or not data.isascii():
        return None
    for escape, encoding in _ESCAPES:
        if escape in data:
            return None if is_noise(data.decode(encoding, errors="replace")) else encoding
    return None


def _wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32 by where the zero bytes are, which other texts do not have."""
    sample = data[:_DECLARED_WITHIN]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    is_plain = b"\0" not in sample and controls <= len(sample) * _NOISE_SHARE
    if is_plain or (len(data) % 2 and len(data) < 64):
        return None
    quarters = [sample[at::4].count(0) / max(1, len(sample) // 4) for at in range(4)]
    if len(sample) >= 4 and min(quarters[2:]) >= 0.7 and quarters[3] == 1 and quarters[0] < 0.5:
        return "utf-32-le"
    if len(sample) >= 4 and min(quarters[:2]) >= 0.7 and quarters[0] == 1 and quarters[3] < 0.5:
        return "utf-32-be"
    even, odd = (sample[at::2].count(0) / max(1, len(sample) // 2) for at in (0, 1))
    if max(even, odd) < _MOSTLY_ASCII and not is_noise(sample.replace(b"\0", b"").decode(errors="replace")):
        return None  # a stray zero byte or two
    if max(even, odd) >= _MOSTLY_ASCII:
        best = "utf-16-le" if odd > even else "utf-16-be"
    else:
        best = max(_SIXTEEN, key=lambda encoding: _usual_share(sample, encoding))
    return best if _usual_share(sample, best) > 0.9 else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _usual_share(sample: bytes, encoding: str) -> float:
    """The share of characters that are of widely used scripts."""
    text = sample[: len(sample) // 2 * 2].decode(encoding, errors="replace")
    return sum(1 for _ in _USUAL.finditer(text)) / max(1, len(text))
