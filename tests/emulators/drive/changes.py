"""The changes feed, of the account or of one shared drive: each file once, where it changed last.

https://developers.google.com/workspace/drive/api/guides/about-changes
"""

from __future__ import annotations

from starlette.responses import Response

from tests.emulators.drive.query import Payload
from tests.emulators.drive.responses import Query, error, masked
from tests.emulators.drive.store import GoogleDrive
from tests.emulators.drive.view import described, sees


def answer_start_page_token(drive: GoogleDrive, query: Query) -> Response:
    return masked({"startPageToken": str(len(drive.log))}, query)


def answer_changes(drive: GoogleDrive, query: Query) -> Response:
    """A page token is a position in the log. Not to ask for removals is a mistake here."""
    if not query.get("includeRemoved") == query.get("includeCorpusRemovals") == "true":
        raise AssertionError("removals were not asked for")
    token, place = query.get("pageToken", ""), query.get("driveId")
    if not token.isdigit() or not drive.oldest_token <= int(token) <= len(drive.log):
        return error(400, "invalid", "Invalid Value: pageToken")
    positions = [one for one in _latest(drive, place) if one >= int(token)]
    size = min(int(query.get("pageSize", 100)), drive.page_size)
    changes = [_change(drive, drive.log[position][0], place) for position in positions[:size]]
    more = len(positions) > size
    following = {"nextPageToken": str(positions[size])} if more else {"newStartPageToken": str(len(drive.log))}
    return masked({"changes": changes, **following}, query)


def _latest(drive: GoogleDrive, place: str | None) -> list[int]:
    """Positions of the last change of each file."""
    log = enumerate(drive.log)
    return sorted({file: at for at, (file, where) in log if place is None or where == place}.values())


def _change(drive: GoogleDrive, file: str, place: str | None) -> Payload:
    """What has moved to another shared drive is removed from the list of changes of the one that it was in."""
    known = file in drive.files and sees(drive, file) and (not place or drive.files[file]["driveId"] == place)
    said = {"kind": "drive#change", "changeType": "file", "fileId": file, "removed": not known}
    return {**said, "file": described(drive, file)} if known else said
