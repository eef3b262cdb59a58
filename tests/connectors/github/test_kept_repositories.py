"""Lists of repositories that have not changed count on no quota; and what changes of them is told by the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.responses import Response

from connectors.contract import KeepsAnswers
from connectors.errors import InvalidResponse
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from tests.emulators.github import TOKEN, GitHub, serving

OWN = "user/repos"


class KeptAnswers(dict[str, dict[str, Any]]):
    """As the catalog keeps them."""

    def put(self, name: str, kept: dict[str, Any]) -> None:
        self[name] = kept


@pytest.fixture
def service() -> GitHub:
    """With five repositories on three pages."""
    service = GitHub(page_size=2)
    for one in range(5):
        service.repository(f"acme/mill-{one}")
    return service


@pytest.fixture
def open_next(service: GitHub) -> Iterator[Callable[..., GitHubConnector]]:
    """As each run does it: what the one before knew is in the catalog alone."""
    answers = KeptAnswers()
    with serving(service) as url:

        def opened(**settings: Any) -> GitHubConnector:
            given = {"id": "gh", "source": "github", "token": TOKEN, "base_url": url}
            connector = connect(GitHubConnection.model_validate(given | settings))
            assert isinstance(connector, KeepsAnswers)
            connector.keep_answers(answers)
            return connector

        yield opened


Listed = Callable[..., list[str]]


@pytest.fixture
def listed(service: GitHub, open_next: Callable[..., GitHubConnector]) -> Listed:
    """Names of what a run lists; `service.counted` has what that took."""

    def names(**settings: Any) -> list[str]:
        service.forget()
        with closing(open_next(**settings)) as connector:
            return [unit.name for unit in connector.units()]

    return names


def test_a_list_that_is_as_before_counts_on_no_quota(service: GitHub, listed: Listed) -> None:
    names = listed()
    assert (len(names), service.counted) == (5, [OWN] * 3)
    for _ in range(2):
        assert listed() == names
        assert (service.asked()[OWN], service.counted) == (3, [])


def test_memberships_are_read_by_the_same_list(service: GitHub, open_next: Callable[..., GitHubConnector]) -> None:
    for counted in (3, 0):
        service.forget()
        with closing(open_next()) as connector:
            assert list(connector.memberships()) == []
        assert Counter(service.counted)[OWN] == counted


CHANGES: dict[str, Callable[[GitHub], object]] = {
    "new": lambda service: service.repository("acme/new"),
    "two new": lambda service: [service.repository("acme/new"), service.repository("acme/newer")],
    "first gone": lambda service: service.delete_repository(service.repositories["acme/mill-0"]),
    "last gone": lambda service: service.delete_repository(service.repositories["acme/mill-4"]),
    "renamed": lambda service: service.rename(service.repositories["acme/mill-2"], "acme/granary"),
    "private": lambda service: setattr(service.repositories["acme/mill-3"], "private", True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_is_told_by_the_next_list(
    service: GitHub, open_next: Callable[..., GitHubConnector], change: Callable[[GitHub], object]
) -> None:
    def units() -> list[tuple[str, tuple[str, ...]]]:
        with closing(open_next()) as connector:
            return [(unit.name, unit.readers) for unit in connector.units()]

    before = units()
    change(service)
    after = units()
    assert sorted(name for name, _ in after) == sorted(service.repositories)
    assert after != before
    assert units() == after


def test_a_page_after_one_that_was_the_last_and_full_is_seen(service: GitHub, listed: Listed) -> None:
    """The page itself stays as it is, and so does its ETag."""
    service.repository("acme/sixth")
    assert len(listed()) == len(listed()) == 6
    service.repository("acme/seventh")
    assert len(listed()) == 7


def test_another_token_is_told_what_it_may_see(service: GitHub, listed: Listed) -> None:
    listed()
    service.tokens.add("another")
    service.delete_repository(service.repositories["acme/mill-1"])
    assert len(listed(token="another")) == 4


def test_a_repository_that_is_spelled_out_is_asked_for_what_has_changed(service: GitHub, listed: Listed) -> None:
    foreign = service.repository("other/lathe")
    service.unfound.add(OWN)
    service.unfound.add("installation/repositories")
    for counted in (1, 0):
        assert listed(include=["other/lathe"]) == ["other/lathe"]
        assert Counter(service.counted)["repos/other/lathe"] == counted
    foreign.private = True
    assert listed(include=["other/lathe"]) == ["other/lathe"]
    assert Counter(service.counted)["repos/other/lathe"] == 1


def test_a_server_that_says_for_ever_that_nothing_has_changed_is_believed_for_a_day(
    service: GitHub, listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed()
    service.delete_repository(service.repositories["acme/mill-0"])
    answered = service._answer

    def never_changes(asked: Any) -> Any:
        is_list = asked.path == OWN and "if-none-match" in asked.headers
        return Response(status_code=304) if is_list else answered(asked)

    monkeypatch.setattr(service, "_answer", never_changes)
    assert len(listed()) == 5
    later = datetime.now(UTC) + timedelta(days=1, minutes=1)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return later

    monkeypatch.setattr("connectors.github.repository_pages.datetime", Clock)
    assert len(listed()) == 4


def test_what_nobody_asked_for_cannot_be_as_before(service: GitHub, listed: Listed) -> None:
    service.fail(9, lambda: Response(status_code=304), only=OWN)
    with pytest.raises(InvalidResponse, match="304"):
        listed()
