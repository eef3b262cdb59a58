"""Google Drive: Docs, Sheets, Slides and files of My Drive, of "Shared with me" and of shared drives."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.drive.part_table import PARTS
from connectors.drive.settings import DriveConnection
from connectors.drive.setup import SETUP
from connectors.drive.urls import ids_in_url
from connectors.registry import Implementation, Source


def _implementation() -> Implementation[DriveConnection]:
    from connectors.drive.source import connect
    from connectors.drive.webhooks import receive

    return Implementation(connect, receive)


def _address_tokens(connection: str, address: str) -> Sequence[str]:
    from connectors.drive.access import domain_groups

    return domain_groups(connection, address)


def _group_domain(group: str) -> str:
    from connectors.drive.access import domain_of

    return domain_of(group)


SOURCE = Source(
    name="drive",
    label="Google Drive",
    settings=DriveConnection,
    implementation=_implementation,
    address_tokens=_address_tokens,
    group_domain=_group_domain,
    ids_in_url=ids_in_url,
    documents_have_unit_readers=False,  # a file can be shared beyond its drive
    signature_headers=("x-goog-channel-token",),
    parts=PARTS,
    setup=SETUP,
    icon="M1.5 4h5l1.5 2h6.5v7.5h-13z",  # a folder
)
