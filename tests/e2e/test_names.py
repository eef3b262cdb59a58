"""What people read tells no names of what they may not open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.drive.settings import DriveConnection
from connectors.notion.settings import NotionConnection
from connectors.slack.settings import SlackConnection
from pipelines.settings import Settings
from tests.e2e.office import ADA, BOB, Office, office
from tests.emulators import drive as drive_emulator
from tests.emulators import notion as notion_emulator
from tests.emulators import slack as slack_emulator
from tests.emulators.drive import ROOT, GoogleDrive, person
from tests.emulators.notion import Notion, block
from tests.emulators.slack import Slack

SECRET = "Layoffs"


def mention(page: str) -> dict[str, Any]:
    """A paragraph that mentions a page, whose title Notion puts into the text."""
    run = {"type": "mention", "mention": {"type": "page", "page": {"id": page}}, "plain_text": SECRET, "href": None}
    return {**block("paragraph"), "paragraph": {"rich_text": [run]}}


def told(found: Office, who: str) -> str:
    """All that somebody is told who searches for zebras."""
    return str(found.results("zebra", who))


@pytest.fixture
def slack(settings: Settings) -> Iterator[Office]:
    """Ada alone is in the private channel, in which it is mentioned, too."""
    slack = Slack()
    for user, name in (("U1", ADA), ("U2", BOB)):
        slack.person(user, name.partition("@")[0])
        slack.users[user]["profile"]["email"] = name
    slack.channel("C1", "general")
    slack.channel("C2", SECRET.lower(), private=True)
    slack.members["C2"] = ["U1"]
    slack.say("C1", f"zebra talk goes on in <#C2>, <#C2|{SECRET.lower()}> and <#C1>")
    slack.say("C2", "zebra talk of <#C2>")
    with slack_emulator.serving(slack) as url:
        told = {"id": "sl", "source": "slack", "token": slack_emulator.TOKEN, "base_url": url}
        with office(settings, SlackConnection.model_validate(told)) as opened:
            assert opened.sync() == {}
            yield opened


def test_a_private_channel_has_no_name_outside_of_it(slack: Office) -> None:
    assert SECRET.lower() not in told(slack, BOB).lower()
    assert "goes on in private channel, private channel and #general" in told(slack, BOB)
    assert f"zebra talk of #{SECRET.lower()}" in told(slack, ADA)


@pytest.mark.parametrize(
    ("readers_of_secret", "is_shown"),
    [((ADA,), False), (("public",), True), pytest.param((ADA, BOB), True, marks=pytest.mark.slow)],
    ids=["narrower", "everybody", "the same"],
)
def test_a_page_that_not_all_readers_may_see_is_untitled(
    settings: Settings, readers_of_secret: tuple[str, ...], is_shown: bool
) -> None:
    notion = Notion()
    top = notion.page("Handbook")
    secret = notion.page(SECRET, block("paragraph", "A salary."), under=top)
    below = notion.page(f"{SECRET} of May", block("paragraph", "A salary."), under=secret)
    notion.write(top, block("paragraph", "A zebra handbook."), mention(below))
    by_page = {secret: readers_of_secret, **({top: (ADA, BOB)} if len(readers_of_secret) > 1 else {})}
    with notion_emulator.serving(notion) as url:
        described = {"id": "no", "source": "notion", "token": notion_emulator.TOKEN, "base_url": url}
        readers: dict[str, Any] = {"readers": (ADA, BOB), "readers_by_page": by_page}
        with office(settings, NotionConnection.model_validate({**described, **readers})) as opened:
            assert opened.sync() == {}
            assert (SECRET in told(opened, BOB)) == is_shown
            assert ("Untitled" in told(opened, BOB)) == (not is_shown)


@pytest.fixture
def drive(settings: Settings) -> Iterator[Office]:
    """Of a shared drive and of My Drive, Bob may open one file each, and Ada all."""
    drive = GoogleDrive()
    board = drive.shared_drive("Board", person(ADA))
    for parent in (board, ROOT):
        folder = drive.folder(SECRET, parent)
        if parent == ROOT:
            drive.share(folder, person(ADA))
        drive.doc("Ada's", "A zebra lunch.", folder)
        drive.share(drive.doc("Bob's", "A zebra lunch.", folder), person(BOB))
    with drive_emulator.serving(drive) as url:
        told = {"id": "dr", "source": "drive", "token": drive_emulator.TOKEN, "base_url": url}
        with office(settings, DriveConnection.model_validate(told)) as opened:
            assert opened.sync() == {}
            yield opened


def test_folders_have_no_names_for_who_may_open_one_file_in_them(drive: Office) -> None:
    breadcrumbs = {(one["title"], tuple(one["breadcrumb"])) for one in drive.results("zebra", ADA)}
    assert {title for title, _ in breadcrumbs} == {"Ada's", "Bob's"}
    assert {names for title, names in breadcrumbs if title == "Ada's"} == {("Board", SECRET), ("My Drive", SECRET)}
    assert sorted(one["breadcrumb"] for one in drive.results("zebra", BOB)) == [[], ["My Drive"]]
