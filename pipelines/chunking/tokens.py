"""How long texts are, estimated without any model's tokenizer.

A token is taken to be four bytes of UTF-8: about right for English prose and for CJK, where a character
has three bytes, and within a third for code. The estimate is additive, so a text's parts sum up to it.
"""

from __future__ import annotations

BYTES_PER_TOKEN = 4


def utf8_length(text: str) -> int:
    """Bytes of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def estimate_tokens(text: str) -> int:
    """About how many tokens an embedding model counts in `text`; 0 for an empty one."""
    return -(-utf8_length(text) // BYTES_PER_TOKEN)
