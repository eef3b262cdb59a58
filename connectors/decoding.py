"""Bytes as text: the one place where that is decided, for all sources and all formats. Pure.

What is tried, in this order: a byte order mark, the pattern of zero bytes of UTF-16 and UTF-32, the escapes of
ISO 2022, UTF-8, what the text or its sender declares, UTF-8 with a few bad bytes, what the letters say, Windows-1252.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from connectors.encoding_detection import DEFAULT, FEW_HIGH_BYTES, Detection, detect_encoding, score_encoding
from connectors.noise import HIGH_BYTES, count_bytes, is_high_noise, is_noise
from connectors.vendor_kanji import REPLACE
from connectors.zero_bytes import WIDE_MARKS, find_wide_encoding, is_utf8, replace_zeros

_ESCAPES = (
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$(O", "iso2022_jp_3"),
    (b"\x1b$(Q", "iso2022_jp_2004"),
    (b"\x1b(I", "iso2022_jp_ext"),
    (b"\x1b$", "iso2022_jp_2"),
    (b"\x1b(J", "iso2022_jp_2"),
)
_HZ = re.compile(rb"~\{(?:[0-W][!-~]){2}(?:[!-w][!-~])*?~\}")
"""Chinese that begins with two characters of those in use, as RFC 1843 writes it."""
_STRUCK_OVER, _WENT_BACK = re.compile(r"[^\n\x08]\x08(?!\x08)"), re.compile(r"\x08+")
"""How printers write bold letters and underline, and how programs show progress."""
_MULTIBYTE = re.compile(rb"[\xc3-\xf4][\x80-\xbf]")
"""How a character of several bytes begins in UTF-8."""
_ZERO_BLOCK = re.compile("\0{4,}")
_SURROGATES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
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
    **dict.fromkeys(("ascii", "iso8859-1", "latin-1", "ansi", "default", "unknown-8bit"), DEFAULT),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "x-sjis", "sjis", "ms932", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc_kr", "ks_c_5601-1987", "ks_c_5601", "ksc5601", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-x-big5", "cn-big5"), "big5hkscs"),
    **{"iso2022_jp": "iso2022_jp_2", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874"},
    **{"macintosh": "mac_roman", "x-mac-roman": "mac_roman", "x-mac-cyrillic": "mac_cyrillic"},
    **{"unicode-1-1-utf-7": "utf-7", "unicode": "utf-16", "dos-720": "cp720", "hz-gb-2312": "hz"},
}
_NO_TEXT = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_SEVERAL_BYTES = frozenset({"cp932", "euc_jp", "gb18030", "big5hkscs", "cp949", "johab"})
"""Encodings as which other texts can hardly be decoded without errors."""
_SINGLE = 0.8
_EBCDIC_SPACES = 0.05
_LOOKED_AT = 20_000
_UNFIT = re.compile("[\x80-\x9f\ufffd]")
_MARGIN, _MARGIN_OF_FEW = 0.15, 0.5
"""A declared charset has to read worse by this than the best one, to be given up; the second where a text has few
bytes that tell."""


class UnknownEncoding(Exception):
    """Bytes that are a text in no known encoding."""


def decode(data: bytes, content_type: str = "") -> str:
    """The text of `data`; `content_type` may have a charset as parameter. Raises UnknownEncoding for noise."""
    text = _decode(data, content_type)
    if "\b" in text:
        text = _WENT_BACK.sub(" ", _STRUCK_OVER.sub("", text))
    if is_noise(text) or ("\0" in text and not is_utf8(data)):
        raise UnknownEncoding
    return text


def decode_leniently(data: bytes, charset: str = "") -> str:
    """As `decode`, for a part of something that is worth reading in any case: noise becomes what it becomes."""
    try:
        return _decode(data, f";charset={charset}" if charset else "")
    except UnknownEncoding:
        return data.decode(DEFAULT, errors="replace")


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
    for mark, encoding in WIDE_MARKS:
        if data.startswith(mark):
            return _decode_wide(data[len(mark) :], encoding)
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        data = replace_zeros(data) or data
    declared = list(_declared(data, content_type))
    seven_bit = next((one for one in declared if one in _SEVEN_BIT), None)
    if wide := find_wide_encoding(data):
        return _decode_wide(data, wide)
    if known := _escaped(data) or seven_bit:
        return data.decode(known, errors=REPLACE)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and len(_MULTIBYTE.findall(data, 0, error.start)) > 2:
            return data.decode(errors="replace")
        return _decode_lines(_SURROGATES.sub(_joined, data), declared)


def _decode_wide(data: bytes, encoding: str) -> str:
    """UTF-16 or UTF-32, without blocks of zeros that a power cut left."""
    text = data.decode(encoding, errors="replace")
    return _ZERO_BLOCK.sub("\n", text) if "\0" in text and text.strip("\0") else text


def _joined(pair: re.Match[bytes]) -> bytes:
    """A character in UTF-8 that is written as the two of UTF-16 (CESU-8, https://www.unicode.org/reports/tr26/)."""
    return pair[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _decode_lines(data: bytes, declared: list[str]) -> str:
    """Text that is not wholly UTF-8, of which lines may be, since many programs wrote into it."""
    firm = [one for one in declared if one in _SEVERAL_BYTES and _fits(data, one)]
    if firm and score_encoding(data, firm[0]) > max(0, score_encoding(data, "utf-8")):
        return data.decode(firm[0], errors=REPLACE)
    lines = data.splitlines(keepends=True)
    is_utf8 = [_is_mostly_utf8(line) for line in lines]
    unicode = b"".join(line for line, fits in zip(lines, is_utf8, strict=True) if fits and not line.isascii())
    if unicode:
        rest = b"".join(line for line, fits in zip(lines, is_utf8, strict=True) if not fits)
        encoding = _find_encoding_of_rest(rest, declared)
        if score_encoding(unicode, "utf-8") >= score_encoding(unicode, encoding):
            codecs_of_lines = ("utf-8" if fits else encoding for fits in is_utf8)
            pairs = zip(lines, codecs_of_lines, strict=True)
            return "".join(line.decode(codec, errors=REPLACE) for line, codec in pairs)
    return data.decode(_find_legacy_encoding(data, declared), errors=REPLACE)


def _find_encoding_of_rest(lines: bytes, declared: list[str]) -> str:
    """The encoding of the lines that are not UTF-8; noise among others is shown as such, and costs no file."""
    try:
        encoding = _find_legacy_encoding(lines, declared) if lines else "utf-8"
    except UnknownEncoding:
        return "utf-8"
    return "utf-8" if encoding.startswith("utf_16") else encoding  # which has no lines of bytes


def _is_mostly_utf8(line: bytes) -> bool:
    if line.isascii():
        return True
    bad = line.decode(errors="replace").count("\ufffd")
    good = sum(1 for _ in _MULTIBYTE.finditer(line)) if bad else 0
    # Other encodings hold such pairs by chance, and far more that are none.
    return not bad or good >= 2 * bad or good == bad == 1


def _find_legacy_encoding(data: bytes, declared: list[str]) -> str:
    """The encoding of what is no UTF-8. Raises UnknownEncoding for noise."""
    found = detect_encoding(data)
    for encoding in declared:
        if encoding != "utf-8" and _is_credible(data, encoding, found):
            return encoding
    encoding = found.encoding if found else DEFAULT
    # One byte a character, as scripts with spaces have it. Thai has few, but for the @ that is EBCDIC's space.
    has_spaces = len(data[:_LOOKED_AT].decode(encoding, errors=REPLACE)) > _SINGLE * len(data[:_LOOKED_AT])
    has_spaces &= encoding != "cp874" or data.count(b"@") > _EBCDIC_SPACES * len(data)
    if is_high_noise(data, reads_as_words=found is not None, has_spaces=has_spaces):
        raise UnknownEncoding
    # Nobody writes the sign for any currency, which is at the place of the euro in ISO 8859-15.
    return "iso8859_15" if encoding == DEFAULT and b"\xa4" in data else encoding


def _is_credible(data: bytes, declared: str, found: Detection | None) -> bool:
    if found is None or declared == found.encoding:
        return True
    score = score_encoding(data, declared)
    few = count_bytes(data, HIGH_BYTES) < FEW_HIGH_BYTES
    if (few or declared in _SEVERAL_BYTES) and _fits(data, declared):
        return score > 0
    return score > found.score - (_MARGIN_OF_FEW if few else _MARGIN)


def _fits(data: bytes, encoding: str) -> bool:
    """Whether `data` is decoded without an error, as far as it is looked at."""
    text = data[:_LOOKED_AT].decode(encoding, errors=REPLACE)
    return not _UNFIT.search(text[:-1] if len(data) > _LOOKED_AT else text)


def _declared(data: bytes, content_type: str) -> Iterator[str]:
    """Codecs that a text or its sender names, the sender's first."""
    if found := _PARAMETER.search(content_type):
        yield from filter(None, [find_codec(found[1])])
    for declaration in _DECLARATIONS:
        if named := declaration.search(data[:_DECLARED_WITHIN]):
            yield from filter(None, [find_codec(named[1].decode("ascii", "replace"))])


def _escaped(data: bytes) -> str | None:
    """The kind of ISO 2022 in which a text without high bytes is (RFC 1468, RFC 1557), or HZ."""
    if not data.isascii() or not (b"\x1b" in data or (b"~" in data and b"~{" in data)):  # one byte is found faster
        return None
    for escape, encoding in _ESCAPES:
        if escape in data:
            return None if is_noise(data.decode(encoding, errors=REPLACE)) else encoding
    return "hz" if _HZ.search(data) else None
