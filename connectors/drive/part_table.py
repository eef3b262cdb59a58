"""What is asked of Drive, and the permission that each part needs.

https://developers.google.com/workspace/drive/api/guides/api-specific-auth
"""

from __future__ import annotations

from connectors.source_parts import Part

LISTING, CONTENT, PERMISSIONS, COMMENTS = "listing", "content", "permissions", "comments"
CHANGES, SHEETS, DIRECTORY = "changes", "sheets", "directory"

_SCOPE = "the scope drive.readonly"
PARTS = (
    Part(LISTING, _SCOPE, "no file is found, and none that is known is kept up to date", "GET files"),
    Part(CONTENT, _SCOPE, "what files hold is not found", "GET files/{id}/export or GET files/{id}?alt=media"),
    Part(
        PERMISSIONS,
        f"{_SCOPE}, and to the account the role of an editor, or in shared drives of a content manager",
        "files are visible to nobody",
        "GET files/{id}/permissions",
    ),
    Part(COMMENTS, _SCOPE, "comments beside documents are not found", "GET files/{id}/comments"),
    Part(
        CHANGES,
        _SCOPE,
        "what is moved, unshared or deleted is noticed by the next reconcile only",
        "GET changes",
    ),
    Part(
        SHEETS,
        f"the Google Sheets API in the project of the credentials, and {_SCOPE}",
        "of spreadsheets over 10 MB the first sheet alone is found",
        "GET spreadsheets/{id}",
    ),
    Part(
        DIRECTORY,
        "the scopes admin.directory.group.readonly and, for `subjects`, admin.directory.user.readonly",
        "nobody finds a file through a group, and `subjects` have no drives",
        "GET groups, and GET permissionIds/{email} of Drive's API v2",
    ),
)
PARTS_BY_NAME = {one.name: one for one in PARTS}
