"""Explaining a document by a link to a message, which does not always name the thread that it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from connectors.model import Unit
from connectors.slack.settings import SlackConnection
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.operations.explain import explain
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

TALK = SlackConnection(id="talk", source="slack", token=SecretStr("xoxb-t"))
CHANNEL = Unit("C1A", "#general")
THREAD, DAY = "slack:talk/C1A/threads/1700000000.000100", "slack:talk/C1A/days/2023-11-14"
REPLIED_AT = datetime(2023, 11, 14, 22, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    return True


@pytest.fixture
def talk(settings: Settings) -> Iterator[Services]:
    said = {
        THREAD: "**Ada** (2023-11-14 22:13): The weir is stuck.\n\n**Bo** (2023-11-14 22:15): Oil it.",
        DAY: "**Eve** (2023-11-14 09:00): Good morning.",
    }
    own = {"source": "slack", "connection": "talk", "unit": CHANNEL.id, "readers": ("public",)}
    memory = MemorySource(listed=[CHANNEL])
    for key, text in said.items():
        changed = REPLIED_AT.replace(second=40) if key == THREAD else REPLIED_AT.replace(hour=9)
        memory.put(document(1, id=key, url=f"https://acme.slack.com/{key}", content=text, updated_at=changed, **own))
    with Services(settings.model_copy(update={"connections": (TALK,)}), FakeEmbedder()) as opened:
        opened.catalog.units.replace_listing("talk", "slack", [CHANNEL])
        sync_unit(opened, TALK, memory, CHANNEL)
        publish(opened)
        yield opened


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("link", "found", "is_doubtful"),
    [
        pytest.param("p1700000100000200", THREAD, False, id="a reply, by what its thread says"),
        pytest.param("p1700000000000100", THREAD, False, id="the first message of the thread"),
        pytest.param(
            "p1700000100000200?thread_ts=1700000000.000100", THREAD, False, id="a reply that names its thread"
        ),
        pytest.param("p1699952400000000", DAY, False, id="a message outside of threads"),
        pytest.param("p1699999500000300", DAY, True, id="something that stands in no text"),
    ],
)
def test_a_link_to_a_message_leads_to_where_it_stands(talk: Services, link: str, found: str, is_doubtful: bool) -> None:
    told = explain(talk, f"https://acme.slack.com/archives/C1A/{link}")
    assert (told.id, told.doubt is not None) == (found, is_doubtful)
