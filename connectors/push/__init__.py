"""Documents of one's own: whoever has them pushes them to Headrace, for all that has no connector."""

from __future__ import annotations

from connectors.push.settings import PushConnection
from connectors.push.setup import SETUP
from connectors.registry import Implementation, Source


def _implementation() -> Implementation[PushConnection]:
    from connectors.push.accepting import accept
    from connectors.push.source import connect

    return Implementation(connect, accept=accept)


SOURCE = Source(
    name="push",
    label="Pushed documents",
    settings=PushConnection,
    implementation=_implementation,
    documents_have_unit_readers=False,
    takes_documents=True,
    setup=SETUP,
    icon="M8 11V2.5M5 5.5l3-3 3 3M3 10v3.5h10V10",  # an arrow out of a tray
)
