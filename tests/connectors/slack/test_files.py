"""Which files are read, as what, and from where."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse

from connectors.contract import Failed
from connectors.media import CSV
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT, Document, Unit
from connectors.slack.downloads import files_url
from connectors.slack.file_types import LARGEST, content_type, mail_text, reason_to_skip
from connectors.slack.files import file_fingerprint
from connectors.slack.payloads import SlackFile
from connectors.slack.settings import SlackConnection
from connectors.slack.source import SlackConnector, connect
from tests.connectors.slack.conftest import CONNECTION
from tests.emulators.slack import ELSEWHERE, Slack

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"mimetype": PDF, "filetype": "pdf"}, PDF),
        ({"mimetype": "application/octet-stream", "filetype": "docx"}, DOCX),
        ({"mimetype": "application/octet-stream", "filetype": "binary", "name": "plan.DOCX"}, DOCX),
        ({"mimetype": PLAIN_TEXT, "filetype": "markdown"}, MARKDOWN),
        ({"mimetype": PLAIN_TEXT, "filetype": "csv"}, "text/csv"),
        ({"mimetype": PLAIN_TEXT, "filetype": "text"}, PLAIN_TEXT),
        ({"mimetype": PLAIN_TEXT, "filetype": "python", "mode": "snippet"}, PLAIN_TEXT),
        ({"mimetype": "application/javascript", "filetype": "javascript", "mode": "snippet"}, PLAIN_TEXT),
        ({"mimetype": "text/html; charset=utf-8", "filetype": "html"}, HTML),
        ({"mimetype": "application/vnd.slack-docs", "filetype": "quip", "mode": "quip"}, HTML),
        ({"mimetype": "text/html", "filetype": "email", "mode": "email", "plain_text": "Dear all"}, PLAIN_TEXT),
        ({"mimetype": "text/html", "filetype": "email", "mode": "email"}, HTML),
        ({"mimetype": "application/msword", "filetype": "doc"}, ""),
        ({"mimetype": "application/octet-stream", "filetype": "binary", "name": "plan"}, ""),
        ({"mimetype": "image/png", "filetype": "png"}, None),
        ({"mimetype": "audio/mp4", "filetype": "m4a"}, None),
        ({"mimetype": "video/mp4", "filetype": "mp4"}, None),
        ({"mimetype": "application/zip", "filetype": "zip", "name": "a.zip"}, None),
        ({}, None),
    ],
)
def test_types(file: dict[str, Any], expected: str | None) -> None:
    assert content_type(SlackFile.model_validate(file)) == expected


TEXT = {"mimetype": PLAIN_TEXT, "filetype": "text", "url_private": "https://files.slack.com/files-pri/T1-F1/a.txt"}


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (TEXT, None),
        (TEXT | {"size": LARGEST}, None),
        (TEXT | {"size": LARGEST + 1}, "too large: 25.0 MB, at most 25 MB are read"),
        ({"mode": "tombstone"}, "deleted"),
        ({"mode": "hidden_by_limit"}, "hidden by the limit of the workspace's plan"),
        (TEXT | {"mode": "external"}, "kept outside Slack"),
        (TEXT | {"is_external": True}, "kept outside Slack"),
        (TEXT | {"file_access": "access_denied"}, "out of reach: access_denied"),
        ({"mimetype": "image/png", "url_private": "x"}, "unsupported type: image/png"),
        ({}, "unsupported type: none given"),
        ({"mimetype": PLAIN_TEXT}, "no address"),
        ({"mode": "email", "plain_text": "Dear all"}, None),
    ],
)
def test_files_that_are_skipped_say_why(file: dict[str, Any], reason: str | None) -> None:
    assert reason_to_skip(SlackFile.model_validate(file)) == reason


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ({"mimetype": "image/png", "url_private": "x"}, None),
        ({"filetype": "heic", "name": "IMG_1.HEIC", "url_private": "x"}, None),
        ({"mimetype": "image/png"}, "no address"),
        ({"mimetype": "image/png", "mode": "external", "url_private": "x"}, "kept outside Slack"),
        ({"mimetype": "image/png", "size": LARGEST + 1}, "too large: 25.0 MB, at most 25 MB are read"),
        ({"mimetype": "image/gif", "url_private": "x"}, "unsupported type: image/gif"),
        ({"mimetype": "video/mp4", "url_private": "x"}, "unsupported type: video/mp4"),
    ],
)
def test_pictures_where_they_are_read(file: dict[str, Any], reason: str | None) -> None:
    assert reason_to_skip(SlackFile.model_validate(file), pictures=True) == reason


PNG = b"\x89PNG\r\n\x1a\n..."


@pytest.mark.parametrize("declared", ["image/png", "application/octet-stream"])
def test_a_picture_is_handed_on_where_it_is_read(slack: Slack, declared: str) -> None:
    slack.share("C1", "F1", PNG, name="board.png", mimetype=declared, filetype="png")
    for connection, expected in ((CONNECTION, []), (CONNECTION.with_pictures(), [(PNG, "image/png")])):
        with closing(connect(connection, slack.transport())) as connector:
            items = [item for item in connector.read(Unit("C1", "general")) if isinstance(item, Document)]
        assert [(item.content, item.content_type) for item in items if item.kind == "file"] == expected


VTT = b"WEBVTT\n\n1\n00:00.000 --> 00:04.000\n- we restore the ledger\n"
CLIP = {"mimetype": "video/mp4", "filetype": "mp4", "size": LARGEST + 1, "vtt": f"{ELSEWHERE}/files-pri/F1"}
ROWS = [{"fields": [{"key": "Name", "text": "Ship it"}]}, {"fields": [{"key": "Name", "text": "Rotate keys"}]}]
LIST = {"mimetype": "application/vnd.slack-list", "filetype": "list", "mode": "list"}


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        (CLIP, VTT, ("we restore the ledger", PLAIN_TEXT)),
        (LIST | {"list_csv_download_url": f"{ELSEWHERE}/files-pri/F1"}, b"Name\nShip it\n", ("Name\nShip it\n", CSV)),
        (LIST, b"", ("Name\nShip it\nRotate keys\n", CSV)),
        (LIST | {"list_csv_download_url": f"{ELSEWHERE}/nowhere"}, b"", ("Name\nShip it\nRotate keys\n", CSV)),
    ],
)
def test_what_is_not_in_the_file_itself(
    slack: Slack, connector: SlackConnector, file: dict[str, Any], content: bytes, expected: tuple[str, str]
) -> None:
    """The words of a recording are in its transcript, and the rows of a list in a table or a method's answer."""
    slack.lists["F1"] = ROWS
    slack.share("C1", "F1", content, **file)
    (found,) = [
        one for one in connector.read(Unit("C1", "general")) if isinstance(one, Document) and one.kind == "file"
    ]
    assert (found.content, found.content_type) == expected


@pytest.mark.parametrize("mode", ["hosted", "snippet"])
def test_a_file_that_is_cut_short_is_asked_for_again(slack: Slack, connector: SlackConnector, mode: str) -> None:
    whole = "We restore the ledger — every night.".encode()
    slack.share("C1", "F1", whole, mode=mode)
    slack.contents["F1"] = whole[:20]
    (failed,) = [one for one in connector.read(Unit("C1", "general")) if isinstance(one, Failed)]
    assert f"20 of {len(whole)} bytes" in failed.error
    slack.contents["F1"] = whole
    (found, *_) = connector.fetch(Unit("C1", "general"), [failed.document_id])
    assert isinstance(found, Document)
    assert found.content == whole.decode()


@pytest.mark.parametrize(
    ("content", "is_read"), [(b"We restore the ledger.", False), (b'{"ok":false,"error":"missing_scope"}', True)]
)
def test_what_slack_says_in_place_of_a_file_is_not_the_file(
    slack: Slack, connector: SlackConnector, content: bytes, is_read: bool
) -> None:
    """Unless the file is just that, as somebody wrote it down."""
    slack.share("C1", "F1", content)
    answer = slack.answered
    refused = JSONResponse({"ok": False, "error": "missing_scope"})
    slack.answered = lambda path, token, form: refused if "/files-pri/" in path else answer(path, token, form)  # type: ignore[method-assign]
    items = list(connector.read(Unit("C1", "general")))
    files = [one.content for one in items if isinstance(one, Document) and one.kind == "file"]
    assert files == ([content.decode()] if is_read else [])
    assert ["missing_scope" in one.error for one in items if isinstance(one, Failed)] == [True] * (not is_read)


@pytest.mark.parametrize(
    "file",
    [
        {"mimetype": "application/vnd.slack-docs", "filetype": "quip", "mode": "quip"},
        {"mimetype": "text/html", "filetype": "email", "mode": "email"},
        {"mimetype": PLAIN_TEXT, "filetype": "text", "size": None},
    ],
)
def test_what_slack_makes_of_a_file_has_a_size_of_its_own(
    slack: Slack, connector: SlackConnector, file: dict[str, Any]
) -> None:
    slack.share("C1", "F1", b"<p>Dear all</p>", **{"size": 9_000} | file)
    (found,) = [
        one for one in connector.read(Unit("C1", "general")) if isinstance(one, Document) and one.kind == "file"
    ]
    assert "Dear all" in str(found.content)


def test_a_transcript_that_comes_later_is_a_change() -> None:
    clip = {"id": "F1", "mimetype": "video/mp4"}
    assert file_fingerprint(SlackFile.model_validate(clip)) != file_fingerprint(SlackFile.model_validate(clip | CLIP))


def test_a_mail_is_its_text() -> None:
    file = {"plain_text": "Dear all", "subject": "Water", "from": [{"original": "Ada <ada@acme.test>"}]}
    assert mail_text(SlackFile.model_validate(file)) == "Subject: Water\nFrom: Ada <ada@acme.test>\n\nDear all"
    assert mail_text(SlackFile(plain_text="Dear all")) == "Dear all"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "https://files.slack.com"),
        ({"base_url": "https://slack.example/prefix/api"}, "https://slack.example"),
        ({"files_url": "https://files.example/x"}, "https://files.example/x"),
    ],
)
def test_where_files_are(settings: dict[str, str], expected: str) -> None:
    connection = SlackConnection(id="acme", source="slack", token=SecretStr("t"))
    assert files_url(connection.model_copy(update=settings)) == expected
