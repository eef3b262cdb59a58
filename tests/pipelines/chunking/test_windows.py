"""What of a chunk is embedded at once."""

from __future__ import annotations

import pytest

from pipelines.chunking.model import Chunk
from pipelines.chunking.windows import embedded_texts

SENTENCE = "The sluice gate closes before the turbine stops. "


def chunk(text: str) -> Chunk:
    return Chunk("d", 0, ("Intake",), text, "Gates · notion")


@pytest.mark.parametrize("window", [None, 240])
def test_a_short_chunk_is_embedded_as_a_whole(window: int | None) -> None:
    short = chunk(SENTENCE)
    assert embedded_texts(short, window) == [short.embedded_text]


def test_a_long_chunk_is_embedded_as_a_whole_by_models_that_take_it() -> None:
    long = chunk(SENTENCE * 40)
    assert embedded_texts(long, None) == [long.embedded_text]


def test_each_window_begins_with_what_stands_above_the_chunk() -> None:
    texts = embedded_texts(chunk(SENTENCE * 40), 240)
    assert len(texts) == 3
    assert all(text.startswith("Gates · notion\nIntake\n\nThe sluice") for text in texts)


@pytest.mark.parametrize("text", [SENTENCE * 40, "x" * 2_000, "電極を交換する。" * 90, f"{SENTENCE * 10}\n\n" * 4])
def test_windows_hold_all_of_the_text_once(text: str) -> None:
    bodies = [window.split("\n\n", 1)[1] for window in embedded_texts(chunk(text), 240)]
    assert "".join("".join(bodies).split()) == "".join(text.split())
    assert max(map(len, bodies)) < 1.4 * min(map(len, bodies))


def test_windows_are_cut_at_ends_of_lines_before_those_of_sentences() -> None:
    text = f"{SENTENCE * 9}and then\n{SENTENCE * 11}"
    first, second = embedded_texts(chunk(text), 240)
    assert first.endswith("and then")
    assert second.endswith("stops.")
