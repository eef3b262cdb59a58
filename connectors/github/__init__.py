"""GitHub: issues, pull requests, discussions, releases, wikis, and the text files of the default branch."""

from __future__ import annotations

from connectors.github.part_table import PARTS
from connectors.github.settings import GitHubConnection
from connectors.github.setup import SETUP
from connectors.github.urls import urls_of_same
from connectors.registry import Implementation, Source


def _implementation() -> Implementation[GitHubConnection]:
    from connectors.github.source import connect
    from connectors.github.webhooks import receive

    return Implementation(connect, receive)


SOURCE = Source(
    name="github",
    label="GitHub",
    settings=GitHubConnection,
    implementation=_implementation,
    urls_of_same=urls_of_same,
    parts=PARTS,
    setup=SETUP,
    signature_headers=("x-hub-signature-256",),
    icon=(
        "M4.5 5v6M4.5 5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM4.5 14a1.5 1.5 0 1 0 0-3 1.5 "
        "1.5 0 0 0 0 3zM11.5 7a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11.5 7c0 3-4 2.5-7 3.5"
    ),  # two branches that join
)
