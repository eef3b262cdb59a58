"""Who belongs to the groups of a Google Workspace, by Google's Directory API.

Drive names groups and does not tell their members. The Directory API does, to an administrator's delegate with the
scope below: without `directory_url` it is not asked, and then nobody sees a file through a group.

Source: https://developers.google.com/workspace/admin/directory/reference/rest/v1/members/list
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from connectors.contract import Membership
from connectors.drive.client import credential, drive_error, parser
from connectors.drive.credentials import Authorization
from connectors.drive.payloads import GroupPage, MemberPage
from connectors.drive.settings import DriveConnection
from connectors.errors import InvalidResponse, NotFound
from connectors.http import ApiClient

SCOPE = "https://www.googleapis.com/auth/admin.directory.group.readonly"
PER_PAGE = 200

P = TypeVar("P", GroupPage, MemberPage)


class Directory:
    """The groups of the account's organisation. Every method raises SourceError."""

    def __init__(self, connection: DriveConnection, url: str, transport: httpx.BaseTransport | None = None) -> None:
        authorized = Authorization(connection, transport or httpx.HTTPTransport(), SCOPE)
        self._api = ApiClient(url, {}, check=drive_error, credential=credential(connection), transport=authorized)

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def memberships(self) -> Iterator[Membership]:
        """People in each group, and in the groups inside it."""
        groups = self._pages(GroupPage, "groups", {"customer": "my_customer", "fields": "nextPageToken,groups(email)"})
        for name in sorted({group.email.strip().lower() for page in groups for group in page.groups}):
            for email in sorted(self._members(name)):
                yield Membership(name, email)

    def _members(self, group: str) -> set[str]:
        """Addresses; none for a group that has gone meanwhile."""
        wanted = {"includeDerivedMembership": "true", "fields": "nextPageToken,members(email,type,status)"}
        try:
            pages = list(self._pages(MemberPage, f"groups/{quote(group, safe='@')}/members", wanted))
        except NotFound:
            return set()
        return {member.email.strip().lower() for page in pages for member in page.members if member.is_person}

    def _pages(self, payload: type[P], path: str, params: Mapping[str, Any]) -> Iterator[P]:
        token, seen = "", set[str]()
        while True:
            query = {**params, "maxResults": PER_PAGE, **({"pageToken": token} if token else {})}
            page = self._api.send("GET", path, params=query, parse=parser(payload, path))
            yield page
            if not page.next_page_token:
                return
            token = page.next_page_token
            if token in seen:
                raise InvalidResponse(path, f"the page token {token[:40]!r} came a second time")
            seen.add(token)
