from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import httpx
import pytest

from connectors.contract import Finding
from connectors.errors import AccessDenied, AuthenticationFailed, SourceError, UnreadableUnit, UnreadableUnits
from connectors.github.settings import GitHubConnection
from connectors.github.source import connect
from connectors.model import Unit
from connectors.units import list_units


def repos(*names: str) -> list[dict[str, Any]]:
    """Repositories, each with an id of its own: GitHub's names know no case."""
    return [
        {"id": crc32(name.lower().encode()), "full_name": name, "html_url": f"https://github.test/{name}"}
        for name in names
    ]


def named(name: str) -> dict[str, Any]:
    """The answer for one repository by its name."""
    return {f"repos/{name}": repos(name)[0]}


def units(connection: GitHubConnection, answers: dict[str, Any], include: Sequence[str] = ("*",)) -> list[str]:
    """Names of the units where a path answers a body, and 403 everywhere else."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = answers.get(request.url.path.removeprefix("/api/v3/"), 403)
        if isinstance(body, int):
            return httpx.Response(body, json={"message": "Resource not accessible by integration"})
        return httpx.Response(200, json=body)

    patterns = connection.model_copy(update={"include": tuple(include), "exclude": ("acme/secret-*",)})
    found, *_ = list_units(connect(patterns, httpx.MockTransport(answer)))
    return [unit.name for unit in found]


def reach_of(connection: GitHubConnection, answer: Callable[[httpx.Request], httpx.Response]) -> Finding:
    """What `check` says of repositories."""
    findings = connect(connection, httpx.MockTransport(answer)).check()
    return next(one for one in findings if one.subject == "repositories")


@pytest.mark.parametrize(
    ("answers", "include", "found"),
    [
        ({"user/repos": repos("acme/a", "acme/secret-b", "x/c")}, ["*"], ["acme/a", "x/c"]),
        ({"user/repos": repos("acme/a", "acme/a", "Acme/A", "x/c")}, ["acme/*"], ["acme/a"]),
        ({"installation/repositories": {"repositories": repos("acme/a")}}, ["*"], ["acme/a"]),
        ({"user/repos": 404, "installation/repositories": {"repositories": []}}, ["*"], []),
        ({"orgs/acme/repos": repos("acme/a", "acme/b")}, ["acme/*"], ["acme/a", "acme/b"]),
        ({"orgs/ada/repos": 404, "users/ada/repos": repos("ada/a")}, ["ada/?"], ["ada/a"]),
        ({"repos/acme/a": repos("acme/a")[0], "repos/acme/b": 404}, ["acme/a", "acme/b"], ["acme/a"]),
        (
            {"user/repos": repos("acme/a"), "repos/else/public": repos("else/public")[0]},
            ["acme/a", "else/public"],
            ["acme/a", "else/public"],
        ),
        ({"user/repos": repos("acme/a"), "repos/corp/core": 403}, ["corp/core", "acme/a"], ["acme/a"]),
        ({"user/repos": [], "repos/corp/core": 403, **named("acme/a")}, ["corp/core", "acme/a"], ["acme/a"]),
        ({"user/repos": repos("acme/a")}, ["ACME/*"], ["acme/a"]),
        ({"user/repos": [], **named("acme/a")}, ["Acme/A"], []),
        ({"user/repos": [], "repos/Acme/A": repos("acme/a")[0]}, ["Acme/A"], ["acme/a"]),
        (
            {"user/repos": repos("acme/a"), "orgs/partner/repos": repos("partner/b", "partner/c")},
            ["acme/*", "partner/b*"],
            ["acme/a", "partner/b"],
        ),
        (
            {"user/repos": repos("Ada/x"), "orgs/ada/repos": 404, "users/ada/repos": repos("ada/a", "Ada/x")},
            ["Ada/X", "ada/a*"],
            ["Ada/x", "ada/a"],
        ),
        ({"user/repos": repos("acme/a"), "orgs/corp/repos": 403}, ["acme/*", "corp/*"], ["acme/a"]),
        ({"user/repos": repos("acme/a", "Acme/Secret-1")}, ["*"], ["acme/a"]),
    ],
)
def test_each_kind_of_token_tells_its_repositories(
    connection: GitHubConnection, answers: dict[str, Any], include: list[str], found: list[str]
) -> None:
    assert units(connection, answers, include) == found


def test_a_token_that_may_list_nothing_is_an_error(connection: GitHubConnection) -> None:
    with pytest.raises(AccessDenied, match="installation/repositories"):
        units(connection, {})


def test_a_token_that_is_refused_all_that_the_settings_name_says_so(connection: GitHubConnection) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        status = 200 if path.endswith("user/repos") else 403 if path.endswith("acme/a") else 404
        return httpx.Response(status, json=[])

    patterns = connection.model_copy(update={"include": ("acme/a", "acme/b")})
    with pytest.raises(UnreadableUnits, match="repos/acme/a"):
        list(connect(patterns, httpx.MockTransport(answer)).units())


def test_a_wrong_token_is_an_error(connection: GitHubConnection) -> None:
    with pytest.raises(AuthenticationFailed):
        units(connection, {"user/repos": 401})


@pytest.mark.parametrize("odd", [None, 0, -1, "77", True, 7.5, {}])
def test_a_repository_without_a_usable_id_is_not_read(
    connection: GitHubConnection, odd: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its name alone could pass to another repository, and take the readers of this one along."""
    listed = [{**repos("acme/a")[0], "id": odd}, *repos("acme/b")]
    assert units(connection, {"user/repos": listed}) == ["acme/b"]
    assert "acme/a is not read: the server gives it no id" in caplog.text


@pytest.mark.parametrize(("status", "is_refused"), [(403, True), (422, True), (500, False)])
def test_a_repository_that_cannot_be_looked_up_leaves_the_others_alone(
    connection: GitHubConnection, status: int, is_refused: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v3/")
        if path == "repos/corp/core":
            return httpx.Response(status, json={"message": "single sign-on"})
        return httpx.Response(200, json=repos("acme/a") if path == "user/repos" else repos("x/c")[0])

    patterns = connection.model_copy(update={"include": ("acme/*", "corp/core", "x/c")})
    found, unreadable, _ = list_units(connect(patterns, httpx.MockTransport(answer)))
    assert [unit.name for unit in found] == ["acme/a", "x/c"]
    (one,) = unreadable
    assert isinstance(one, UnreadableUnit)
    assert (one.name, one.is_refused, "repos/corp/core" in one.reason) == ("corp/core", is_refused, True)


@pytest.mark.parametrize("status", [401, 429])
def test_credentials_and_limits_that_a_look_up_meets_are_no_unit_of_its_own(
    connection: GitHubConnection, status: int
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("user/repos"):
            return httpx.Response(200, json=[])
        return httpx.Response(status, headers={"retry-after": "99999"})

    patterns = connection.model_copy(update={"include": ("corp/core",)})
    with pytest.raises(SourceError) as raised:
        list(connect(patterns, httpx.MockTransport(answer)).units())
    assert not isinstance(raised.value, UnreadableUnits)


def test_check_names_what_could_not_be_looked_up(connection: GitHubConnection) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("repos/corp/core"):
            return httpx.Response(403, json={"message": "single sign-on"})
        return httpx.Response(200, json=repos("acme/a") if request.url.path.endswith("user/repos") else {})

    patterns = connection.model_copy(update={"include": ("acme/*", "corp/core")})
    reach = reach_of(patterns, answer)
    assert (reach.ok, reach.detail.startswith("1 in reach; corp/core: ")) == (False, True)
    assert "single sign-on" in reach.detail


@pytest.mark.parametrize(
    ("include", "told"),
    [
        (["acme/*", "partner/*"], "1 in reach; nothing is found for partner/*"),
        (["acme/*", "acme/gone"], "1 in reach; nothing is found for acme/gone"),
        (["acme", "ACME/A"], "1 in reach; nothing is found for acme"),
        (["acme/*", "acme/a"], "1 in reach"),
        (
            ["nobody/*"],
            "0 in reach; give the token access to repositories, or check `include` and `exclude`; nothing is",
        ),
    ],
)
def test_check_names_patterns_that_find_nothing(connection: GitHubConnection, include: list[str], told: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        found = request.url.path.endswith("user/repos")
        return httpx.Response(200 if found else 404, json=repos("acme/a") if found else {})

    patterns = connection.model_copy(update={"include": tuple(include)})
    reach = reach_of(patterns, answer)
    assert (reach.ok, reach.detail.startswith(told)) == (told == "1 in reach", True)


SINGLE_SIGN_ON = {"x-github-sso": "partial-results; organizations=21955855,20582480"}


def test_a_listing_that_is_partial_by_its_own_word_says_what_may_be_missing(connection: GitHubConnection) -> None:
    """Not the repositories of owners that are listed, as long as these are none of those that were left out."""
    listed = [
        {**repos("acme/a")[0], "owner": {"login": "acme", "id": 1}},
        {**repos("corp/public")[0], "owner": {"login": "corp", "id": 21955855}},
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        body = listed if request.url.path.endswith("/repos") else {}
        return httpx.Response(200, json=body, headers=SINGLE_SIGN_ON)

    with pytest.raises(
        UnreadableUnits, match="organisations 21955855, 20582480, until the token is authorised"
    ) as told:
        list(connect(connection, httpx.MockTransport(answer)).units())
    (gap,) = told.value.gaps
    covered = {name: gap.covers(Unit("1", name)) for name in ("acme/b", "Corp/core", "else/where")}
    assert covered == {"acme/b": False, "Corp/core": True, "else/where": True}
    with pytest.raises(UnreadableUnits):
        list(connect(connection, httpx.MockTransport(answer)).memberships())
    reach = reach_of(connection, answer)
    assert (reach.ok, "21955855" in reach.detail) == (False, True)


@pytest.mark.parametrize("status", [403, 500])
def test_an_owner_that_cannot_be_listed_leaves_open_what_it_has(connection: GitHubConnection, status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        found = request.url.path.endswith("user/repos")
        return httpx.Response(200 if found else status, json=repos("acme/a"))

    patterns = connection.model_copy(update={"include": ("acme/*", "Corp/*")})
    with pytest.raises(UnreadableUnits, match="orgs/Corp/repos") as told:
        list(connect(patterns, httpx.MockTransport(answer)).units())
    (gap,) = told.value.gaps
    assert (gap.covers(Unit("1", "corp/core")), gap.covers(Unit("2", "acme/b"))) == (True, False)
