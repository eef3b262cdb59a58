"""Short hashes that tell whether something is as it was."""

from __future__ import annotations

import hashlib
import json
from typing import Any

DIGITS = 12
"""Hexadecimal digits of a fingerprint: 48 bits, for comparisons of an object with its own former state only."""


def fingerprint(value: Any, digits: int = DIGITS) -> str:
    """Equal for equal values that JSON can hold; the order of an object's keys does not count."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:digits]
