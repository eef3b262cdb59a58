"""What a terminal would obey is shown instead."""

from __future__ import annotations

import json

import pytest

from pipelines.printable import printable, printable_json, printable_lines

HOSTILE = "\x1b[2J \x1b]52;c;cm0=\x07 \x9b31m \x7f \x85 \r \u202e \u2066 \u2028 \ud800"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 你好 👍 \u00a0\u200d", "Grüße, 你好 👍 \u00a0\u200d"),
        ("\x1b[8m", "<1b>[8m"),
        ("a\nb\tc", "a<0a>b<09>c"),
        ("\x9b\x7f\u202e", "<9b><7f><202e>"),
    ],
)
def test_characters_that_do_something_are_named(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_ends_of_lines_can_be_kept() -> None:
    assert printable_lines("a\r\n\tb\x1b") == "a<0d>\n\tb<1b>"


def test_json_says_the_same() -> None:
    escaped = printable_json(json.dumps({"title": HOSTILE}, ensure_ascii=False))
    assert json.loads(escaped) == {"title": HOSTILE}
    assert printable(escaped) == escaped
