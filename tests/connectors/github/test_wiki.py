"""Wikis over git's own HTTP: what is read of them, what that costs, and what an ill-meaning one can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from dulwich.objects import Blob, ObjectID
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from connectors.contract import Checkpoint, Deleted, Failed, Item, ListingEntry, PartState, Skipped, Window
from connectors.github.git_host import git_url
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from connectors.github.trees import GitFile
from connectors.github.wiki_pages import page_name, page_title, reason_to_skip
from connectors.model import Document, Unit
from tests.connectors.github.conftest import stopped
from tests.emulators.github import ELSEWHERE, TOKEN, GitHub, Repository, serving
from tests.emulators.github_wiki import FILE, FOLDER, LINK, SUBMODULE, WikiRepository

UNIT = Unit("1001", "acme/api")
ROOT = "github:acme/1001/wiki"
REFS, PACK = "acme/api.wiki.git/info/refs", "acme/api.wiki.git/git-upload-pack"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def service() -> GitHub:
    return GitHub()


@pytest.fixture
def api(service: GitHub) -> Repository:
    api = service.repository("acme/api")
    service.write_page(api, "Home.md", "# The mill\n\nIt grinds corn.")
    service.write_page(api, "How-To/Oil-the-wheel.mediawiki", "== Oil ==\nUse tallow.")
    service.write_page(api, "_Sidebar.md", "* [[Home]]")
    service.write_page(api, "images/wheel.png", b"\x89PNG")
    return api


@pytest.fixture
def wiki(api: Repository) -> WikiRepository:
    assert api.wiki
    return api.wiki


@pytest.fixture
def connection(service: GitHub, api: Repository) -> Iterator[GitHubConnection]:
    with serving(service) as url:
        described = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        yield GitHubConnection.model_validate(described)
    assert service.strayed == []


@pytest.fixture
def connector(connection: GitHubConnection) -> Iterator[GitHubConnector]:
    with closing(connect(connection)) as connector:
        yield connector


def objects(items: Iterable[Item | ListingEntry | PartState]) -> list[Any]:
    return [item for item in items if not isinstance(item, Checkpoint | PartState)]


def documents(items: Iterable[Item]) -> dict[str, Document]:
    return {item.id.removeprefix(f"{ROOT}/"): item for item in items if isinstance(item, Document)}


def cursor_of(items: list[Item]) -> dict[str, Any]:
    assert isinstance(items[-1], Checkpoint)
    return items[-1].cursor


def asked_of_git(service: GitHub) -> list[str]:
    return [path.partition("?")[0] for path in service.log if ".wiki.git/" in path]


def test_pages_are_documents(connector: GitHubConnector) -> None:
    items = list(connector.read(UNIT))
    home, oil = documents(items).values()
    assert (home.id, home.kind, home.title, home.content) == (
        f"{ROOT}/Home.md",
        "wiki",
        "Home",
        "# The mill\n\nIt grinds corn.",
    )
    assert (oil.title, oil.url) == ("Oil the wheel", "https://github.test/acme/api/wiki/Oil-the-wheel")
    assert [parent.title for parent in oil.parents] == ["acme/api", "Wiki"]
    assert (oil.content, oil.content_type, oil.readers) == ("== Oil ==\nUse tallow.", "text/plain", ("public",))
    assert (oil.author, home.content_type) == ("", "text/markdown")
    assert {item.document_id: item.reason for item in items if isinstance(item, Skipped)} == {
        f"{ROOT}/_Sidebar.md": "navigation of the wiki",
        f"{ROOT}/images/wheel.png": "not a page of the wiki",
    }


def test_pages_of_a_private_repository_are_read_by_its_collaborators(
    api: Repository, connector: GitHubConnector
) -> None:
    api.private = True
    assert {one.readers for one in documents(connector.read(UNIT)).values()} == {("group:acme:1001",)}


def test_all_pages_have_the_time_of_the_newest_commit(service: GitHub, connector: GitHubConnector) -> None:
    assert {one.updated_at for one in documents(connector.read(UNIT)).values()} == {service.clock}


@pytest.mark.parametrize("gives_single_objects", [True, False])
def test_only_what_changed_is_read_again(
    service: GitHub, api: Repository, wiki: WikiRepository, connector: GitHubConnector, gives_single_objects: bool
) -> None:
    wiki.gives_single_objects = gives_single_objects
    first = list(connector.read(UNIT))
    assert set(documents(first)) == {"Home.md", "How-To/Oil-the-wheel.mediawiki"}
    service.forget()
    idle = list(connector.read(UNIT, cursor_of(first)))
    assert (objects(idle), asked_of_git(service)) == ([], [REFS])
    service.write_page(api, "Home.md", "It grinds rye.")
    service.move_page(api, "How-To/Oil-the-wheel.mediawiki", "Grease.mediawiki")
    service.forget()
    items = list(connector.read(UNIT, cursor_of(idle)))
    assert {path: one.content for path, one in documents(items).items()} == {
        "Home.md": "It grinds rye.",
        "Grease.mediawiki": "== Oil ==\nUse tallow.",
    }
    assert [item for item in items if isinstance(item, Deleted)] == [Deleted(f"{ROOT}/How-To/Oil-the-wheel.mediawiki")]
    assert asked_of_git(service) == [REFS, PACK, PACK][: 2 + gives_single_objects]
    service.delete_page(api, "Home.md")
    last = objects(connector.read(UNIT, cursor_of(items)))
    assert last == [Deleted(f"{ROOT}/Home.md")]


def test_pictures_and_navigation_are_not_loaded(wiki: WikiRepository, connector: GitHubConnector) -> None:
    list(connector.read(UNIT))
    pages = {wiki.files[path][1].decode() for path in ("Home.md", "How-To/Oil-the-wheel.mediawiki")}
    assert [set(shas) for shas in wiki.wanted] == [{(wiki.head or b"").decode()}, pages]


def test_a_wiki_that_is_switched_off_takes_its_pages_along(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    first = list(connector.read(UNIT))
    api.has_wiki = False
    service.forget()
    assert set(objects(connector.read(UNIT, cursor_of(first)))) == {
        Deleted(getattr(item, "document_id", "") or item.id) for item in objects(first)
    }
    assert objects(connector.listing(UNIT)) == []
    assert list(connector.fetch(UNIT, [f"{ROOT}/Home.md"])) == [Deleted(f"{ROOT}/Home.md")]
    assert asked_of_git(service) == []


def test_a_listing_and_a_fetch_tell_what_a_read_did(connector: GitHubConnector) -> None:
    items = objects(connector.read(UNIT))
    listed = {one.document_id: one for one in objects(connector.listing(UNIT))}
    assert sorted(listed) == sorted(getattr(item, "document_id", "") or item.id for item in items)
    for document in documents(items).values():
        entry = listed[document.id]
        assert (entry.title, entry.fingerprint) == (document.title, document.fingerprint)
    assert list(connector.fetch(UNIT, [*listed, f"{ROOT}/Gone.md"])) == [
        *sorted(items, key=lambda item: list(listed).index(getattr(item, "document_id", "") or item.id)),
        Deleted(f"{ROOT}/Gone.md"),
    ]


def test_a_window_takes_all_pages_or_none(connector: GitHubConnector, service: GitHub) -> None:
    """By the newest commit: which page it changed is not asked for."""
    before, after = Window(until=service.clock), Window(since=service.clock)
    assert documents(connector.read(UNIT, window=before)) == {}
    assert set(documents(connector.read(UNIT, window=after))) == {"Home.md", "How-To/Oil-the-wheel.mediawiki"}


def test_a_wiki_that_nobody_has_written_is_no_trouble(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    api.wiki = None
    for _ in range(2):
        service.forget()
        items = list(connector.read(UNIT))
        assert (objects(items), stopped(items), asked_of_git(service)) == ([], {}, [REFS])
    assert objects(connector.listing(UNIT)) == []
    (finding,) = [one for one in connector.check() if one.subject == "wiki"]
    assert (finding.ok, finding.detail.startswith("not tried: nobody has written it")) == (True, True)


def test_a_wiki_without_a_commit_is_empty(api: Repository, connector: GitHubConnector) -> None:
    api.wiki = WikiRepository()
    items = list(connector.read(UNIT))
    assert (objects(items), stopped(items)) == ([], {})


def test_pages_that_are_known_are_not_gone_because_the_wiki_is_not_found(
    service: GitHub, connector: GitHubConnector
) -> None:
    """GitHub says of what a token may not read that it is not there."""
    first = list(connector.read(UNIT))
    service.refuse("wiki", "missing")
    during = list(connector.read(UNIT, cursor_of(first)))
    assert objects(during) == []
    assert stopped(during)["wiki"][0] == "refused"
    assert "grant Contents: read" in stopped(during)["wiki"][1]
    (item,) = connector.fetch(UNIT, [f"{ROOT}/Home.md"])
    assert isinstance(item, Failed)
    untold = [one.id_prefixes for one in connector.listing(UNIT) if isinstance(one, PartState) and one.part == "wiki"]
    assert untold == [(f"{ROOT}/",)]
    service.allow("wiki")
    again = list(connector.read(UNIT, cursor_of(during)))
    assert (objects(again), stopped(again)) == ([], {})


def test_a_wiki_is_refused_where_contents_are(service: GitHub, connector: GitHubConnector) -> None:
    for part in ("files", "wiki"):
        service.refuse(part, "missing")
    service.refuse("files", "forbidden")
    assert {"files", "wiki"} <= set(stopped(connector.read(UNIT)))
    assert {"files", "wiki"} <= set(stopped(connector.listing(UNIT)))
    refused = [one.subject for one in connector.check() if not one.ok]
    assert {"files", "wiki"} <= set(refused)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_git_does_not_take_stops_the_wiki_alone(
    service: GitHub, connector: GitHubConnector, status: int
) -> None:
    service.fail(1, lambda: PlainTextResponse("No.", status), only=".wiki.git/")
    items = list(connector.read(UNIT))
    assert {part: told for part, (told, _) in stopped(items).items()} == {"wiki": "refused"}
    again = list(connector.read(UNIT, cursor_of(items)))
    assert (len(documents(again)), stopped(again)) == (2, {})


def test_an_interrupted_read_goes_on_where_it_was(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    assert api.wiki
    for number in range(230):
        api.wiki.files[f"Page-{number}.md"] = (FILE, api.wiki.add(Blob.from_string(b"Text %d" % number)))
    api.wiki.commit(service.clock)
    reading = connector.read(UNIT)
    first: list[Item] = []
    while len(documents(first)) < 100:
        first.append(next(reading))
    service.refuse("wiki", "down")
    first += reading
    assert stopped(first)["wiki"][0] == "failing"
    service.allow("wiki")
    again = list(connector.read(UNIT, cursor_of(first)))
    assert len(documents(again)) == 232 - 100
    assert documents(first).keys() & documents(again).keys() == set()
    assert objects(connector.read(UNIT, cursor_of(again))) == []


def test_two_pages_of_one_text(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    service.write_page(api, "Copy.md", "# The mill\n\nIt grinds corn.")
    found = documents(connector.read(UNIT))
    assert found["Copy.md"].content == found["Home.md"].content


# ---- an ill-meaning wiki, or server


def test_only_what_has_a_name_and_is_a_file_is_read(wiki: WikiRepository, connector: GitHubConnector) -> None:
    page = wiki.add(Blob.from_string(b"text"))
    inner = wiki.tree((b"In.md", FILE, page), (b"..", FOLDER, wiki.tree((b"up.md", FILE, page))))
    hostile = wiki.tree(
        (b"Fine.md", FILE, page),
        (b"Link.md", LINK, wiki.add(Blob.from_string(b"/etc/passwd"))),
        (b"Other.md", SUBMODULE, ObjectID(b"a" * 40)),
        (b"..", FOLDER, wiki.tree((b"up.md", FILE, page))),
        (b".git", FOLDER, wiki.tree((b"config.md", FILE, page))),
        (b"a/b.md", FILE, page),
        (b"new\nline.md", FILE, page),
        (b"caf\xe9.md", FILE, page),
        (b"in", FOLDER, inner),
    )
    wiki.commit(NOON, hostile)
    items = objects(connector.read(UNIT))
    assert set(documents(items)) == {"Fine.md", "caf\\xe9.md", "in/In.md"}
    assert [(item.document_id, item.reason) for item in items if isinstance(item, Skipped)] == [
        (f"{ROOT}/Link.md", "symbolic link")
    ]
    assert len(items) == 4


def test_folders_that_hold_each_other_many_times_are_too_many(wiki: WikiRepository, connector: GitHubConnector) -> None:
    tree = wiki.tree((b"a.md", FILE, wiki.add(Blob.from_string(b"text"))))
    for _ in range(12):
        tree = wiki.tree(*((b"%d" % place, FOLDER, tree) for place in range(10)))
    wiki.commit(NOON, tree)
    items = list(connector.read(UNIT))
    assert objects(items) == []
    assert "more than 100,000 files" in stopped(items)["wiki"][1]


def test_folders_without_an_end_are_left_where_no_name_is_left(
    wiki: WikiRepository, connector: GitHubConnector
) -> None:
    page = wiki.add(Blob.from_string(b"text"))
    tree = wiki.tree((b"a.md", FILE, page))
    for _ in range(3_000):
        tree = wiki.tree((b"a.md", FILE, page), (b"folder", FOLDER, tree))
    wiki.commit(NOON, tree)
    found = documents(connector.read(UNIT))
    assert 50 < len(found) < 1_000
    assert max(map(len, found)) < 2_500


@pytest.mark.parametrize("megabytes", [3, 70])
def test_a_huge_page_is_passed_over_and_stops_no_other(
    service: GitHub, api: Repository, connector: GitHubConnector, megabytes: int
) -> None:
    """70 MB of zeros are 70 kB in a pack: they are not unpacked."""
    service.write_page(api, "Huge.md", bytes(megabytes * 1_000_000))
    items = list(connector.read(UNIT))
    assert Skipped(f"{ROOT}/Huge.md", "Huge.md", "larger than 2 MB", f"{api_url(api)}/wiki/Huge") in items
    assert (set(documents(items)), stopped(items)) == ({"Home.md", "How-To/Oil-the-wheel.mediawiki"}, {})
    assert objects(connector.read(UNIT, cursor_of(items))) == []


def api_url(api: Repository) -> str:
    return str(api.described()["html_url"])


def test_a_wiki_of_gigabytes_on_a_server_that_gives_no_single_files(
    service: GitHub, api: Repository, wiki: WikiRepository, connector: GitHubConnector
) -> None:
    wiki.gives_single_objects = False
    service.write_page(api, "film.mp4", bytes(70_000_000))
    items = list(connector.read(UNIT))
    assert "more than 64 MB" in stopped(items)["wiki"][1]
    assert objects(items) == []


def test_a_commit_of_no_calendar_has_no_time(wiki: WikiRepository, connector: GitHubConnector) -> None:
    wiki.commit(NOON)
    head = wiki.store[wiki.head or ObjectID(b"")]
    odd = type(head).from_string(head.as_raw_string().replace(b"%d" % NOON.timestamp(), b"9" * 20))
    wiki.head = wiki.add(odd)
    assert {one.updated_at for one in documents(connector.read(UNIT)).values()} == {None}


ODD: list[Response] = [
    HTMLResponse("<html>Sign in</html>"),
    PlainTextResponse(""),
    PlainTextResponse("001e# service=git-upload-pack\n0000" + "zzzz"),
    PlainTextResponse("001e# service=git-upload-pack\n0000" + "00ff" + "cut"),
]


NO_HEAD = [
    PlainTextResponse("001e# service=git-upload-pack\n"),
    PlainTextResponse("001e# service=git-upload-pack\n0000"),
    PlainTextResponse("001e# service=git-upload-pack\n0000000eversion 2\n0000"),
    PlainTextResponse("001e# service=git-upload-pack\n0000" + "003d" + "1" * 40 + " refs/heads/old\0side\n" + "0000"),
]


@pytest.mark.parametrize("answer", NO_HEAD, ids=["cut", "flush", "version 2", "no default branch"])
def test_an_answer_without_a_newest_commit_takes_no_page_for_gone(
    service: GitHub, connector: GitHubConnector, answer: Response
) -> None:
    first = list(connector.read(UNIT))
    service.fail(9, lambda: answer, only="info/refs")
    during = list(connector.read(UNIT, cursor_of(first)))
    assert objects(during) == []
    assert "wiki" in stopped(during)
    untold = [one.id_prefixes for one in connector.listing(UNIT) if isinstance(one, PartState) and one.part == "wiki"]
    assert untold == [(f"{ROOT}/",)]
    (item,) = connector.fetch(UNIT, [f"{ROOT}/Home.md"])
    assert isinstance(item, Failed)
    service.faults.clear()
    again = list(connector.read(UNIT, cursor_of(during)))
    assert (objects(again), stopped(again)) == ([], {})


@pytest.mark.parametrize("answer", ODD, ids=["page", "nothing", "no-length", "cut"])
def test_what_is_not_git_is_trouble_that_passes(service: GitHub, connector: GitHubConnector, answer: Response) -> None:
    service.fail(6, lambda: answer, only="info/refs")
    items = list(connector.read(UNIT))
    assert stopped(items)["wiki"][0] == "failing"
    service.faults.clear()
    assert documents(connector.read(UNIT, cursor_of(items)))


def band(data: bytes, number: int = 1) -> bytes:
    return b"0008NAK\n" + b"%04x" % (len(data) + 5) + bytes([number]) + data + b"0000"


PACK_HEADER = b"PACK\x00\x00\x00\x02\x00\x00\x00\x01"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0000",
        b"0008NAK\n0000",
        b"0015ERR not our ref\n\n",
        band(b"the remote died", 3),
        band(b"PACK"),
        band(PACK_HEADER),
        band(PACK_HEADER + b"\x33x\x9cgarbage"),
        band(PACK_HEADER + b"\xff" * 40),
        band(PACK_HEADER + b"\x73" + b"\x01" * 20 + b"x\x9c\x03\x00\x00\x00\x00\x01"),
        band(PACK_HEADER.replace(b"\x01", b"\x00")),
    ],
)
def test_a_pack_that_is_none_is_trouble_that_passes(service: GitHub, connector: GitHubConnector, body: bytes) -> None:
    service.fail(6, lambda: Response(body, media_type="application/x-git-upload-pack-result"), only="git-upload-pack")
    items = list(connector.read(UNIT))
    assert stopped(items)["wiki"][0] in ("failing", "refused")
    assert objects(items) == []
    service.faults.clear()
    assert documents(connector.read(UNIT, cursor_of(items)))


# ---- where the token goes


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://ghe.acme.com/api/v3", "https://ghe.acme.com"),
        ("https://ghe.acme.com:8443/api/v3/", "https://ghe.acme.com:8443"),
        ("https://api.acme.com/api/v3", "https://api.acme.com"),
        ("https://api.github.com.evil.test", "https://api.github.com.evil.test"),
        ("http://127.0.0.1:8000/prefix/api", "http://127.0.0.1:8000/prefix"),
    ],
)
def test_git_is_asked_at_the_host_of_the_api(base_url: str, expected: str) -> None:
    assert git_url(base_url) == expected


def test_a_redirect_leads_to_no_other_host(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    moved = {"location": f"{ELSEWHERE}/{REFS}?service=git-upload-pack"}
    service.fail(1, lambda: Response(status_code=301, headers=moved), only=REFS)
    assert set(documents(connector.read(UNIT))) == {"Home.md", "How-To/Oil-the-wheel.mediawiki"}


def test_github_itself_is_asked_at_its_two_hosts_alone(connection: GitHubConnection, service: GitHub) -> None:
    seen: set[tuple[str, str]] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.add((request.url.host, request.headers["authorization"].split()[0]))
        if request.url.host == "github.com":
            return httpx.Response(302, headers={"location": "https://evil.test/login"})
        found = {"id": 1001, "full_name": "acme/api", "has_wiki": True, "has_issues": False, "has_discussions": False}
        return httpx.Response(200, json=found if request.url.path == "/repos/acme/api" else [])

    ours = connection.model_copy(update={"base_url": "https://api.github.com"})
    with closing(connect(ours, httpx.MockTransport(answer))) as connector:
        items = list(connector.read(UNIT))
    assert seen == {("api.github.com", "Bearer"), ("github.com", "Basic")}
    assert "wiki" in stopped(items)


# ---- names


@pytest.mark.parametrize(
    ("path", "name", "title", "reason"),
    [
        ("Home.md", "Home", "Home", None),
        ("How-To/Oil-the-Wheel.MediaWiki", "Oil-the-Wheel", "Oil the Wheel", None),
        ("a.b.asciidoc", "a.b", "a.b", None),
        ("---.md", "---", "---.md", None),
        ("_Footer.rst", "_Footer", "_Footer", "navigation of the wiki"),
        ("docs/_Sidebar.md", "_Sidebar", "_Sidebar", "navigation of the wiki"),
        ("images/wheel.png", "images/wheel.png", "images/wheel.png", "not a page of the wiki"),
        ("README", "README", "README", "not a page of the wiki"),
        *((f"Page.{ending}", "Page", "Page", None) for ending in ("markdown", "org", "textile", "rdoc", "pod")),
    ],
)
def test_what_a_page_is_called(path: str, name: str, title: str, reason: str | None) -> None:
    assert (page_name(path), page_title(path), reason_to_skip(GitFile(path, "s", "100644", 0))) == (name, title, reason)


def test_a_listing_says_nothing_of_the_wiki_while_nobody_finds_it(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    service.clock += timedelta(days=1)
    api.wiki = None
    (state,) = [one for one in connector.read(UNIT) if isinstance(one, PartState) and one.part == "wiki"]
    assert (state.status, state.id_prefixes) == ("complete", (f"{ROOT}/",))
