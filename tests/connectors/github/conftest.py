"""A GitHub of our own, in memory: what the documentation promises, and the ways in which servers break it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect

BASE = "https://ghe.test/api/v3"
GRAPHQL = "https://ghe.test/api/graphql"
START = datetime(2026, 1, 1, tzinfo=UTC)

Payload = dict[str, Any]


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class GitHub:
    """One repository, `acme/api`. `page_size` is small so that listings have pages."""

    page_size: int = 3
    honours_since: bool = True
    cursor_pages: bool = False
    tree_limit: int = 1_000
    etags: bool = True
    repository: Payload = field(
        default_factory=lambda: {
            "id": 77,
            "full_name": "acme/api",
            "private": False,
            "visibility": "public",
            "default_branch": "main",
            "html_url": "https://github.test/acme/api",
            "url": f"{BASE}/repos/acme/api",
            "has_issues": True,
        }
    )
    issues: dict[int, Payload] = field(default_factory=dict)
    comments: dict[int, list[Payload]] = field(default_factory=dict)
    reviews: dict[int, list[Payload]] = field(default_factory=dict)
    review_comments: dict[int, list[Payload]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Callable[[httpx.Request], httpx.Response]] = field(default_factory=dict)
    before: Callable[[httpx.Request], None] = lambda request: None
    asked: list[httpx.Request] = field(default_factory=list)
    minutes: int = 0

    def tick(self, minutes: int = 60) -> str:
        self.minutes += minutes
        return stamp(START + timedelta(minutes=self.minutes))

    def add_issue(self, number: int, *, pull: bool = False, **more: Any) -> Payload:
        now = self.tick()
        self.issues[number] = {
            "number": number,
            "title": f"Title {number}",
            "body": f"Body {number}",
            "state": "open",
            "user": {"login": "ada"},
            "labels": [{"name": "bug"}],
            "created_at": now,
            "updated_at": now,
            "comments": len(self.comments.get(number, ())),
            "html_url": f"https://github.test/acme/api/{'pull' if pull else 'issues'}/{number}",
            "repository_url": f"{BASE}/repos/acme/api",
            **({"pull_request": {"merged_at": None}} if pull else {}),
            **more,
        }
        return self.issues[number]

    def touch(self, number: int, **changes: Any) -> None:
        self.issues[number].update(changes, updated_at=self.tick())

    def add_comment(self, number: int, body: str) -> None:
        now = self.tick()
        self.comments.setdefault(number, []).append({"user": {"login": "bob"}, "body": body, "created_at": now})
        self.issues[number].update(updated_at=now, comments=len(self.comments[number]))

    def paths(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(request.url.path.removeprefix("/api/v3/").removeprefix("/api/") for request in self.asked)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.before(request)
        assert str(request.url).startswith((f"{BASE}/", GRAPHQL)), f"the token left for {request.url}"
        path = unquote(request.url.path.removeprefix("/api/v3/"))
        if path in self.answers:
            return self.answers[path](request)
        path = path.replace("repositories/77", "repos/acme/api")
        return self._answer(path, request) or httpx.Response(404, json={"message": "Not Found"})

    def _answer(self, path: str, request: httpx.Request) -> httpx.Response | None:
        query = dict(request.url.params)
        if str(request.url) == GRAPHQL and b"user(" not in request.content:
            return httpx.Response(200, json={"data": {"repository": {"discussions": {"nodes": []}}}})
        if path == "repos/acme/api":
            return httpx.Response(200, json=self.repository)
        if path == "user":
            return httpx.Response(200, json={"login": "bot"})
        if path == "rate_limit":
            return httpx.Response(200, json={"resources": {}}, headers={"x-oauth-scopes": "repo, read:org"})
        if path == "user/repos":
            return self._paged([self.repository], path, query)
        rest = path.removeprefix("repos/acme/api/")
        if rest in ("issues/comments", "pulls/comments", "releases"):
            return self._paged([], path, query)
        if rest == "issues":
            return self._paged(self._listed(query), "repositories/77/issues", query)
        if found := re.fullmatch(r"issues/(\d+)", rest):
            issue = self.issues.get(int(found[1]))
            return httpx.Response(200, json=issue) if issue else httpx.Response(410, json={"message": "Gone"})
        for pattern, table in (
            (r"issues/(\d+)/comments", self.comments),
            (r"pulls/(\d+)/reviews", self.reviews),
            (r"pulls/(\d+)/comments", self.review_comments),
        ):
            if found := re.fullmatch(pattern, rest):
                return self._paged(table.get(int(found[1]), []), path, query)
        if rest.startswith("git/trees/"):
            return self._tree(rest.removeprefix("git/trees/"), query, request.headers.get("if-none-match"))
        if rest.startswith("git/blobs/"):
            return self._blob(rest.removeprefix("git/blobs/"))
        if rest == "commits":
            commit = {"committer": {"date": "2025-05-05T05:05:05Z"}, "author": {"name": "Eve"}}
            return self._paged([{"author": {"login": "eve"}, "commit": commit}], path, query)
        return None

    def _listed(self, query: dict[str, str]) -> list[Payload]:
        assert query.get("state") == "all"
        found = sorted(self.issues.values(), key=lambda issue: (issue["updated_at"] or "", issue["number"]))
        if self.honours_since and "since" in query:
            found = [issue for issue in found if issue["updated_at"] >= query["since"]]
        return found

    def _paged(self, items: list[Payload], path: str, query: dict[str, str]) -> httpx.Response:
        start = (int(query.get("page", 1)) - 1) * self.page_size
        end = start + self.page_size
        headers = {}
        if end < len(items):
            more = "&".join(f"{name}={value}" for name, value in query.items() if name != "page")
            # GitHub behind a proxy names its own host, and numbers repositories.
            url = f"https://elsewhere.test/{path}?{more}&page={int(query.get('page', 1)) + 1}"
            headers["link"] = f'<{url}>; rel="next", <https://elsewhere.test/{path}?page=9>; rel="last"'
        return httpx.Response(200, json=items[start:end], headers=headers)

    def _tree(self, ref: str, query: dict[str, str], etag: str | None) -> httpx.Response:
        if not self.files:
            return httpx.Response(409, json={"message": "Git Repository is empty."})
        folders = {tree_sha(self.files, folder): folder for folder in all_folders(self.files)}
        prefix = folders.get(ref, "")
        own = f'"{tree_sha(self.files, prefix)}"'
        if self.etags and etag == own:
            return httpx.Response(304)
        entries = [
            {"path": path.removeprefix(prefix), "type": "blob", "mode": "100644", "sha": blob_sha(content)}
            | {"size": len(content)}
            for path, content in self.files.items()
            if path.startswith(prefix)
        ] + [
            {"path": folder.removeprefix(prefix).rstrip("/"), "type": "tree", "mode": "040000", "sha": sha}
            for sha, folder in folders.items()
            if folder.startswith(prefix) and folder != prefix
        ]
        if "recursive" not in query:
            entries = [entry for entry in entries if "/" not in str(entry["path"])]
        truncated = "recursive" in query and len(entries) > self.tree_limit
        body = {"sha": own.strip('"'), "tree": entries[: self.tree_limit], "truncated": truncated}
        return httpx.Response(200, json=body, headers={"etag": own} if self.etags else {})

    def _blob(self, sha: str) -> httpx.Response | None:
        for content in self.files.values():
            if blob_sha(content) == sha:
                encoded = base64.encodebytes(content).decode()
                return httpx.Response(200, json={"sha": sha, "encoding": "base64", "content": encoded})
        return None


def blob_sha(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def all_folders(files: dict[str, bytes]) -> list[str]:
    parts = (path.split("/")[:-1] for path in files)
    return ["", *sorted({"/".join(part[: depth + 1]) + "/" for part in parts for depth in range(len(part))})]


def tree_sha(files: dict[str, bytes], folder: str) -> str:
    listed = {path: blob_sha(content) for path, content in files.items() if path.startswith(folder)}
    return hashlib.sha1(f"{folder}{json.dumps(listed)}".encode()).hexdigest()


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def connection() -> GitHubConnection:
    return GitHubConnection.model_validate(
        {"id": "acme-github", "source": "github", "token": "ghp-secret", "base_url": BASE}
    )


@pytest.fixture
def connector(github: GitHub, connection: GitHubConnection) -> GitHubConnector:
    return connect(connection, httpx.MockTransport(github))
