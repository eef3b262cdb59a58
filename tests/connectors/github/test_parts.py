"""Each part of a repository stands and falls by itself: what is refused or fails costs nothing of the others, and is
made up for once it is granted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import pytest

from connectors.contract import Checkpoint, Deleted, Failed, Item, ListingEntry, PartState
from connectors.github.part_table import COLLABORATORS, PARTS, WIKI
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from connectors.model import Document, Unit
from connectors.source_parts import Part
from tests.connectors.github.conftest import stopped
from tests.emulators.github import TOKEN, GitHub, Repository, serving
from tests.emulators.github_graphql import blob_sha
from tests.emulators.github_refusals import Refusal, part_of

UNIT = Unit("1001", "acme/api")
ROOT = "github:acme/1001"
OF_PART = {
    "issues": {"issues/1", "issues/2"},
    "pull requests": {"pull/3", "pull/4"},
    "discussions": {"discussions/5"},
    "releases": {"releases/one"},
    "files": {"blob/README.md", "blob/docs/a.md"},
    "commit comments": {f"commit/{'a' * 40}"},
    "wiki": {"wiki/Home.md", "wiki/_Sidebar.md"},
}
REFUSED: list[Refusal] = ["forbidden", "missing"]
TOLD = [(part, how) for part in PARTS[:-1] for how in (*REFUSED, "down", "odd") if (part, how) != (WIKI, "missing")]
"""A wiki that was never found, and is not found, may be one that nobody has written: see `test_wiki.py`."""


@pytest.fixture
def service() -> GitHub:
    return GitHub()


@pytest.fixture
def api(service: GitHub) -> Repository:
    api = service.repository("acme/api", private=True, collaborators=["ada"])
    service.emails = {"ada": "ada@acme.test"}
    for number in (1, 2):
        service.issue(api, f"Issue {number}")
        service.comment(api, number, "Said")
    for number in (3, 4):
        service.issue(api, f"Pull {number}", pull=True)
        service.comment(api, number, "Talked about")
        service.review(api, number, "APPROVED", "Well done")
    service.discussion(api, "Question")
    service.release(api, "v1", "Notes")
    service.comment_on_commit(api, "a" * 40, "Why not tallow?")
    for path in ("README.md", "docs/a.md"):
        service.write(api, path, "# Words")
    for path in ("Home.md", "_Sidebar.md"):
        service.write_page(api, path, "# Words")
    return api


@pytest.fixture
def connection(service: GitHub, api: Repository) -> Iterator[GitHubConnection]:
    with serving(service) as url:
        described = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        yield GitHubConnection.model_validate(described)


@pytest.fixture
def connector(connection: GitHubConnection) -> Iterator[GitHubConnector]:
    with closing(connect(connection)) as connector:
        yield connector


def names(items: Iterable[object]) -> set[str]:
    found = [getattr(item, "document_id", "") or getattr(item, "id", "") for item in items]
    paths = (one.removeprefix(f"{ROOT}/") for one in found if one)
    return {"releases/one" if path.startswith("releases/") else path for path in paths}


def texts(items: Iterable[Item]) -> dict[str, str]:
    return {item.id.removeprefix(f"{ROOT}/"): str(item.content) for item in items if isinstance(item, Document)}


def cursor_of(items: list[Item]) -> dict[str, Any]:
    assert isinstance(items[-1], Checkpoint)
    return items[-1].cursor


def asked_of(service: GitHub, part: str) -> int:
    paths = (one.partition("?")[0] for one in service.log)
    return Counter(part_of(path, b"discussions(") for path in paths)[part]


@pytest.mark.each_value
@pytest.mark.parametrize(("part", "how"), TOLD, ids=[f"{part.name}-{how}" for part, how in TOLD])
def test_what_was_refused_from_the_beginning_is_read_once_it_is_granted(
    service: GitHub, connection: GitHubConnection, connector: GitHubConnector, part: Part, how: Refusal
) -> None:
    """By the next sync, which has a connector of its own."""
    service.refuse(part.name, how)
    first = list(connector.read(UNIT))
    others = set().union(*(found for name, found in OF_PART.items() if name != part.name))
    assert {name: status for name, (status, _) in stopped(first).items()} == {
        part.name: "refused" if how in REFUSED else "failing"
    }
    assert (names(first), names(connector.listing(UNIT))) == (others, others)
    service.allow(part.name)
    with closing(connect(connection)) as later:
        again = list(later.read(UNIT, cursor_of(first)))
        whole = texts(later.read(UNIT))
    assert stopped(again) == {}
    # With issues come the pull requests once more: their comments belong to the API of issues.
    assert names(again) - others == OF_PART[part.name]
    assert texts(first) | texts(again) == whole


@pytest.mark.each_value
@pytest.mark.parametrize("part", PARTS[:-1], ids=lambda part: part.name)
@pytest.mark.parametrize("how", REFUSED)
def test_a_part_that_is_refused_costs_one_request_each_time(
    service: GitHub, connection: GitHubConnection, connector: GitHubConnector, part: Part, how: Refusal
) -> None:
    service.refuse(part.name, how)
    cursor = cursor_of(list(connector.read(UNIT)))
    for _ in range(2):
        service.forget()
        with closing(connect(connection)) as later:
            idle = list(later.read(UNIT, cursor))
        assert (names(idle), asked_of(service, part.name)) == (set(), 1)
        assert len(service.log) <= 9
        cursor = cursor_of(idle)


@pytest.mark.parametrize("how", [*REFUSED, "down"])
def test_what_changes_while_a_part_is_refused_is_found_later(
    service: GitHub, api: Repository, connector: GitHubConnector, how: Refusal
) -> None:
    cursor = cursor_of(list(connector.read(UNIT)))
    for part in ("issues", "pull requests"):
        service.refuse(part, how)
        for number in (1, 3):
            service.edit_issue(api, number, body=f"Edited without {part}")
            service.comment(api, number, f"Said without {part}")
        during = list(connector.read(UNIT, cursor))
        assert not any(isinstance(item, Deleted | Failed) for item in during)
        service.allow(part)
        after = list(connector.read(UNIT, cursor_of(during)))
        found = texts(during) | texts(after)
        for name in ("issues/1", "pull/3"):
            assert f"Edited without {part}" in found[name]
            assert f"Said without {part}" in found[name]
        cursor = cursor_of(after)
        assert names(connector.read(UNIT, cursor)) == set()


@pytest.mark.each_value
@pytest.mark.parametrize("part", PARTS[:-1], ids=lambda part: part.name)
@pytest.mark.parametrize("how", [*REFUSED, "down", "odd"])
def test_an_object_of_a_refused_part_is_not_gone(
    service: GitHub, api: Repository, connector: GitHubConnector, part: Part, how: Refusal
) -> None:
    (release,) = api.releases
    name = f"releases/{release}" if part.name == "releases" else min(OF_PART[part.name])
    service.refuse(part.name, how)
    (item,) = connector.fetch(UNIT, [f"{ROOT}/{name}"])
    assert isinstance(item, Failed)


def test_a_listing_that_breaks_off_names_no_pull_request_twice(service: GitHub, connector: GitHubConnector) -> None:
    service.page_size = 3
    listing = connector.listing(UNIT)
    told = [next(listing)]
    service.refuse("issues", "down")
    told += listing
    listed = [one.document_id for one in told if isinstance(one, ListingEntry)]
    assert len(listed) == len(set(listed))
    assert names(told) == set().union(*OF_PART.values())
    assert set(stopped(told)) == {"issues"}


def test_collaborators_are_told_with_the_next_read(service: GitHub, connector: GitHubConnector) -> None:
    """GitHub's header would have it that `metadata=read` is missing, where it is the account's role."""
    service.refuse("collaborators", "forbidden")
    list(connector.memberships())
    read, listed = stopped(connector.read(UNIT)), stopped(connector.listing(UNIT))
    assert read == listed
    ((status, reason),) = read.values()
    assert status == "refused"
    assert reason.endswith(f"; grant {COLLABORATORS.permission}")
    service.allow("collaborators")
    list(connector.memberships())
    assert stopped(connector.read(UNIT)) == {}


def lose(service: GitHub, *kinds_and_numbers: tuple[str, int]) -> None:
    """Their own addresses do not know them; listings show them."""
    for kind, number in kinds_and_numbers:
        own = f"repos/acme/api/{kind}/{number}"
        service.unfound |= {own, f"{own}/comments", f"{own}/reviews"}


def states_of(items: Iterable[object]) -> dict[str, PartState]:
    return {item.part: item for item in items if isinstance(item, PartState) and item.status != "complete"}


def test_where_no_pull_request_is_found_the_part_is_refused_and_its_listing_whole(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    cursor = cursor_of(list(connector.read(UNIT)))
    for number in (3, 4):
        service.edit_issue(api, number, body="Edited")
    lose(service, ("pulls", 3), ("pulls", 4), ("issues", 3), ("issues", 4))
    read = list(connector.read(UNIT, cursor))
    assert {item.document_id for item in read if isinstance(item, Failed)} == {f"{ROOT}/pull/3", f"{ROOT}/pull/4"}
    told = states_of(read)
    assert (set(told), told["pull requests"].status) == ({"pull requests"}, "refused")
    assert told["pull requests"].reason.endswith("nor are 1 others, although listed; grant Pull requests: read")
    assert {"pull/3", "pull/4"} <= names(connector.listing(UNIT))
    service.delete_issue(api, 3)
    (gone,) = connector.fetch(UNIT, [f"{ROOT}/pull/3"])
    assert (gone, isinstance(gone, Deleted) and gone.is_unfound) == (Deleted(f"{ROOT}/pull/3"), True)
    (wrong,) = [finding for finding in connector.check() if not finding.ok]
    assert (wrong.subject, wrong.permission) == ("pull requests", "Pull requests: read")
    service.unfound.clear()
    again = list(connector.read(UNIT, cursor_of(read)))
    assert states_of(again) == {}


@pytest.mark.parametrize("newest", ["issues", "pulls"])
def test_one_that_is_not_found_leaves_its_neighbours_alone(
    service: GitHub, api: Repository, connector: GitHubConnector, newest: str
) -> None:
    """The newest, by which it is asked whether its part may be read."""
    number = {"issues": 2, "pulls": 4}[newest]
    lose(service, (newest, number), ("issues", number))
    service.edit_issue(api, {"issues": 1, "pulls": 3}[newest], body="Edited after it")
    read = list(connector.read(UNIT))
    assert states_of(read) == {}
    (failed,) = [item.document_id for item in read if isinstance(item, Failed)]
    assert failed.endswith(f"/{number}")
    assert names(read) == set().union(*OF_PART.values())
    assert all(finding.ok for finding in connector.check())


def test_a_pull_request_whose_branches_are_not_found_is_asked_for_again(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    """Its form of an issue is there: read by that alone, it would be without them until it changes."""
    service.unfound.add("repos/acme/api/pulls/4")
    read = list(connector.read(UNIT))
    assert [item.document_id for item in read if isinstance(item, Failed)] == [f"{ROOT}/pull/4"]
    assert states_of(read) == {}
    service.unfound.add("repos/acme/api/pulls/3")  # a server that has none at such addresses
    assert {"pull/3", "pull/4"} <= texts(connector.read(UNIT)).keys()


def test_what_was_read_while_no_pull_request_was_at_its_own_address_is_read_once_more(
    service: GitHub, api: Repository, connection: GitHubConnection
) -> None:
    """Each sync has a connector of its own."""
    pulls = ("pull/3", "pull/4")

    def sync(cursor: dict[str, Any] | None) -> tuple[dict[str, str], dict[str, Any]]:
        with closing(connect(connection)) as connector:
            items = list(connector.read(UNIT, cursor))
        return {name: text for name, text in texts(items).items() if name in pulls}, cursor_of(items)

    whole, _ = sync(None)
    service.unfound = {"repos/acme/api/pulls/3", "repos/acme/api/pulls/4"}
    lacking, cursor = sync(None)
    assert all(lacking[one] != whole[one] for one in pulls), "without their branches"
    assert sync(cursor)[0] == {}
    service.unfound = set()
    found, cursor = sync(cursor)
    assert found == whole
    assert sync(cursor)[0] == {}


def test_where_no_discussion_is_found_the_part_is_refused_and_its_listing_whole(
    api: Repository, service: GitHub, connector: GitHubConnector
) -> None:
    other = service.discussion(api, "Another question")
    api.lost_discussions = {5, other}
    read = list(connector.read(UNIT))
    told = states_of(read)
    assert (set(told), told["discussions"].id_prefixes) == ({"discussions"}, ())
    lost = {f"discussions/{number}" for number in api.lost_discussions}
    assert {item.document_id for item in read if isinstance(item, Failed)} == {f"{ROOT}/{name}" for name in lost}
    assert lost <= names(connector.listing(UNIT))
    assert [finding.subject for finding in connector.check() if not finding.ok] == ["discussions"]
    api.lost_discussions = {other}
    assert states_of(connector.read(UNIT)) == {}
    assert all(finding.ok for finding in connector.check())


def test_where_no_file_is_found_the_part_is_refused_and_its_tree_whole(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    cursor = cursor_of(list(connector.read(UNIT)))
    for path in ("README.md", "docs/a.md"):
        service.write(api, path, f"# Other words of {path}")
    service.unfound |= {f"repos/acme/api/git/blobs/{blob_sha(api.files[path])}" for path in ("README.md", "docs/a.md")}
    read = list(connector.read(UNIT, cursor))
    ids = [f"{ROOT}/blob/{path}" for path in ("README.md", "docs/a.md")]
    assert [item.document_id for item in read if isinstance(item, Failed)] == ids
    told = states_of(read)
    assert (set(told), told["files"].status, told["files"].id_prefixes) == ({"files"}, "refused", ())
    assert told["files"].reason.endswith("nor are 1 others, although listed; grant Contents: read")
    assert OF_PART["files"] <= names(connector.listing(UNIT))
    fetched = list(connector.fetch(UNIT, ids))
    assert (names(fetched), set(states_of(fetched))) == (OF_PART["files"], {"files"})
    (wrong,) = [finding for finding in connector.check() if not finding.ok]
    assert (wrong.subject, wrong.permission) == ("files", "Contents: read")
    service.unfound.pop()
    again = list(connector.read(UNIT, cursor_of(read)))
    assert states_of(again) == {}
    assert all(finding.ok for finding in connector.check())


def test_a_release_that_its_own_address_does_not_know_is_found_in_the_listing(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    (release,) = api.releases
    service.unfound.add(f"repos/acme/api/releases/{release}")
    (item,) = connector.fetch(UNIT, [f"{ROOT}/releases/{release}"])
    assert isinstance(item, Document)
    del api.releases[release]
    assert list(connector.fetch(UNIT, [f"{ROOT}/releases/{release}"])) == [Deleted(f"{ROOT}/releases/{release}")]
