"""Numbers as people see them in a sheet: `0.125` in the format `0.0%` is 12.5%.

What follows the reader's own locale is written as in ISO 8601 or, of numbers, in English. No library of the registry is
faithful: `ssf` has not been kept since 2020 and needs eight others, `xlfmt` drops the full stops of `dd.mm.yyyy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import floor, isfinite, log10

from pipelines.chunking.formats.openxml.date_formats import date_text, is_date
from pipelines.chunking.formats.openxml.number_format_codes import (
    Section,
    Token,
    section_for,
    sections_of,
    text_section,
)

BUILT_IN: Mapping[int, str] = {
    0: "General",
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: '"$"#,##0_);\\("$"#,##0\\)',
    6: '"$"#,##0_);\\("$"#,##0\\)',
    7: '"$"#,##0.00_);\\("$"#,##0.00\\)',
    8: '"$"#,##0.00_);\\("$"#,##0.00\\)',
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd hh:mm",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd"),
    **dict.fromkeys(range(32, 36), "hh:mm:ss"),
    37: "#,##0_);(#,##0)",
    38: "#,##0_);(#,##0)",
    39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);(#,##0.00)",
    41: "#,##0_);(#,##0);-_)",
    42: '"$"#,##0_);("$"#,##0);"$"-_)',
    43: "#,##0.00_);(#,##0.00);-_)",
    44: '"$"#,##0.00_);("$"#,##0.00);"$"-_)',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}
"""Codes of the formats that a file does not spell out (ECMA-376-1, 18.8.30); 14, 22, 27 to 36 and 50 to 58 are dates in
the form of the reader's locale, 5 to 8 and 41 to 44 the locale's currency."""
_WHOLE_DIGITS = 15
"""Excel knows no more digits of a number."""
_ROUNDING = Context(prec=2000, rounding=ROUND_HALF_UP)
"""Precise enough for 10 to the power of 308 with all places that a code can have."""
_UNUSED: Mapping[str, str] = {"0": "0", "?": " ", "#": ""}
"""What stands in a place that the number has no digit for."""
_GENERAL_WIDTH = 11
"""Characters that a number of no format takes at most."""


@lru_cache(maxsize=4096)
def number_text(value: float, code: str, *, since_1904: bool = False) -> str:
    """A number as the format `code` shows it, without the spaces around it that only align it.

    `since_1904` is whether dates are counted from 1904 and not from 1900.
    """
    if code in ("General", "") or not isfinite(value):
        return general_text(value)
    section, signed = section_for(sections_of(code), value)
    if is_date(section):
        return (date_text(value, section, since_1904=since_1904) or general_text(value)).strip()
    sign = "-" if value < 0 and not signed else ""
    return (sign + _section_text(abs(value), section)).strip()


def formatted_text(text: str, code: str) -> str:
    """A text as the format `code` shows it."""
    section = text_section(sections_of(code)) if code not in ("General", "@") else None
    if section is None:
        return text
    shown = (text if token.kind in ("text", "general") else token.text for token in section.tokens)
    return "".join(shown)


def general_text(value: float) -> str:
    """A number that has no format: up to 11 characters of it, but whole numbers whole, as people look for them."""
    if not isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 10**_WHOLE_DIGITS:
        return str(int(value))
    exponent = floor(log10(abs(value)))
    plain = f"{value:.12f}" if exponent < -5 else f"{value:.{max(0, min(9, 9 - exponent))}f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    if exponent < _GENERAL_WIDTH and len(plain.lstrip("-")) <= _GENERAL_WIDTH and plain.strip("-0."):
        return plain
    mantissa, _, power = f"{value:.5E}".partition("E")
    return f"{mantissa.rstrip('0').rstrip('.')}E{power}"


def _section_text(value: float, section: Section) -> str:
    """A number that is not negative."""
    tokens = section.tokens
    if section.has("general") or section.has("text"):
        return "".join(general_text(value) if token.kind in ("general", "text") else token.text for token in tokens)
    if not section.has("digit"):
        return "".join(token.text for token in tokens if token.kind != "comma")
    if section.has("exponent"):
        return _scientific(value, tokens)
    if section.has("slash"):
        return _fraction(value, tokens)
    return _decimal(_exact(value), _section_layout(section))


def _exact(value: float) -> Decimal:
    return Decimal(f"{value:.{_WHOLE_DIGITS}g}")


def _rounded(value: Decimal, scale: int, places: int) -> Decimal:
    """`value` times ten to the power of `scale`, to so many places after the point."""
    return value.scaleb(scale).quantize(Decimal((0, (1,), -places)), context=_ROUNDING)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The places of a code for digits. `scale` is the power of ten that a number is multiplied with."""

    whole: Sequence[Token]
    after: Sequence[Token]
    point: str
    whole_places: int
    places: int
    thousands: bool
    scale: int


def _layout(tokens: Sequence[Token]) -> _Layout:
    """Commas between places divide thousands, and one behind them stands for three more digits: `#,##0,`."""
    point = next((at for at, token in enumerate(tokens) if token.kind == "point"), len(tokens))
    whole, after = tokens[:point], tokens[point + 1 :]
    digits = [at for at, token in enumerate(whole) if token.kind == "digit"]
    between = whole[digits[0] : digits[-1]] if digits else ()
    commas = _commas_behind(whole) + _commas_behind(after)
    return _Layout(
        whole=[token for token in whole if token.kind != "comma"],
        after=[token for token in after if token.kind != "comma"],
        point="." if point < len(tokens) else "",
        whole_places=len(digits),
        places=sum(token.kind == "digit" for token in after),
        thousands=any(token.kind == "comma" for token in between),
        scale=2 * sum(token.kind == "percent" for token in tokens) - 3 * commas,
    )


_section_layout = lru_cache(maxsize=1024)(lambda section: _layout(section.tokens))


def _commas_behind(tokens: Sequence[Token]) -> int:
    last = max((at for at, token in enumerate(tokens) if token.kind == "digit"), default=-1)
    return sum(token.kind == "comma" for token in tokens[last + 1 :])


def _decimal(value: Decimal, layout: _Layout) -> str:
    """Digits in the places of a code."""
    digits, _, decimals = f"{_rounded(value, layout.scale, layout.places):f}".partition(".")
    return _whole_part(digits.lstrip("0"), layout) + layout.point + _decimals(decimals, layout.after)


def _whole_part(digits: str, layout: _Layout) -> str:
    """Digits from the right; the leftmost place takes all that are left."""
    places = layout.whole_places
    if not places:
        return "".join(token.text for token in layout.whole) + digits
    shown: list[str] = []
    count = 0
    for token in reversed(layout.whole):
        if token.kind != "digit":
            shown.append(token.text)
            continue
        places -= 1
        taken = digits[-1:] if places else digits
        digits = digits[:-1] if places else ""
        for digit in reversed(taken or _UNUSED[token.text]):
            if layout.thousands and count and count % 3 == 0 and digit != " ":
                shown.append(",")
            shown.append(digit)
            count += 1
    return "".join(reversed(shown))


def _decimals(digits: str, tokens: Sequence[Token]) -> str:
    needed = len(digits.rstrip("0"))
    shown = []
    place = 0
    for token in tokens:
        if token.kind == "digit":
            shown.append(digits[place] if place < needed else _UNUSED[token.text])
            place += 1
        else:
            shown.append(token.text)
    return "".join(shown)


def _scientific(value: float, tokens: Sequence[Token]) -> str:
    """`0.0E+00`; with several places before the point the power is a multiple of their number: `##0.0E+0`."""
    at = next(at for at, token in enumerate(tokens) if token.kind == "exponent")
    mantissa, power_tokens = tokens[:at], tokens[at + 1 :]
    point = next((place for place, token in enumerate(mantissa) if token.kind == "point"), at)
    step = max(sum(token.kind == "digit" for token in mantissa[:point]), 1)
    places = sum(token.kind == "digit" for token in mantissa[point:])
    number = _exact(value)
    power = number.adjusted() // step * step if number else 0
    rounded = _rounded(number, -power, places)
    if rounded.adjusted() >= step:
        power += step
        rounded = _rounded(number, -power, places)
    sign = "-" if power < 0 else "+" if tokens[at].text.endswith("+") else ""
    return f"{_decimal(rounded, _layout(mantissa))}E{sign}{_whole_part(str(abs(power)), _layout(power_tokens))}"


def _fraction(value: float, tokens: Sequence[Token]) -> str:
    """`# ?/?`: a whole number and what is left of it; `?/?`: all as a fraction."""
    slash = next(at for at, token in enumerate(tokens) if token.kind == "slash")
    behind = "".join(token.text for token in tokens[slash + 1 :]).strip()
    before = "".join(token.text if token.kind == "digit" else " " for token in tokens[:slash]).split()
    whole = floor(value) if len(before) > 1 else 0
    rest = Fraction(_exact(value)) - whole
    if behind.isdecimal() and int(behind):  # a fixed denominator
        top, bottom = floor(rest * int(behind) + Fraction(1, 2)), int(behind)
    else:
        nearest = rest.limit_denominator(10 ** max(min(len(behind), 7), 1) - 1)
        top, bottom = nearest.numerator, nearest.denominator
    if len(before) > 1 and (top == bottom or not top):
        return str(whole + top // bottom)
    return f"{whole} {top}/{bottom}" if whole else f"{top}/{bottom}"
