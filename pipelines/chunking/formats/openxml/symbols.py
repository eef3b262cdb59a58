"""Characters of symbol fonts in Unicode."""

from __future__ import annotations

_PRIVATE = 0xF000
"""Where fonts of symbols keep their 256 characters in Unicode's private use area."""
_SYMBOL = " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_\u203eαβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
_SYMBOL_HIGH = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑"
"""Adobe's Symbol encoding, from 0x20 and from 0xA0."""
_WINGDINGS = {0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0xA8: "☐", 0x6F: "☐", 0x78: "☒", 0xD8: "➢", 0xE0: "→"}
_WINGDINGS_2 = {0x50: "✓", 0x4F: "✗", 0x52: "☑", 0x53: "☒", 0xA3: "☐"}


def symbol(code: str, font: str) -> str:
    """The character of a hexadecimal code in a font; "" where Unicode has no name for it that is known here."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    number -= _PRIVATE if _PRIVATE <= number <= _PRIVATE + 0xFF else 0
    match font.lower():
        case "symbol" if 0x20 <= number < 0x20 + len(_SYMBOL):
            return _SYMBOL[number - 0x20]
        case "symbol" if 0xA0 <= number < 0xA0 + len(_SYMBOL_HIGH):
            return _SYMBOL_HIGH[number - 0xA0]
        case "wingdings":
            return _WINGDINGS.get(number, "")
        case "wingdings 2":
            return _WINGDINGS_2.get(number, "")
    return chr(number) if 0x20 <= number < 0xD800 or 0xE000 <= number <= 0x10FFFF else ""
