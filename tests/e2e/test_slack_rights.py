"""Files of which Slack's events name no channel: what is deleted or unshared is found no more, whatever waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest

from connectors.slack.settings import SlackConnection
from pipelines.settings import Settings
from tests.e2e.office import ADA, BOB, Office, office
from tests.emulators.slack import SIGNING_SECRET, TOKEN, Slack, serving


@pytest.fixture
def slack() -> Slack:
    slack = Slack(clock=time.time() - 100_000)
    slack.person("U1", "ada")
    slack.person("U2", "bob")
    for channel in ("C1", "C2"):
        slack.channel(channel, channel.lower())
        slack.share(channel, f"F{channel}", b"A zebra.")
    return slack


@pytest.fixture
def opened(slack: Slack, settings: Settings) -> Iterator[Office]:
    described = {"id": "sl", "source": "slack", "token": TOKEN, "webhook_secret": SIGNING_SECRET}
    with serving(slack) as url, office(settings, SlackConnection.model_validate({**described, "base_url": url})) as it:
        assert it.sync() == {}
        slack.clock = time.time()  # of deliveries: none is older than five minutes
        yield it


def pause(office: Office) -> AbstractContextManager[object]:
    office.pause()
    return nullcontext()


WAITS: dict[str, Callable[[Office], AbstractContextManager[object]]] = {
    "nothing": lambda office: nullcontext(),
    "connection paused": pause,
    "unit busy": lambda office: office.services.catalog.leases.hold("sl", "C1"),
}


def unshare(slack: Slack, file: str) -> None:
    slack.files[file] |= {"channels": [], "shares": {}}


@pytest.mark.one_case
@pytest.mark.each_value
@pytest.mark.parametrize("waits", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize(
    ("kind", "lose"), [("file_deleted", Slack.delete_file), ("file_unshared", unshare)], ids=["deleted", "unshared"]
)
def test_a_file_is_lost_in_whichever_channel_it_was(
    slack: Slack,
    opened: Office,
    kind: str,
    lose: Callable[[Slack, str], object],
    waits: Callable[[Office], AbstractContextManager[object]],
) -> None:
    assert opened.found("zebra", BOB) == {"FC1", "FC2"}
    with waits(opened):
        lose(slack, "FC1")
        opened.deliver(slack.delivery({"type": kind, "file_id": "FC1", "event_ts": f"{slack.clock:.6f}"}))
        assert opened.found("zebra", BOB) == {"FC2"}


def test_a_file_that_changes_is_read_again_where_it_is(slack: Slack, opened: Office) -> None:
    slack.files["FC1"]["title"] = "Renamed.txt"
    opened.deliver(slack.delivery({"type": "file_change", "file_id": "FC1", "file": {"id": "FC1"}}))
    opened.worker.run_pass()
    assert opened.found("zebra", BOB) == {"Renamed.txt", "FC2"}


def test_the_words_of_a_root_that_is_deleted_are_no_title_of_its_replies(slack: Slack, opened: Office) -> None:
    root = slack.say("C1", "zebra takeover")
    slack.say("C1", "walrus lunch", thread=root)
    opened.sync()
    assert {"#c1: zebra takeover"} == opened.found("walrus", BOB) <= opened.found("takeover", BOB)
    slack.delete("C1", root)
    gone = {"ts": root, "thread_ts": root}
    event = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": root}
    opened.deliver(slack.delivery({**event, "previous_message": gone}))
    assert opened.found("walrus", BOB) == opened.found("takeover", BOB) == set()
    opened.sync()
    assert opened.found("walrus", BOB) == {"#c1: walrus lunch"}
    assert opened.found("takeover", BOB) == set()


@pytest.mark.one_case
@pytest.mark.parametrize("guest", [False, True])
def test_a_channel_made_private_is_its_members_before_its_history_can_be_read(
    slack: Slack, opened: Office, guest: bool
) -> None:
    """A guest was no reader of the public channel, and what was deleted before its history is read is not for them."""
    slack.person("U3", "gus", is_restricted=True)
    slack.members["C1"] = ["U2", "U3"] if guest else ["U2"]
    slack.channels["C1"]["is_private"] = True
    slack.refuse("history", "down")
    assert "sl/C1" in opened.sync()
    assert opened.found("zebra", BOB) == {"FC1", "FC2"}
    assert opened.found("zebra", "gus@acme.test") == set()
    assert opened.found("zebra", ADA) == {"FC2"}
    assert opened.services.catalog.revocations.count() == ({"sl": 1} if guest else {})
    slack.allow("history")
    assert opened.sync() == {}
    assert opened.found("zebra", BOB) == {"FC1", "FC2"}
    assert opened.found("zebra", "gus@acme.test") == ({"FC1"} if guest else set())
    assert opened.found("zebra", ADA) == {"FC2"}
