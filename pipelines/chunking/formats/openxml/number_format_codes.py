"""Number format codes of Office (ECMA-376-1, 18.8.31), taken apart: `#,##0.00;[Red]-#,##0.00;"none";@`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias

# fmt: off
TokenKind: TypeAlias = Literal[
    "literal", "digit", "point", "comma", "percent", "exponent", "slash",
    "date", "elapsed", "half_day", "general", "text",
]
# fmt: on


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a section; `text` is what a literal shows, else the code."""

    kind: TokenKind
    text: str


@dataclass(frozen=True, slots=True)
class Condition:
    """`[>=100]`: for which values a section is."""

    comparison: str
    limit: float

    def holds(self, value: float) -> bool:
        return _COMPARISONS[self.comparison](value, self.limit)


@dataclass(frozen=True, eq=False)  # told apart by identity, which makes it a cheap key
class Section:
    """One way to show a value. `locale` is a Windows language id, 0 where none is given."""

    tokens: tuple[Token, ...]
    condition: Condition | None
    locale: int

    @cached_property
    def kinds(self) -> frozenset[str]:
        return frozenset(token.kind for token in self.tokens)

    def has(self, kind: TokenKind) -> bool:
        return kind in self.kinds


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
}
_CODE = re.compile(
    r"""
    "(?P<quoted>[^"]*)"?
  | \\(?P<escaped>.)
  | _(?P<space>.)
  | \*(?P<fill>.)
  | \[(?P<bracket>[^\]]*)\]?
  | (?P<general>general)
  | (?P<half_day>am/pm|a/p|上午/下午|午前/午後)
  | (?P<exponent>e[+-])
  | (?P<date>y+|m+|d+|h+|s+|e+|g+|b+|a{3,4})
  | (?P<digit>[0#?])
  | (?P<point>\.)
  | (?P<comma>,)
  | (?P<percent>%)
  | (?P<slash>/)
  | (?P<text>@)
  | (?P<end>;)
  | (?P<literal>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[\d.]+(?:e[+-]?\d+)?)$", re.IGNORECASE)
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_CURRENCY = re.compile(r"\$(?P<sign>[^-]*)(?:-(?P<locale>.*))?", re.DOTALL)
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{1,8}$")
LONG_DATE, LONG_TIME = 0xF800, 0xF400
"""In the place of a language: the form of the reader's system."""
ENGLISH = 0x09
_OTHER = 0x01
_LONGEST = 4
"""Sections that count: for positive and negative numbers, zero, and text."""


@lru_cache(maxsize=1024)
def sections_of(code: str) -> tuple[Section, ...]:
    """The sections of a code, at least one, at most four."""
    sections = []
    reader = _SectionReader()
    for found in _CODE.finditer(code[:1000]):  # Excel takes 255 characters
        if found.lastgroup == "end":
            sections.append(reader.section())
            reader = _SectionReader()
        else:
            reader.take(found.lastgroup or "literal", found[found.lastgroup or 0])
    sections.append(reader.section())
    return tuple(sections[:_LONGEST])


class _SectionReader:
    def __init__(self) -> None:
        self._tokens: list[Token] = []
        self._condition: Condition | None = None
        self._locale = 0

    def take(self, group: str, text: str) -> None:
        match group:
            case "quoted" | "escaped" | "literal":
                self._tokens.append(Token("literal", text))
            case "space":
                self._tokens.append(Token("literal", " "))
            case "fill":  # repeated as often as the column is wide
                pass
            case "bracket":
                self._take_bracket(text)
            case "date" | "half_day" | "exponent" | "general":
                self._tokens.append(Token(group, text.lower()))
            case "digit" | "point" | "comma" | "percent" | "slash" | "text":
                self._tokens.append(Token(group, text))

    def _take_bracket(self, text: str) -> None:
        """Elapsed time, a condition, a currency and language; colours and digits of other scripts are left out."""
        if _ELAPSED.fullmatch(text):
            self._tokens.append(Token("elapsed", text.lower()))
        elif found := _CONDITION.match(text):
            self._take_condition(found[1], found[2])
        elif found := _CURRENCY.match(text):
            if found["sign"]:
                self._tokens.append(Token("literal", found["sign"]))
            self._locale = _locale(found["locale"] or "0")

    def _take_condition(self, comparison: str, limit: str) -> None:
        try:
            self._condition = Condition(comparison, float(limit))
        except ValueError:  # "1.2.3"
            self._condition = None

    def section(self) -> Section:
        return Section(tuple(self._tokens), self._condition, self._locale)


def _locale(name: str) -> int:
    """The id of a language that is given by its id or, by newer programs, by its name: `409`, `en-US`."""
    if _HEXADECIMAL.match(name):
        return int(name, 16)
    names = {"x-sysdate": LONG_DATE, "x-systime": LONG_TIME, "en": ENGLISH}
    return names.get(name.lower(), names.get(name[:2].lower(), _OTHER))


def section_for(sections: Sequence[Section], value: float) -> tuple[Section, bool]:
    """The section for a number, and whether it shows the sign itself. The last one is for text if it has an `@`."""
    numeric = sections[:-1] if len(sections) > 1 and sections[-1].has("text") else sections[:3]
    conditions = [section for section in numeric[:2] if section.condition]
    if conditions:
        for section in conditions:
            if section.condition and section.condition.holds(value):
                return section, section.condition.comparison in ("<", "<=") and section.condition.limit <= 0
        return numeric[min(len(conditions) if numeric[0].condition else 0, len(numeric) - 1)], False
    if value < 0 and len(numeric) > 1:
        return numeric[1], True
    if value == 0 and len(numeric) > 2:
        return numeric[2], False
    return numeric[0], False


def text_section(sections: Sequence[Section]) -> Section | None:
    """The section for text; None where text is shown as it is."""
    return sections[-1] if sections[-1].has("text") or len(sections) == _LONGEST else None
