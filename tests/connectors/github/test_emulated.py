"""The connector over HTTP against the emulator: listings, names, discussions, and what has moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from starlette.responses import JSONResponse

from connectors.contract import Checkpoint, Deleted, Item, ListingEntry, Membership, PartState, Skipped
from connectors.errors import NotFound
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from connectors.model import Document, Unit
from tests.emulators.github import TOKEN, GitHub, Repository, serving

UNIT = Unit("1001", "acme/api")
"""The first repository that the emulator makes."""
ROOT = "github:acme/1001"


@pytest.fixture
def service() -> GitHub:
    return GitHub()


@pytest.fixture
def api(service: GitHub) -> Repository:
    return service.repository("acme/api")


@pytest.fixture
def connector(service: GitHub) -> Iterator[GitHubConnector]:
    with serving(service) as url:
        settings = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url, "exclude": ["acme/secret"]}
        with closing(connect(GitHubConnection.model_validate(settings))) as connector:
            yield connector
    assert service.strayed == []


def named(items: Sequence[Item]) -> list[str]:
    """Ids of everything but checkpoints."""
    found = [item for item in items if not isinstance(item, Checkpoint | PartState)]
    return [item.id if isinstance(item, Document) else item.document_id for item in found]


def fill(service: GitHub, api: Repository, count: int = 130) -> None:
    for number in range(count):
        service.issue(api, f"Issue {number}", pull=number % 5 == 0)
        service.discussion(api, f"Discussion {number}")
        service.release(api, f"v{number}", "notes", draft=number == 7)
        service.write(api, f"docs/{number}.{'md' if number % 2 else 'bin'}", "text")


def test_a_listing_names_what_reading_yields(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    fill(service, api)
    items = list(connector.read(UNIT))
    service.forget()
    told = list(connector.listing(UNIT))
    listed = [one for one in told if isinstance(one, ListingEntry)]
    assert {one for one in told if isinstance(one, PartState)} == {one for one in items if isinstance(one, PartState)}
    assert sorted(one.document_id for one in listed) == sorted(named(items))
    assert len(service.log) == 1 + 1 + 2 + 2 + 2 + 1 + 1
    times = {item.id: item.updated_at for item in items if isinstance(item, Document)}
    assert {one.document_id: one.updated_at for one in listed if one.updated_at and one.document_id in times} == {
        document_id: time for document_id, time in times.items() if "/blob/" not in document_id
    }


def test_fetch_gives_what_read_gave(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    fill(service, api, 8)
    items = [item for item in connector.read(UNIT) if not isinstance(item, Checkpoint | PartState)]
    assert any(isinstance(item, Skipped) and item.reason == "draft" for item in items)
    assert list(connector.fetch(UNIT, named(items))) == items
    gone = [f"{ROOT}/{name}" for name in ("releases/1", "releases/x", "discussions/999", "discussions/x", "wiki/Home")]
    assert list(connector.fetch(UNIT, gone)) == [Deleted(name) for name in gone]


def test_unit_of_tells_where_an_object_is(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    issue = service.issue(api, "Here")
    moved = service.issue(api, "Moved")
    web = service.repository("acme/web")
    secret = service.repository("acme/secret")
    service.issue(secret, "Not read")
    new = service.transfer_issue(api, moved, web)
    expected = {
        f"{ROOT}/issues/{issue}": UNIT.id,
        f"{ROOT}/issues/{moved}": None,
        f"github:acme/{web.id}/issues/{new}": str(web.id),
        f"{ROOT}/blob/README.md": None,
        "github:acme/1/issues/1": None,
        f"github:acme/{secret.id}/issues/1": None,
        "github:acme/acme/api/issues/1": None,
        f"github:other/{UNIT.id}/issues/1": None,
        "slack:acme/C1": None,
    }
    assert {document_id: connector.unit_of(document_id) for document_id in expected} == expected


def test_what_a_repository_says_of_itself_is_a_document(api: Repository, connector: GitHubConnector) -> None:
    assert named(list(connector.read(UNIT))) == []
    api.more = {
        "description": "Grinds corn.",
        "topics": ["mill", None, "water"],
        "custom_properties": {"tier": "gold", "teams": ["web", "api"], "odd": {"x": 1}, "empty": None},
    }
    items = list(connector.read(UNIT))
    (document,) = [item for item in items if isinstance(item, Document)]
    assert (document.id, document.kind, document.title) == (f"{ROOT}/about/repository", "repository", "acme/api")
    assert document.content == "Grinds corn.\n\nTopics: mill, water\n\ntier: gold · teams: web, api"
    assert document.tags == ("mill", "water")
    assert list(connector.fetch(UNIT, [document.id])) == [document]
    (listed,) = [one for one in connector.listing(UNIT) if isinstance(one, ListingEntry)]
    assert (listed.document_id, listed.fingerprint) == (document.id, document.fingerprint)
    assert isinstance(items[-1], Checkpoint)
    assert named(list(connector.read(UNIT, items[-1].cursor))) == []
    api.more = {"description": None, "topics": "odd", "custom_properties": ["odd"]}
    assert Deleted(document.id) in list(connector.read(UNIT, items[-1].cursor))


def test_comments_on_a_commit_are_a_document(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    """Read once; after that, events and listings tell."""
    sha, other = "a" * 40, "b" * 40
    service.comment_on_commit(api, sha, "Why not tallow?", path="wheel.py", line=3)
    service.comment_on_commit(api, other, "Cheap pills", minimized={"reason": "spam"})
    items = list(connector.read(UNIT))
    (document,) = [item for item in items if isinstance(item, Document)]
    assert (document.id, document.title) == (f"{ROOT}/commit/{sha}", "Comments on commit aaaaaaa")
    assert str(document.content).startswith("## Comment on `wheel.py` line 3 by eve, 2026-03-01")
    service.comment_on_commit(api, sha, "It smells.")
    assert isinstance(items[-1], Checkpoint)
    service.forget()
    assert named(list(connector.read(UNIT, items[-1].cursor))) == []
    assert "repos/acme/api/comments" not in service.asked()
    (fetched, gone, odd) = connector.fetch(UNIT, [document.id, f"{ROOT}/commit/{other}", f"{ROOT}/commit/../x"])
    assert isinstance(fetched, Document)
    assert "It smells." in str(fetched.content)
    assert (gone, odd) == (Deleted(f"{ROOT}/commit/{other}"), Deleted(f"{ROOT}/commit/../x"))
    (listed,) = [one for one in connector.listing(UNIT) if isinstance(one, ListingEntry)]
    assert (listed.fingerprint, listed.fingerprint == document.fingerprint) == (fetched.fingerprint, False)


def test_a_discussion_shows_its_poll_and_nothing_that_was_minimized(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    number = service.discussion(api, "Offsite", "Please vote.")
    poll = {"question": "Where do we meet?", "options": ["Lake house", "Mountain hut"]}
    service.edit_discussion(api, number, poll=poll)
    spam = service.discuss(api, number, "Cheap pills")
    service.discuss(api, number, "Spam is not welcome.", spam)
    service.discuss(api, number, "Cheaper pills", spam)
    thread = api.discussions[number]["comments"][0]
    thread["isMinimized"] = thread["replies"][1]["isMinimized"] = True
    (document,) = [item for item in connector.read(UNIT) if isinstance(item, Document)]
    assert "Poll: Where do we meet?\n\n- Lake house\n- Mountain hut" in str(document.content)
    assert "Spam is not welcome." in str(document.content)
    assert "pills" not in str(document.content)


@pytest.mark.parametrize("taken_over", [False, True])
def test_a_renamed_repository_is_the_same_unit(
    service: GitHub, api: Repository, connector: GitHubConnector, taken_over: bool
) -> None:
    """Under its old name it is found by a redirect, or by its id once another repository has that name."""
    issue = service.issue(api, "Here")
    service.discussion(api, "There")
    service.write(api, "docs/a.md", "Words")
    before = named(list(connector.read(UNIT)))
    service.rename(api, "mills/water")
    other = service.repository("acme/api") if taken_over else None
    assert {unit.id: unit.name for unit in connector.units()} == {
        UNIT.id: "mills/water",
        **({str(other.id): "acme/api"} if other else {}),
    }
    items = list(connector.read(UNIT))
    assert named(items) == before
    assert before == [one.document_id for one in connector.listing(UNIT) if isinstance(one, ListingEntry)]
    assert {item.parents[0].title for item in items if isinstance(item, Document)} == {"mills/water"}
    assert named(list(connector.fetch(UNIT, [f"{ROOT}/issues/{issue}"]))) == [f"{ROOT}/issues/{issue}"]
    assert connector.unit_of(f"{ROOT}/issues/{issue}") == UNIT.id


def test_a_new_repository_under_an_old_name_is_another_unit(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    """Where the old one is out of reach, nothing of the new one is taken for its own."""
    service.issue(api, "Ours")
    service.delete_repository(api)
    other = service.repository("acme/api", private=True)
    service.issue(other, "Theirs")
    told = rf"repository 1001, whose name acme/api now belongs to another \({other.id}\),: not found"
    for look in (connector.read(UNIT), connector.fetch(UNIT, [f"{ROOT}/issues/1"]), connector.listing(UNIT)):
        with pytest.raises(NotFound, match=told):
            list(look)
    assert connector.unit_of(f"{ROOT}/issues/1") is None
    (unit,) = connector.units()
    assert unit == Unit(str(other.id), "acme/api", "https://github.test/acme/api", (f"group:acme:{other.id}",))


@pytest.mark.parametrize("answer", [403, 404, 405])
def test_a_server_without_repositories_by_id_knows_them_by_name(
    service: GitHub, api: Repository, connector: GitHubConnector, answer: int
) -> None:
    service.rename(api, "mills/water")
    service.repository("acme/api")
    service.fail(1, lambda: JSONResponse({"message": "no"}, answer), only="repositories/")
    with pytest.raises(NotFound, match="now belongs to another"):
        list(connector.read(UNIT))


def test_a_repository_that_its_own_name_does_not_show_is_not_found(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    """Two answers that contradict each other: the one that hides it counts."""
    service.fail(1, lambda: JSONResponse({"message": "Not Found"}, 404), only="repos/acme/api")
    with pytest.raises(NotFound, match="repos/acme/api: not found"):
        list(connector.read(UNIT))


def test_a_renamed_repository_is_found_under_the_name_that_the_settings_have(service: GitHub, api: Repository) -> None:
    service.rename(api, "mills/water")
    with serving(service) as url:
        settings = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url, "include": ["acme/api"]}
        with closing(connect(GitHubConnection.model_validate(settings))) as connector:
            assert [(unit.id, unit.name) for unit in connector.units()] == [(UNIT.id, "mills/water")]


def test_units_name_their_readers(service: GitHub, connector: GitHubConnector) -> None:
    service.repository("acme/open")
    closed = service.repository("acme/closed", private=True)
    assert {unit.name: unit.readers for unit in connector.units()} == {
        "acme/open": ("public",),
        "acme/closed": (f"group:acme:{closed.id}",),
    }


def test_memberships_cost_a_request_for_each_handful_of_people(service: GitHub, connector: GitHubConnector) -> None:
    people = [f"person{number}" for number in range(120)]
    service.emails = {login: f"{login}@acme.test" for login in people[:100]}
    closed = service.repository("acme/closed", private=True, collaborators=people)
    inner = service.repository("acme/inner", private=True, collaborators=people[:10])
    service.repository("acme/open", collaborators=people)
    found = {(one.group, one.email) for one in connector.memberships() if isinstance(one, Membership)}
    assert found == {(str(closed.id), email) for email in service.emails.values()} | {
        (str(inner.id), f"{login}@acme.test") for login in people[:10]
    }
    assert service.asked()["graphql"] == 3
    assert not any(path.startswith("users/") for path in service.asked())


def test_long_discussions_are_read_to_their_end(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    number = service.discussion(api, "Long")
    comments = [service.discuss(api, number, f"Comment number {count}.") for count in range(120)]
    for count in range(60):
        service.discuss(api, number, f"Reply number {count}.", comments[110])
    service.answer(api, number, comments[77])
    (document,) = [item for item in connector.read(UNIT) if isinstance(item, Document)]
    content = str(document.content)
    assert all(content.count(f"Comment number {count}.") == 1 for count in range(120))
    assert all(content.count(f"Reply number {count}.") == 1 for count in range(60))
    assert "## Answer by bob" in content
    assert (
        content.index("Comment number 110.") < content.index("Reply number 0.") < content.index("Comment number 111.")
    )
    assert document.tags == ("answered", "open", "Q&A")


def test_a_read_of_discussions_continues_where_it_was(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    for number in range(25):
        service.discussion(api, f"Discussion {number}")
    items: list[Item] = []
    for item in connector.read(UNIT):
        items.append(item)
        if isinstance(item, Checkpoint) and len(items) > 10:
            break
    assert isinstance(items[-1], Checkpoint)
    rest = list(connector.read(UNIT, items[-1].cursor))
    assert len(named(items)) == 10
    assert len(named(items)) + len(named(rest)) == len(set(named(items) + named(rest))) == 25


def test_discussions_switched_off_are_not_asked_for(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    service.discussion(api, "Hidden")
    api.has_discussions = False
    assert named(list(connector.read(UNIT))) == []
    assert service.asked()["graphql"] == 0
