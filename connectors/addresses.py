"""E-mail addresses as they are compared: one spelling for one person, and none that another person's could pass for.

Only the case of ASCII letters is set aside. `str.lower` and `str.casefold` make U+212A (the Kelvin sign) a plain k, and
so make whoever can register such a spelling at a source another person. What a mail server could take for two
different mailboxes, or a reader for another one, is therefore no address here (Unicode's reports 36 and 39 say why).
"""

from __future__ import annotations

import re
import string
import unicodedata

import idna

LONGEST_ADDRESS = 320
"""Characters: 64 before the @ and 255 after it (RFC 5321, 4.5.3.1)."""

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_SPACES = " \t\r\n"
_LOCAL_PART = re.compile(r"(?:[a-z0-9!#$%&'*+/=?^_`{|}~.-]|[^\x00-\x7f])+")
_LABEL = re.compile(r"(?!-)(?:[a-z0-9-]|[^\x00-\x7f]){1,63}(?<!-)")
_JAPANESE = {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK"}
"""Scripts that one word is written in."""


class InvalidAddress(ValueError):
    """Why a text is no e-mail address."""


def normalize_address(text: str) -> str:
    """An address as it is compared: ASCII letters in lower case, the domain in its ASCII form (RFC 5890).

    Raises InvalidAddress for what is none, and for characters that could be taken for others.
    """
    address = text.strip(_SPACES).translate(_LOWER)
    local_part, _, domain = address.rpartition("@")
    if len(address) > LONGEST_ADDRESS or not _LOCAL_PART.fullmatch(local_part):
        raise InvalidAddress("must be an e-mail address, such as ada@example.com")
    _require_unambiguous(local_part)
    return f"{local_part}@{_ascii_domain(domain)}"


def find_address(text: str | None) -> str | None:
    """An address that a source gives, as it is compared; None for what is none, and so is nobody's."""
    try:
        return normalize_address(text or "")
    except InvalidAddress:
        return None


def find_domain(text: str | None) -> str | None:
    """A domain that a source gives, as it is compared; None for what is none."""
    try:
        return _ascii_domain((text or "").strip(_SPACES).translate(_LOWER))
    except InvalidAddress:
        return None


def _ascii_domain(domain: str) -> str:
    labels = domain.split(".")
    if not all(map(_LABEL.fullmatch, labels)):
        raise InvalidAddress("must be an e-mail address, such as ada@example.com")
    if domain.isascii():
        return domain
    for label in labels:
        _require_unambiguous(label)
    try:
        encoded = idna.encode(domain).decode()
        unchanged = idna.decode(encoded) == domain
    except idna.IDNAError:
        unchanged = False
    if not unchanged:
        raise InvalidAddress("must be an e-mail address with a domain that can be registered (IDNA)")
    return encoded


def _require_unambiguous(part: str) -> None:
    """Raises InvalidAddress for characters that change when they are normalized or change their case, that nobody
    sees, or that are letters of several scripts."""
    if part.isascii():
        return
    allowed = idna.idnadata.codepoint_classes["PVALID"]
    for character in part:
        if not character.isascii() and not idna.intranges_contain(ord(character), allowed):
            raise InvalidAddress(f"must be an e-mail address without the character U+{ord(character):04X}")
    # Letters as dotless i come back from upper case as others.
    if not part == unicodedata.normalize("NFKC", part) == part.casefold() == part.upper().casefold():
        raise InvalidAddress("must be an e-mail address without characters that stand for others")
    scripts = {unicodedata.name(one, "").partition(" ")[0] for one in part if unicodedata.category(one)[0] in "LM"}
    if len(scripts) > 1 and not scripts <= _JAPANESE:
        raise InvalidAddress("must be an e-mail address without letters of several scripts in one word")
