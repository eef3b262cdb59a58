"""How the parts of Drive stand in one pass over the units, or one look at what events point at."""

from __future__ import annotations

from connectors.drive.part_table import CHANGES, COMMENTS, CONTENT, PARTS, SHEETS
from connectors.drive.responses import DriveAccessDenied
from connectors.errors import SourceError
from connectors.part_watch import PartWatch

_OF_ALL_FILES = {
    "accessNotConfigured",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "insufficientPermissions",
    "insufficientScopes",
    "SERVICE_DISABLED",
}
"""Google's reasons that are about the credentials or the project, whichever file is asked for.
https://developers.google.com/workspace/drive/api/guides/handle-errors"""


def watch_parts() -> PartWatch:
    return PartWatch(PARTS, _is_general, dispensable=(COMMENTS, CHANGES, SHEETS), own=(CONTENT,), in_threads=True)


def _is_general(part: str, error: SourceError) -> bool:
    """Whether a refusal is about a part of Drive, and not about the file that was asked for."""
    return part == CHANGES or (isinstance(error, DriveAccessDenied) and error.reason in _OF_ALL_FILES)
