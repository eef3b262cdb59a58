"""What was read without comments or sheets, once these can be had."""

from __future__ import annotations

from functools import partial

from connectors.drive.client import DriveClient
from connectors.drive.part_table import COMMENTS, SHEETS
from connectors.part_watch import LackingObjects, PartWatch


def take_lacking(lacking: LackingObjects, parts: PartWatch, client: DriveClient) -> tuple[list[str], bool]:
    """Ids of the files to read again, and whether these are more than were noted: then all are to be read. They are
    taken out of `lacking`. One request for each part in all units; raises AuthenticationFailed and RateLimited."""
    again: list[str] = []
    is_much = False
    for part, ask in ((COMMENTS, client.comments), (SHEETS, client.sheets)):
        if not (ids := lacking.of(part)):
            continue
        if parts.is_given(part, partial(ask, ids[0])):
            is_much = is_much or lacking.are_many(part)
            again += lacking.pop(part)
        else:
            lacking.rotate(part)
    return ([], True) if is_much else (list(dict.fromkeys(again)), False)
