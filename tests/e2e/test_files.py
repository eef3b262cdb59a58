"""Files of every kind of text through two sources, and their words in the search: whatever they are declared as."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators import drive as drive_emulator
from tests.emulators import slack as slack_emulator
from tests.emulators.drive import GoogleDrive
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.slack import Slack

STREAM = "application/octet-stream"
EVENT = b"BEGIN:VEVENT\r\nSUMMARY:talk of {word}\r\nEND:VEVENT"
MAIL = (
    b"Received: from a.test\r\nFrom: ada@a.test\r\nSubject: =?utf-8?q?M=C3=BChlen?=\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/plain; charset=no-such\r\n\r\nbody\r\n"
    b'--B\r\nContent-Type: image/png; name="a.png"\r\n\r\nxyz\r\n--B\r\n\r\nafter the picture {word}\r\n'
    b'--B\r\nContent-Type: text/csv; name="mills.csv"\r\n\r\nmill;power\r\nattached{word};12\r\n--B--\r\n'
)
PICTURE = b"A1b2C3d4" * 400
FILES: dict[str, tuple[str, bytes]] = {
    "page": ("text/html", b"<meta charset=windows-1251>\xcc\xe5\xeb\xfc<hr><select><option>A<option>{word}</select>"),
    "mail": (STREAM, MAIL),
    "letter": (
        STREAM,
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}Caf\'e9 {\b {word}}.\par}".replace(b"{word}", b"%s"),
    ),
    "table.csv": (STREAM, "sep=;\nMühle;{word}\n".encode("cp1252")),
    "data.json": ("application/json", rb'{"name": "gr\u00fcn\n{word}"}'.replace(b"{word}", b"%s")),
    "notes.md": ("text/plain", b"a <!-- hidden{word} --> b ![](data:image/png;base64," + PICTURE + b") {word}"),
    "russian.txt": ("text/plain", "Сегодня на совещании обсуждали бюджет {word}".encode("koi8-r")),
    "japanese.txt": ("text/plain", "本日の会議ではガーネット計画の予算について {word}".encode("shift_jis")),
    "wide.txt": ("text/plain", "Minutes of {word}".encode("utf-16-le")),
    "spoilt.txt": ("text/plain", "Grüße aus Köln, schöne ".encode() + b"\xff {word}"),
    "talk.ics": ("text/calendar", EVENT),
}


def _files(source: str) -> dict[str, tuple[str, bytes]]:
    """The files of one source: each holds a word of its own."""

    def written(data: bytes, name: str) -> bytes:
        word = _word(source, name)
        if name == "wide.txt":
            return data.replace("{word}".encode("utf-16-le"), word.encode("utf-16-le"))
        return data.replace(b"{word}", word.encode()).replace(b"%s", word.encode())

    return {name: (declared, written(data, name)) for name, (declared, data) in FILES.items()}


def _word(source: str, name: str) -> str:
    return f"garnet{source}{name.partition('.')[0]}"


@pytest.fixture
def company(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Folder]:
    drive, slack = GoogleDrive(), Slack()
    slack.channel("C1", "general")
    slack.person("U1", "ada")
    for name, (declared, data) in _files("drive").items():
        drive.upload(name, data, declared)
    for name, (declared, data) in _files("slack").items():
        shown = {"name": name, "title": name, "mimetype": declared, "filetype": name.partition(".")[2]}
        slack.share("C1", f"F{name.partition('.')[0]}", data, **shown)
    with drive_emulator.serving(drive) as drive_url, slack_emulator.serving(slack) as slack_url:
        connections = [
            {"id": "docs", "source": "drive", "token": drive_emulator.TOKEN, "base_url": drive_url},
            {"id": "talk", "source": "slack", "token": slack_emulator.TOKEN, "base_url": slack_url},
        ]
        folder.settings(connections=connections, embedding=embedding_settings(embeddings))
        yield folder


def _results(company: Folder, *words: str) -> list[dict[str, Any]]:
    ran = company.headrace("search", " ".join(words), "--mode", "lexical", "--top-k", "50", "--json")
    found: list[dict[str, Any]] = ran.json["results"]
    return found


def test_the_words_of_every_file_are_found(company: Folder) -> None:
    synced = company.headrace("sync", "--json")
    assert synced.json["documents"]["failed"] == 0, synced.errors
    for source in ("drive", "slack"):
        results = [
            one for one in _results(company, *(_word(source, name) for name in FILES)) if one["kind"] != "messages"
        ]
        assert {one["title"] for one in results if one["source"] == source} == set(FILES)
    attached = _results(company, f"attached{_word('slack', 'mail')}")
    assert [one["title"] for one in attached] == ["mail"]
    assert _results(company, f"hidden{_word('drive', 'notes')}") == []
    assert [one["title"] for one in _results(company, "Екатеринбург", "совещании", "бюджет")][:2] == ["russian.txt"] * 2
