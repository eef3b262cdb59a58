from __future__ import annotations

import pytest

from connectors.slack.render.transcripts import transcript


@pytest.mark.parametrize(
    ("subtitles", "said"),
    [
        (
            "WEBVTT\n\n1\n00:00.000 --> 00:04.000\n- First we stop\n\n2\n00:04.000 --> 00:09.000\n- and restore\n",
            "First we stop\nand restore",
        ),
        (
            "\ufeffWEBVTT - Title\r\nKind: captions\r\n\r\n00:00.000 --> 00:01.000 align:start\r\ntwo\r\nlines\r\n",
            "two\nlines",
        ),
        (
            "WEBVTT\n\nNOTE\nnot said\n\nSTYLE\n::cue { color: red }\n\nintro\n"
            "00:00.000 --> 00:01.000\n<v Ada>Hello &amp; <i>welcome</i></v>",
            "Ada: Hello & welcome",
        ),
        (
            "WEBVTT\n\n00:00.000 --> 00:01.000\nagain\n\n00:01.000 --> 00:02.000\nagain\n\n"
            "00:02.000 --> 00:03.000\n1 -- 2\n",
            "again\n1 -- 2",
        ),
        ("WEBVTT\n", ""),
    ],
)
def test_a_transcript_is_what_was_said(subtitles: str, said: str) -> None:
    assert transcript(subtitles) == said
