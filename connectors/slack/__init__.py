"""Slack: threads and days of channels. https://docs.slack.dev/reference/methods"""

from __future__ import annotations

from connectors.registry import Implementation, Source
from connectors.slack.part_table import PARTS
from connectors.slack.settings import SlackConnection
from connectors.slack.setup import SETUP
from connectors.slack.urls import ids_in_url, said_in_url


def _implementation() -> Implementation[SlackConnection]:
    from connectors.slack.source import connect
    from connectors.slack.webhooks import receive

    return Implementation(connect, receive)


SOURCE = Source(
    name="slack",
    label="Slack",
    settings=SlackConnection,
    implementation=_implementation,
    ids_in_url=ids_in_url,
    said_in_url=said_in_url,
    signature_headers=("x-slack-signature",),
    parts=PARTS,
    setup=SETUP,
    icon="M2 3h12v8H7.5L4.5 14v-3H2z",  # a speech bubble
)
