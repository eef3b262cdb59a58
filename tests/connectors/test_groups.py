"""One group's trouble is its own, that of the source is everybody's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from connectors.contract import EmptyGroup, Membership, MembershipItem, UnreadableGroup
from connectors.errors import AccessDenied, AuthenticationFailed, NotFound, RateLimited, SourceError, Unavailable
from connectors.groups import GroupReads

DOWN = Unavailable("https://api.test", "HTTP 503")


def raising(error: Exception) -> Callable[[], list[str]]:
    def read() -> list[str]:
        raise error

    return read


def test_each_address_counts_once_and_none_is_empty() -> None:
    found = GroupReads(lambda: None).read("g", lambda: ["ada@a.test", "", "bo@a.test", "ada@a.test"])
    assert list(found) == [Membership("g", "ada@a.test"), Membership("g", "bo@a.test")]


@pytest.mark.parametrize("addresses", [[], [""]])
def test_a_group_without_members_was_read(addresses: list[str]) -> None:
    assert list(GroupReads(lambda: None).read("g", lambda: addresses)) == [EmptyGroup("g")]


@pytest.mark.parametrize(
    "error", [DOWN, AccessDenied("x", "no"), NotFound("x"), SourceError("too many"), KeyError("id")]
)
def test_a_group_that_cannot_be_read_says_why(error: Exception) -> None:
    (found,) = GroupReads(lambda: None).read("g", raising(error))
    assert isinstance(found, UnreadableGroup)
    assert found.group == "g"
    assert (str(error) if isinstance(error, SourceError) else "KeyError") in found.reason


@pytest.mark.parametrize("error", [AuthenticationFailed("x", "no"), RateLimited("x", None)])
def test_credentials_and_limits_are_everybodys(error: SourceError) -> None:
    with pytest.raises(type(error)):
        list(GroupReads(lambda: None).read("g", raising(error)))


@pytest.mark.parametrize(
    ("probed", "told"), [(DOWN, 2), (AuthenticationFailed("x", "no"), 2), (NotFound("x"), 7), (None, 7)]
)
def test_after_a_few_in_a_row_the_source_is_asked_whether_it_answers(probed: SourceError | None, told: int) -> None:
    probes: list[str] = []

    def probe() -> None:
        probes.append("asked")
        if probed:
            raise probed

    groups, found = GroupReads(probe), list[MembershipItem]()
    with suppress(SourceError):
        for number in range(7):
            found.extend(groups.read(str(number), raising(DOWN)))
    assert (len(found), len(probes)) == (told, 1 if told == 2 else 2)


def test_a_group_that_is_read_ends_the_row() -> None:
    groups = GroupReads(raising(DOWN))
    for _ in range(5):
        assert len([*groups.read("a", raising(DOWN)), *groups.read("b", raising(DOWN))]) == 2
        assert list(groups.read("c", lambda: [])) == [EmptyGroup("c")]
