"""What was said in a clip or recording, from its subtitles. Pure. https://www.w3.org/TR/webvtt1/"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

_BLOCK_END = re.compile(r"\n[ \t]*\n")
_TIMES = "-->"
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_TAG = re.compile(r"<[^<>]*>")
_DASH = re.compile(r"^\s*-\s+")


def transcript(subtitles: str) -> str:
    """The words of WebVTT, a line for each cue, without times; who speaks, where it says so."""
    text = subtitles.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_cues(text))


def _cues(text: str) -> Iterator[str]:
    said_before = ""
    for block in _BLOCK_END.split(text):
        _, times, cue = block.partition(_TIMES)
        # The rest of the line holds when the cue ends, and where it is shown. What has no times is no cue.
        said = "\n".join(_words(line) for line in cue.split("\n")[1:] if line.strip()) if times else ""
        if said and said != said_before:
            yield said
        said_before = said or said_before


def _words(line: str) -> str:
    plain = _TAG.sub("", _VOICE.sub(r"\1: ", _DASH.sub("", line)))
    return " ".join(unescape(plain).split())
