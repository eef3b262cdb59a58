"""Which encoding a text without a declaration is in, by the letters that it would have in each. Pure.

Written here since charset-normalizer 3.5, which other packages bring along, found 46 of 60 texts of one to three lines
(`tests/connectors/test_decoding.py` has such texts): it took Shift-JIS for Korean, Hebrew for Russian, and French and
Spanish for Czech. What is written here found 59 of 59, in some 10 milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from connectors.letter_frequencies import (
    ARABIC,
    BALTIC,
    CENTRAL,
    CYRILLIC,
    GREEK,
    HAN,
    HANGUL,
    HEBREW,
    LATIN,
    PERSIAN,
    THAI,
    TURKISH,
)
from connectors.noise import HIGH_BYTES, count_bytes
from connectors.vendor_kanji import REPLACE

_SAMPLE_BYTES = 2_000
"""So much of the lines that hold more than ASCII is looked at."""
FEW_HIGH_BYTES = 10
"""Below so many bytes over 0x7F a guess is weak, and Windows-1252 has the benefit of the doubt."""
_LIKELY = 0.3
"""What an encoding has to score at least; see `_score`."""
DEFAULT = "cp1252"
"""What is taken where nothing else is clear."""
_BENEFIT, _BENEFIT_OF_FEW = 0.1, 0.35
_WIDE = ("utf_16_le", "utf_16_be")
"""Chinese, Japanese and Korean without a space or a line end have no zero byte in these."""

_HAN_LEVELS = (("gb2312", range(0xB0, 0xD8)), ("big5", range(0xA4, 0xC7)), ("euc_jp", range(0xB0, 0xD0)))
"""The rows of the characters that people use (level 1); the others of each standard are rare."""
_HANGUL_LEVEL = ("euc_kr", range(0xB0, 0xC9))
_VENDOR_KANJI = "髙﨑德濵"
_VENDOR_SIGNS = (
    "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ㍉㌔㌢㍍㌘㌧㌃㌶㍑㍗㌍㌦㌣㌫㍊㌻㎜㎝㎞㎎㎏㏄㎡㍻〝〟№㏍℡㊤㊥㊦㊧㊨㈱㈲㈹㍾㍽㍼"
)

_HIRAGANA = range(0x3041, 0x3097)
_KATAKANA = range(0x30A1, 0x30FD)
_HALF_WIDTH_KANA = range(0xFF61, 0xFFA0)
_VOICED = frozenset("ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ")
"""Half-width kana before which the marks of voice may stand."""
_HAN_RANGE = range(0x4E00, 0xA000)
_HANGUL_RANGE = range(0xAC00, 0xD7A4)
_CJK_PUNCTUATION = frozenset("、。「」『』（），！？：；・ー〜～々〆〇《》【】　“”‘’…—·０１２３４５６７８９")
_PUNCTUATION = frozenset("«»„“”‘’‚–—…•·°§¶†©®™€£№×±÷½¼¾²³µ\u00a0")
_BESIDE_NUMBERS, _AFTER_NUMBERS = frozenset("¶½¼¾£€"), frozenset("¶½¼¾µ€")
"""Signs before and after which no letter stands."""
_APOSTROPHES = frozenset("’‘'·\u00ad-־״׳")
_WORDS_OF_ONE = frozenset("àáâäåæèéêíîóôöøúü")
_FINAL = frozenset("ςךםןףץ")
"""Letters that stand at the end of words alone."""
_ALPHABETS_APART = frozenset(map(chr, (*range(0x370, 0x700), *range(0xE00, 0xE80))))
"""Greek, Cyrillic, Hebrew, Arabic and Thai letters: words of theirs hold no ASCII ones."""
_THAI_FIRST, _THAI_MARKS = frozenset("เแโใไ"), frozenset("ัิีึืฺุู็่้๊๋์ํ")
"""Vowels before their consonant, and marks over and under it."""
_LATIN_END = "\u0250"

_SIGNS = re.compile(
    r"[’·\u00ad\u00a0–—×±÷]|[”»›™®‰…](?![A-Za-z])|(?<![A-Za-z])(?:[“„‚«‹‘©•]|[¡¿](?=\w)|[£€¥¢§¶†](?![A-Za-z]))"
    r"|(?<=[0-9])[€£¢ªº½¼¾]|°(?=[CFKNSEWO]?\b|\W|\Z)|(?<![A-Za-z])(?:[½¼¾](?![A-Za-z])|µ(?=[msglAFVWH]))|(?<=m)[²³]"
)
"""Signs of Windows-1252 as they stand beside ASCII; elsewhere the same bytes are letters of other encodings."""


Weights: TypeAlias = Mapping[str, float]
"""How likely characters are in texts of one language: 1 for its most frequent letter, 0 for its rarest."""


@dataclass(frozen=True, slots=True)
class Detection:
    """An encoding, and how well the bytes read in it: up to about 1."""

    encoding: str
    score: float


def detect_encoding(data: bytes) -> Detection | None:
    """The encoding in which `data` reads best; None where it reads badly in all of them.

    For what is neither ASCII nor UTF-8.
    """
    sample = _sample(data)
    if _has_signs_alone(sample):
        return Detection(DEFAULT, 1)
    detections = [Detection(encoding, _score_in(sample, encoding)) for encoding in _single_and_multibyte()]
    if len(data) % 2 == 0:
        detections += [Detection(encoding, _score_in(data[:_SAMPLE_BYTES], encoding)) for encoding in _WIDE]
    best = max(detections, key=lambda detection: detection.score)
    return best if best.score > _LIKELY else None


def score_encoding(data: bytes, encoding: str) -> float:
    """How well `data` reads in an encoding, in the language in which it reads best: from -3 to about 1."""
    text = _sample(data).decode(encoding, errors=REPLACE)
    return max(_score(text, weights) for weights in _every_language())


def _has_signs_alone(sample: bytes) -> bool:
    """Whether quotation marks, dashes and the like are all that a text has beyond ASCII."""
    return _SIGNS.sub("", sample.decode(DEFAULT, errors="replace")).isascii()


def _score_in(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, errors=REPLACE)
    score = max(_score(text, weights) for weights in _languages()[encoding])
    if encoding != DEFAULT:
        return score
    few = count_bytes(sample, HIGH_BYTES) < FEW_HIGH_BYTES
    return score + (_BENEFIT_OF_FEW if few else _BENEFIT)


def _sample(data: bytes) -> bytes:
    """The first lines that hold more than ASCII."""
    lines: list[bytes] = []
    room = _SAMPLE_BYTES
    for found in re.finditer(rb"[^\n]*[\x80-\xff][^\n]*", data):
        lines.append(found[0][:room])
        room -= len(lines[-1])
        if room <= 0:
            break
    return b"\n".join(lines)


def _score(text: str, weights: Weights) -> float:
    """Mean weight of the characters beyond ASCII, from -3 to about 1; each judged beside the one before it."""
    total, count, before = 0.0, 0, " "
    for character, after in zip(text, f"{text[1:]} ", strict=True):
        if character > "\x7f":
            total += _weight(before, character, after, weights)
            count += 1
        before = character
    return total / count if count else 0.0


def _weight(before: str, character: str, after: str, weights: Weights) -> float:
    if character == "\ufffd" or "\x80" <= character <= "\x9f":
        return -3
    known = weights.get(character)
    if known is None and (known := weights.get(character.lower())) is not None:
        if before.islower():
            return -1  # a capital inside a word
        known -= 0.1
    if known is not None:
        return -1 if _is_odd_neighbour(before, character, after) else 0.5 + known / 2
    in_word = _in_word(before, character, after) or (character in _BESIDE_NUMBERS and after.isalpha())
    if in_word or character not in _PUNCTUATION or (character in _AFTER_NUMBERS and before.isalpha()):
        return -1
    return 0.3


def _is_odd_neighbour(before: str, character: str, after: str) -> bool:
    """Whether scripts meet inside a word; or no ASCII letter stands beside one of a language that is mostly ASCII."""
    if character in _FINAL and after.isalpha():
        return True
    if "\uff61" <= character <= "\uff9f":
        return _is_odd_kana(before, character, after)
    if character < _LATIN_END and _stands_alone(before, character, after):
        return True
    if character in _THAI_FIRST or character in _THAI_MARKS:
        return not "ก" <= (after if character in _THAI_FIRST else before) <= "ฮ" and before not in _THAI_MARKS
    if character in _ALPHABETS_APART:
        is_index = before.isdecimal() and not after.isalpha()
        return is_index or _is_ascii_letter(before) or _is_ascii_letter(after)
    return character < _LATIN_END and all(beside > "\x7f" and beside.isalpha() for beside in (before, after))


def _stands_alone(before: str, letter: str, after: str) -> bool:
    """Whether a letter is a word of its own, which few are, or beside a number."""
    beside = before.isalpha() or after.isalpha() or after in _APOSTROPHES
    return letter.lower() not in _WORDS_OF_ONE and not beside


def _is_odd_kana(before: str, character: str, after: str) -> bool:
    """Whether half-width kana stands as none stands: alone, in a word of ASCII, or with a mark of voice that it lacks.

    Each byte from 0xA1 to 0xDF is one of them, so that they come out of texts in any other encoding.
    """
    if character in "ﾞﾟ":
        return before not in _VOICED
    alone = not any("\uff61" <= beside <= "\uff9f" for beside in (before, after))
    return alone or _is_ascii_letter(before) or _is_ascii_letter(after)


def _is_ascii_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _in_word(before: str, character: str, after: str) -> bool:
    return before.isalpha() and after.isalpha() and character not in _APOSTROPHES


def _single_and_multibyte() -> list[str]:
    return [encoding for encoding in _languages() if encoding not in _WIDE]


@cache
def _every_language() -> tuple[Weights, ...]:
    return tuple({id(weights): weights for languages in _languages().values() for weights in languages}.values())


@cache
def _languages() -> Mapping[str, Sequence[Weights]]:
    """Each encoding with its languages; the first is taken where a text is the same in several."""
    latin, central, turkish, baltic = map(_alphabets, (LATIN, CENTRAL, TURKISH, BALTIC))
    cyrillic, arabic = map(_alphabets, (CYRILLIC, (ARABIC, PERSIAN)))
    greek, hebrew, thai = map(_alphabets, ((GREEK,), (HEBREW,), (THAI,)))
    japanese, chinese, korean = [_japanese()], [_chinese()], [_korean()]
    return {
        **{DEFAULT: latin, "cp932": japanese, "euc_jp": japanese},
        **{"gb18030": chinese, "big5hkscs": chinese, "cp949": korean, "johab": korean},
        **{"cp1251": cyrillic, "koi8_u": cyrillic, "cp866": cyrillic, "iso8859_5": cyrillic, "mac_cyrillic": cyrillic},
        **{"cp1253": greek, "iso8859_7": greek, "cp737": greek, "cp1255": hebrew, "cp862": hebrew},
        **{"cp1256": arabic, "iso8859_6": arabic, "cp874": thai, "cp1254": turkish, "cp857": turkish},
        **{"cp1250": central, "iso8859_2": central, "cp852": central, "iso8859_16": central},
        **{"cp1257": baltic, "cp850": latin, "cp437": latin, "mac_roman": latin},
        **{encoding: [*japanese, *chinese, *korean] for encoding in _WIDE},
    }


def _alphabets(languages: Sequence[str]) -> list[Weights]:
    return [{letter: 1 - rank / len(letters) for rank, letter in enumerate(letters)} for letters in languages]


def _japanese() -> Weights:
    kana = dict(_each(_HIRAGANA, 1.0)) | dict(_each(_KATAKANA, 0.9)) | dict(_each(_HALF_WIDTH_KANA, 0.3))
    return _han(common=0.8) | dict.fromkeys(_VENDOR_KANJI, 0.4) | dict.fromkeys(_VENDOR_SIGNS, 0.2) | kana


def _chinese() -> Weights:
    kana = dict(_each(_HIRAGANA, -0.5)) | dict(_each(_KATAKANA, -0.5))
    return _han(common=1.0) | kana


def _korean() -> Weights:
    syllables = dict(_each(_HANGUL_RANGE, -0.6)) | dict.fromkeys(_level(*_HANGUL_LEVEL), -0.4)
    return _han(common=-0.4, known=-0.8) | syllables | dict.fromkeys(HANGUL, 1.0)


def _han(common: float, known: float = -0.2) -> dict[str, float]:
    levels = dict.fromkeys("".join(_level(*level) for level in _HAN_LEVELS), known)
    rest = dict(_each(_HAN_RANGE, -0.8)) | levels
    return rest | dict.fromkeys(HAN, common) | dict.fromkeys(_CJK_PUNCTUATION, 0.6)


@cache
def _level(encoding: str, rows: range) -> str:
    cells = [cell for cell in range(0x40, 0xFF) if encoding == "big5" or cell > 0xA0]
    return bytes(byte for row in rows for cell in cells for byte in (row, cell)).decode(encoding, errors="ignore")


def _each(characters: range, weight: float) -> Iterator[tuple[str, float]]:
    return ((chr(number), weight) for number in characters)
