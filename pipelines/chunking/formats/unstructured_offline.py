"""Keeps unstructured off the network, and stands in for its `unstructured.nlp.tokenize`.

That module downloads a spaCy model to count the sentences and verbs of a text, from which unstructured
guesses whether an unmarked line is a title. Here a line that ends like a sentence is one.
"""

from __future__ import annotations

import os
import re
import sys

_REPLACED = "unstructured.nlp.tokenize"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"\w+|[^\w\s]")
_CLOSING = (".", "!", "?", ":", ";", "…", "。")


def keep_offline() -> None:
    """Call before importing anything of unstructured. Idempotent."""
    os.environ |= {"DO_NOT_TRACK": "1", "UNSTRUCTURED_DISABLE_NOTICE": "1"}
    sys.modules.setdefault(_REPLACED, sys.modules[__name__])


def sent_tokenize(text: str) -> list[str]:
    return _SENTENCE_END.split(text)


def word_tokenize(text: str) -> list[str]:
    return _WORD.findall(text)


def pos_tag(text: str) -> list[tuple[str, str]]:
    """Words with a tag; the tag says verb for the words of a text that ends like a sentence."""
    tag = "VB" if text.rstrip().endswith(_CLOSING) else ""
    return [(word, tag) for word in word_tokenize(text)]
