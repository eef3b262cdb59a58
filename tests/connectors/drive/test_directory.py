"""Members of groups, from Google's Directory API."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import unquote

import httpx
import pytest

from connectors.contract import Membership, MembershipItem, UnreadableGroup
from connectors.drive.settings import DriveConnection
from connectors.drive.source import DriveConnector
from connectors.errors import AccessDenied, SourceError
from tests.connectors.drive.conftest import refusal

ADA = httpx.Response(200, json={"members": [{"email": "Ada@a.test", "type": "USER", "status": "ACTIVE"}]})
GROUPS = httpx.Response(200, json={"groups": [{"email": f"{name}@a.test"} for name in "cab"]})


def memberships(connection: DriveConnection, answers: dict[str, httpx.Response]) -> list[MembershipItem]:
    """What is told where a path below the directory has such an answer; Ada is in every other group."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path).removeprefix("/directory/")
        found = answers.get(path, GROUPS if path == "groups" else ADA)
        return httpx.Response(found.status_code, content=found.content)

    named = connection.model_copy(update={"directory_url": "http://drive.test/directory"})
    with closing(DriveConnector(named, httpx.MockTransport(answer))) as connector:
        return list(connector.memberships())


@pytest.mark.parametrize("status", [403, 400, 500])
def test_one_group_whose_members_cannot_be_read_leaves_the_others_alone(
    connection: DriveConnection, status: int
) -> None:
    first, second, third = memberships(connection, {"groups/b@a.test/members": refusal(status, "forbidden")})
    assert (first, third) == (Membership("a@a.test", "ada@a.test"), Membership("c@a.test", "ada@a.test"))
    assert isinstance(second, UnreadableGroup)
    assert second.group == "b@a.test"


def test_a_group_that_was_deleted_since_it_was_listed_has_no_members(connection: DriveConnection) -> None:
    found = memberships(connection, {"groups/b@a.test/members": refusal(404, "notFound")})
    assert [one.group for one in found if isinstance(one, Membership)] == ["a@a.test", "c@a.test"]


@pytest.mark.parametrize(("status", "error"), [(403, AccessDenied), (500, SourceError)])
def test_groups_that_cannot_be_listed_are_an_error(
    connection: DriveConnection, status: int, error: type[SourceError]
) -> None:
    with pytest.raises(error):
        memberships(connection, {"groups": refusal(status, "forbidden")})
