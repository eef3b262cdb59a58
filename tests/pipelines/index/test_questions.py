"""Which words of a question are looked for."""

from __future__ import annotations

import pytest

from pipelines.index.questions import asked_words


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Hey, can you tell me who keeps the green key?", "keeps green key?"),
        ("Was wissen wir über die Pumpe", "Pumpe"),
        ("what is it?", "what is it?"),
        ("open issues on the MIT licence", "open issues MIT licence"),
        ("war room", "war room"),
        ("PR of the cert renewal", "PR cert renewal pull request certificate"),
        ("certificate", "certificate cert"),
        ("repositories", "repositories repos"),
        ("the principal", "principal"),
        ("", ""),
    ],
)
def test_asked_words(question: str, words: str) -> None:
    assert asked_words(question) == words
