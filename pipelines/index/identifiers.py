"""Exact identifiers for the lexical leg: error codes, ticket numbers, paths, names in code. Pure.

The engine's tokenizer cuts a text at everything that is no letter or digit, and nowhere else: `ERR-4711` becomes
`err` and `4711`, which also stand in many other texts, and `getUserName` becomes one word that neither
`get_user_name` nor `user name` meets. So the words that identifiers are made of are put after the text, and
after a question alike.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache

LONGEST_IDENTIFIER = 100
"""Characters. What is longer (encoded data, links with parameters) nobody types."""

_IDENTIFIER = re.compile(
    r"""\b(?:
        [^\W_]++(?>(?:[-./:\\@#_]++[^\W_]++)+)  # words joined by marks: ERR-4711, src/store.py, get_user_name
        |[A-Z]*+[a-z0-9]++[A-Z][A-Za-z0-9]*+  # humps: getUserName, FooBar
        |[A-Z]{2,}+[a-z][A-Za-z0-9]*+         # and after capitals: HTTPServer
    )""",
    re.VERBOSE,
)
_MARK_OR_HUMP = re.compile(r"[^\W_][-./:\\@#_]+[^\W_]|[a-z0-9][A-Z]|[A-Z]{2}[a-z]")
"""What each identifier holds."""
_MARKS = string.punctuation + "‘’“”„‹›«»…–—•·"
_RUNS_REMEMBERED = 16_384
_LONGEST_REMEMBERED = 64
"""Characters."""
_SEGMENT = re.compile(r"[/\\:]+")
_NO_LETTER = re.compile(r"[\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD_LENGTH = 3
ASKING = re.compile(
    "am|an?|about|all|and|anybody|anyone|anything|are|can|could|did|do|does|explain|find|for|get|give|has|have|hello|hey|hi"
    "|how|i|i'm|in|is|it|know|looking|me|mean|need|of|on|or|please|should|show|somebody|someone|something|tell|that|the"
    "|there|this|to|want|was|we|were|what|what's|when|where|which|who|why|with|would|you"
)
"""Words of questions that say nothing of what is asked for."""
ASKING_GERMAN = re.compile(
    "auf|bei|bitte|das|dem|den|der|die|ein|eine|er|es|finde|für|gibt|habe|haben|hat|ich|ihr|im|ist|kann|kannst|können"
    "|mir|mit|oder|sagen|sich|sie|sind|suche|über|und|uns|viele?|von|wann|war|warum|was|weiß|welche[rs]?|wer|wie|wir"
    "|wissen|wo|wurden?|zeige?|zu|zum|zur"
)
_LOOKING = re.compile(f"{ASKING.pattern}|{ASKING_GERMAN.pattern}|open")


def with_identifiers(text: str) -> str:
    """The text, and after it the further words by which its identifiers are found."""
    # Most of what stands between spaces is plain words, with or without marks around them, and of the rest most comes
    # again: to look for identifiers in the whole text takes twice as long.
    unusual = [
        run
        for run in text.split()
        if not (run.isalpha() and (run.islower() or run.istitle()))
        and not ((word := run.strip(_MARKS)).isalpha() and (word.islower() or word.istitle()))
    ]
    words = [word for run in unusual for word in (_words_of if len(run) <= _LONGEST_REMEMBERED else _words_in)(run)]
    return f"{text}\n{' '.join(words)}" if words else text


def _words_in(run: str) -> tuple[str, ...]:
    if not _MARK_OR_HUMP.search(run):
        return ()
    return tuple(word for identifier in _IDENTIFIER.findall(run) for word in identifier_words(identifier))


_words_of = lru_cache(_RUNS_REMEMBERED)(_words_in)


def identifier_words(identifier: str) -> list[str]:
    """The words that an identifier is found by, besides those between its marks.

    `ERR-4711` as a whole: `ERR4711`. `src/user_store.py` also by its file name: `srcuserstorepy`, `userstorepy`.
    `getUserName` by its parts: `get`, `User`, `Name`.
    """
    if len(identifier) > LONGEST_IDENTIFIER:
        return []
    parts = _NO_LETTER.split(identifier)
    words = ["".join(parts)] if len(parts) > 1 else []
    if len(segments := _SEGMENT.split(identifier)) > 1:
        words += [joined for segment in segments if (joined := _NO_LETTER.sub("", segment)) != segment]
    return words + [word for part in parts for word in _humps(part)]


def is_lookup(question: str) -> bool:
    """Whether a question asks for nothing but identifiers: `ERR-4711`, `what is src/user_store.py?`."""
    words = [word.strip("\"'`()[]{}<>,;:.!?") for word in question.split()]
    named = [word for word in words if word and not _LOOKING.fullmatch(word.lower())]
    return any(named) and all(map(_is_identifier, named))


def _is_identifier(word: str) -> bool:
    """Words joined by hyphens alone are prose (`follow-up`)."""
    has_letter, has_digit = any(map(str.isalpha, word)), any(map(str.isdigit, word))
    joined = any(mark in word for mark in "_/\\.:")
    return has_letter and (has_digit or joined or any(_humps(part) for part in _NO_LETTER.split(word)))


def _humps(part: str) -> list[str]:
    """The words of a name in camel case; units and symbols (`kWh`, `mRNA`) are left alone."""
    if part.islower() or len(part) < 2 * _WORD_LENGTH:
        return []
    words = _HUMP.split(part)
    return words if sum(len(word) >= _WORD_LENGTH for word in words) > 1 else []
