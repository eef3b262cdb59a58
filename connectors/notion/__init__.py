"""Notion: pages, databases and their rows."""

from __future__ import annotations

from connectors.notion.part_table import PARTS
from connectors.notion.settings import NotionConnection
from connectors.notion.setup import SETUP
from connectors.notion.urls import ids_in_url
from connectors.registry import Implementation, Source


def _implementation() -> Implementation[NotionConnection]:
    from connectors.notion.source import connect
    from connectors.notion.webhooks import receive

    return Implementation(connect, receive)


SOURCE = Source(
    name="notion",
    label="Notion",
    settings=NotionConnection,
    implementation=_implementation,
    ids_in_url=ids_in_url,
    signature_headers=("x-notion-signature",),
    offers_secret=True,
    parts=PARTS,
    setup=SETUP,
    icon="M3.5 2h9v12h-9zM6 5.5h4M6 8h4M6 10.5h2",  # a page with lines
)
