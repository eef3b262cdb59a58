"""What a GitHub App asks for many repositories at once: no answer of the REST API is as before to its token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.responses import Response

from connectors.contract import Checkpoint, Cursor, EmptyGroup, Membership, PartState, UnreadableGroup
from connectors.github.activity_heads import ActivityHeads
from connectors.github.collaborator_batches import REPOSITORIES_PER_REQUEST
from connectors.github.settings import GitHubConnection
from connectors.github.source import AppConnector, connect
from connectors.model import Document, Unit
from tests.emulators.github import GitHub, Repository, app_settings, serving

HEADS = 1
"""Requests for what happened last in some repositories."""


@pytest.fixture
def service() -> GitHub:
    return GitHub()


@pytest.fixture
def open_next(service: GitHub) -> Iterator[Callable[[], AppConnector]]:
    """As each run does it: with another token than the one before."""
    with serving(service) as url:
        settings = {"id": "gh", "source": "github", "base_url": url, **app_settings(service)}
        connection = GitHubConnection.model_validate(settings)

        def opened() -> AppConnector:
            connector = connect(connection)
            assert isinstance(connector, AppConnector)
            return connector

        yield opened


@pytest.fixture
def api(service: GitHub) -> Repository:
    """With something of each kind, the last of which happened months ago."""
    api = service.repository("acme/api", has_discussions=True)
    issue, pull = service.issue(api, "Wheel"), service.issue(api, "Oil it", pull=True)
    service.comment(api, issue, "It turns.")
    service.review(api, pull, "APPROVED", "Yes.")
    service.discussion(api, "Oil", "Which one?")
    service.release(api, "v1", "The first.")
    service.write(api, "README.md", "# Mill")
    service.repository("acme/empty")
    return api


class Runs:
    """Reads all units, run after run."""

    def __init__(self, service: GitHub, open_next: Callable[[], AppConnector]) -> None:
        self._service = service
        self._open_next = open_next
        self._cursors: dict[str, Cursor] = {}
        self.states: list[PartState] = []

    def read(self, *, scheduled: bool = True) -> list[str]:
        """Titles of what was read; `counted` has what this run took, but for its token and its list of units."""
        found, self.states = list[str](), []
        with closing(self._open_next()) as connector:
            units = list(connector.units())
            connector.look_ahead(units, scheduled=scheduled)
            self._service.forget()
            for unit in units:
                found += self._read(connector, unit)
        return found

    @property
    def counted(self) -> Counter[str]:
        return Counter(self._service.counted)

    def _read(self, connector: AppConnector, unit: Unit) -> Iterator[str]:
        for item in connector.read(unit, self._cursors.get(unit.id)):
            if isinstance(item, Document):
                yield item.title
            elif isinstance(item, Checkpoint):
                self._cursors[unit.id] = item.cursor
            elif isinstance(item, PartState):
                self.states.append(item)


@pytest.fixture
def runs(service: GitHub, api: Repository, open_next: Callable[[], AppConnector]) -> Runs:
    """After a first read, and one that nobody scheduled."""
    found = Runs(service, open_next)
    assert len(found.read(scheduled=False)) == 5
    assert found.read(scheduled=False) == []
    return found


@pytest.fixture
def hours_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    def turn(hours: float) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return datetime.now(UTC) + timedelta(hours=hours)

        monkeypatch.setattr("connectors.github.source.datetime", Clock)

    return turn


def test_quiet_repositories_take_a_schedule_one_question_for_all_of_them(runs: Runs) -> None:
    for _ in range(2):
        assert runs.read() == []
        assert runs.counted == {"graphql": HEADS}
    assert runs.read(scheduled=False) == []
    assert runs.counted["repos/acme/api/issues"] == runs.counted["repos/acme/empty/issues"] == 1


CHANGES: dict[str, tuple[Callable[[GitHub, Repository], object], str]] = {
    "issue": (lambda service, api: service.issue(api, "New"), "New"),
    "comment": (lambda service, api: service.comment(api, 1, "Look again."), "Wheel"),
    "pull request": (lambda service, api: service.comment(api, 2, "Look again."), "Oil it"),
    "discussion": (lambda service, api: service.discuss(api, 3, "Olive."), "Oil"),
    "release": (lambda service, api: service.release(api, "v2", "The second."), "Release v2"),
    "push": (lambda service, api: service.write(api, "docs/new.md", "# New"), "docs/new.md"),
    "description": (lambda service, api: api.more.update(description="Mills.", updated_at="2026-03-03T00:00:00Z"), ""),
}


@pytest.mark.parametrize(("change", "title"), CHANGES.values(), ids=CHANGES)
def test_a_schedule_finds_at_once_what_happened_in_a_quiet_repository(
    service: GitHub, api: Repository, runs: Runs, change: Callable[[GitHub, Repository], object], title: str
) -> None:
    change(service, api)
    assert runs.read() == [title or "acme/api"]
    assert not any(path.startswith("repos/acme/empty") for path in runs.counted), "nothing happened there"
    assert runs.read() == []
    assert runs.counted == {"graphql": HEADS}


def edit_an_old_comment(service: GitHub, api: Repository) -> None:
    """Without a word in its issue's time."""
    before = api.issues[1]["updated_at"]
    service.edit_comment(api, 1, next(iter(api.comments[1])), "It stands still.")
    api.issues[1]["updated_at"] = before


def test_what_no_head_shows_is_found_by_commands_at_once(service: GitHub, api: Repository, runs: Runs) -> None:
    edit_an_old_comment(service, api)
    assert runs.read() == []
    assert runs.read(scheduled=False) == ["Wheel"]


def test_what_no_head_shows_is_found_by_schedules_within_six_hours(
    service: GitHub, api: Repository, runs: Runs, hours_later: Callable[[float], None]
) -> None:
    edit_an_old_comment(service, api)
    hours_later(5.9)
    assert runs.read() == []
    hours_later(6.1)
    assert runs.read() == ["Wheel"]


@pytest.mark.parametrize(("hours", "looks"), [(23, 1), (25, 0)])
def test_a_repository_in_which_something_happened_today_is_looked_at(
    service: GitHub, api: Repository, runs: Runs, hours: int, looks: int
) -> None:
    """An edit of a comment is the likelier the sooner after it."""
    service.clock = datetime.now(UTC) - timedelta(hours=hours)
    service.write(api, "README.md", "# Mills")
    assert runs.read() == ["README.md"]
    assert runs.read() == []
    assert runs.counted["repos/acme/api"] == looks


def test_a_part_that_is_refused_costs_a_quiet_repository_nothing_until_it_is_granted(
    service: GitHub, api: Repository, runs: Runs
) -> None:
    service.refuse("discussions", "forbidden")
    runs.read(scheduled=False)
    assert {one.part for one in runs.states if one.status == "refused"} == {"discussions"}
    service.discuss(api, 3, "Olive.")
    assert runs.read() == []
    assert runs.counted == {"graphql": HEADS + 1}, "once more without what was refused"
    service.allow("discussions")
    assert runs.read() == ["Oil"]


def test_a_part_that_fails_is_asked_for_by_each_schedule(service: GitHub, runs: Runs) -> None:
    service.refuse("releases", "down")
    runs.read(scheduled=False)
    assert {one.part for one in runs.states if one.status == "failing"} == {"releases"}
    runs.read()
    assert runs.counted["repos/acme/api/releases"]


@pytest.mark.parametrize("is_old", [True, False])
def test_without_such_an_answer_each_repository_is_looked_at(service: GitHub, runs: Runs, is_old: bool) -> None:
    service.graphql = not is_old
    if not is_old:
        service.fail(20, lambda: Response(status_code=502), only="graphql")
    service.issue(service.repositories["acme/empty"], "New")
    assert runs.read() == ["New"]


def test_who_takes_over_a_name_is_not_taken_for_the_repository_that_had_it(
    service: GitHub, open_next: Callable[[], AppConnector]
) -> None:
    before = service.repository("acme/empty")
    with closing(open_next()) as connector:
        units = list(connector.units())
        service.rename(before, "acme/archive")
        service.repository("acme/empty")
        heads = ActivityHeads(connector._client)
        heads.expect(units)
        assert heads.take(str(before.id)) is None


# ---- who belongs to them


@pytest.fixture
def private(service: GitHub) -> list[Repository]:
    service.emails = {login: f"{login}@acme.test" for login in ("ada", "bo")}
    service.repository("acme/open")
    logins = ["ada", "bo", "cy"]
    return [service.repository(f"acme/mill-{one}", private=True, collaborators=logins[: one + 1]) for one in range(3)]


def members(service: GitHub, open_next: Callable[[], AppConnector]) -> dict[str, list[str]]:
    """Members by group; `counted` has what it took, but for the token and the list of units."""
    found: dict[str, list[str]] = {}
    service.forget()
    with closing(open_next()) as connector:
        for item in connector.memberships():
            assert not isinstance(item, UnreadableGroup), item.reason
            belongs = isinstance(item, Membership)
            assert belongs or isinstance(item, EmptyGroup)
            found.setdefault(item.group, []).extend([item.email] if isinstance(item, Membership) else [])
        assert {one.id for one in connector.accounts()} <= {"ada", "bo", "cy"}
    service.counted = [path for path in service.counted if not path.startswith(("app/", "installation/"))]
    return found


def test_members_of_many_repositories_are_told_at_once(
    service: GitHub, private: list[Repository], open_next: Callable[[], AppConnector]
) -> None:
    ada, bo = "ada@acme.test", "bo@acme.test"
    expected = {str(one.id): people for one, people in zip(private, ([ada], [ada, bo], [ada, bo]), strict=True)}
    assert members(service, open_next) == expected
    assert service.counted == ["graphql"]
    private[1].collaborators.remove("bo")
    private[2].collaborators.clear()
    del service.emails["ada"]
    assert members(service, open_next) == {str(one.id): [] for one in private}


def test_so_are_those_of_more_than_fit_into_a_question(service: GitHub, open_next: Callable[[], AppConnector]) -> None:
    """More repositories, and more people of one of them."""
    service.emails = {f"p{one}": f"p{one}@acme.test" for one in range(250)}
    with_all = service.repository("acme/all", private=True, collaborators=list(service.emails))
    few = [service.repository(f"acme/{one}", private=True) for one in range(REPOSITORIES_PER_REQUEST)]
    found = dict[str, list[str]]()
    with closing(open_next()) as connector:
        for item in connector.memberships():
            if isinstance(item, Membership):
                found.setdefault(item.group, []).append(item.email)
    assert found == {str(with_all.id): list(service.emails.values())}
    assert Counter(service.counted)["graphql"] == 4
    assert not any(path.endswith("collaborators") for path in service.counted), len(few)


@pytest.mark.parametrize("how", ["forbidden", "down"])
def test_who_may_not_be_told_so_is_asked_for_by_repository(
    service: GitHub, private: list[Repository], open_next: Callable[[], AppConnector], how: Any
) -> None:
    service.refuse("collaborators", how)
    with closing(open_next()) as connector:
        found = list(connector.memberships())
    assert {one.group for one in found if isinstance(one, UnreadableGroup)} == {str(one.id) for one in private}
    assert len(found) == len(private)
    service.allow("collaborators")
    service.graphql = False
    with closing(open_next()) as connector:
        assert [one for one in connector.memberships() if isinstance(one, UnreadableGroup)] == []
    assert "repos/acme/mill-0/collaborators" in service.counted


def test_nobody_gets_into_a_repository_by_the_name_of_another(
    service: GitHub, private: list[Repository], open_next: Callable[[], AppConnector]
) -> None:
    """The name passes to another repository between the list and the question."""
    first = private[0]
    with closing(open_next()) as connector:
        items = connector.memberships()
        listed = service.answered

        def rename_after_the_list(asked: Any) -> Any:
            answer = listed(asked)
            if asked.path == "installation/repositories" and first.full_name == "acme/mill-0":
                service.rename(first, "acme/archive")
                service.repository("acme/mill-0", private=True, collaborators=["bo"])
            return answer

        service.answered = rename_after_the_list  # type: ignore[method-assign]
        of_first = [one for one in items if one.group == str(first.id)]
    assert [type(one) for one in of_first] == [UnreadableGroup]
