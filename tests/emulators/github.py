"""GitHub in memory, over HTTP: written from its REST, GraphQL and webhook documentation.

https://docs.github.com/en/rest · https://docs.github.com/en/graphql · https://docs.github.com/en/webhooks

It speaks under a path prefix, names another host in its links, and logs every request; `counted` has the paths of
those that count on a quota. Times are the test's own:
each change is one minute after the one before it. `serving` puts it on loopback.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.emulators.github_graphql import blob_sha, executed
from tests.emulators.github_refusals import Refusal, part_of, refusal
from tests.emulators.github_wiki import WikiRepository, token_of, unauthorized, unwritten
from tests.loopback import serve

ROOT = "/prefix"
PREFIX = f"{ROOT}/api"
"""Of the API; git's repositories are beside it."""
TOKEN = "ghp-emulated"
WEBHOOK_SECRET = "webhook-secret"
INSTALLATION = 4711
ELSEWHERE = "https://api.elsewhere.test"
"""The host that links name, as a server behind a proxy does: nobody may follow it there."""

Payload = dict[str, Any]
Fault = Callable[[], Response]
COMMIT = {
    "author": {"login": "eve"},
    "commit": {"committer": {"date": "2025-05-05T05:05:05Z"}, "author": {"name": "Eve"}},
}
"""Of a file of which a test says no more."""


class Asked(NamedTuple):
    """A request. `path` is what stands below the API's own, and the names of headers are in lower case."""

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))


@dataclass
class Repository:
    """One repository. Numbers are shared by issues, pull requests and discussions, as on GitHub. The
    `lost_discussions` are listed, and not found by their numbers. Servers that know of no discussions tell nothing of
    `has_discussions`."""

    id: int
    full_name: str
    private: bool = False
    archived: bool = False
    has_issues: bool = True
    has_discussions: bool | None = True
    has_wiki: bool = False
    branch: str = "main"
    issues: dict[int, Payload] = field(default_factory=dict)
    comments: dict[int, dict[int, Payload]] = field(default_factory=dict)
    pulls: dict[int, Payload] = field(default_factory=dict)
    reviews: dict[int, list[Payload]] = field(default_factory=dict)
    review_comments: dict[int, dict[int, Payload]] = field(default_factory=dict)
    commit_comments: dict[int, Payload] = field(default_factory=dict)
    discussions: dict[int, Payload] = field(default_factory=dict)
    lost_discussions: set[int] = field(default_factory=set)
    releases: dict[int, Payload] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    commits: dict[str, Payload] = field(default_factory=dict)
    wiki: WikiRepository | None = None
    collaborators: list[str] = field(default_factory=list)
    transferred: dict[int, tuple[Repository, int]] = field(default_factory=dict)
    block: Payload = field(default_factory=dict)
    more: Payload = field(default_factory=dict)
    pushed_at: str = ""
    next_number: int = 1

    def take_number(self) -> int:
        self.next_number += 1
        return self.next_number - 1

    def described(self) -> Payload:
        return {
            "id": self.id,
            "full_name": self.full_name,
            "name": self.full_name.partition("/")[2],
            "owner": {"login": self.full_name.partition("/")[0], "type": "Organization"},
            "private": self.private,
            "visibility": "private" if self.private else "public",
            "archived": self.archived,
            "default_branch": self.branch,
            "html_url": f"https://github.test/{self.full_name}",
            "has_issues": self.has_issues,
            "has_discussions": self.has_discussions,
            **({"pushed_at": self.pushed_at} if self.pushed_at else {}),
            "has_wiki": self.has_wiki,
            **self.more,
        }


@dataclass
class GitHub:
    """The whole service. Its methods change it as people do; `faults` are answered before anything else, and the
    paths in `unfound` as if nothing were there."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    renamed: dict[str, int] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    public_key: bytes | None = None
    installation_tokens: int = 0
    graphql: bool = True
    etags: bool = True
    page_size: int = 100
    honours_since: bool = True
    tree_limit: int = 100_000
    scopes: str = ""
    step: timedelta = timedelta(minutes=1)
    clock: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    faults: list[Fault] = field(default_factory=list)
    unfound: set[str] = field(default_factory=set)
    only: str = ""
    stopped: dict[str, Refusal] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    next_id: int = 1000

    # ---- what people do

    def repository(self, full_name: str, **described: Any) -> Repository:
        made = Repository(self._id(), full_name, **{"pushed_at": self._now(), **described})
        self.repositories[full_name] = made
        return made

    def rename(self, repository: Repository, full_name: str) -> None:
        """Also a transfer to another owner: the old name leads to the new one until another repository takes it."""
        old = repository.full_name
        del self.repositories[old]
        self.renamed[old] = repository.id
        repository.full_name = full_name
        self.repositories[full_name] = repository
        for held in (repository.issues, repository.discussions, repository.releases):
            for payload in held.values():
                for key in {"html_url", "url"} & payload.keys():
                    payload[key] = payload[key].replace(f"github.test/{old}/", f"github.test/{full_name}/")

    def delete_repository(self, repository: Repository) -> None:
        del self.repositories[repository.full_name]

    def block(self, repository: Repository, reason: str) -> None:
        """The repository stays in listings, and nobody can read it."""
        url = f"https://github.test/blocks/{repository.full_name}"
        repository.block = {"reason": reason, "created_at": self._tick(), "html_url": url}

    def issue(self, repository: Repository, title: str, body: str = "", *, pull: bool = False, **more: Any) -> int:
        number, now = repository.take_number(), self._tick()
        place = "pull" if pull else "issues"
        repository.issues[number] = {
            "id": self._id(),
            "number": number,
            "title": title,
            "body": body,
            "state": "open",
            "state_reason": None,
            "user": {"login": "ada"},
            "labels": [],
            "assignees": [],
            "milestone": None,
            "comments": 0,
            "created_at": now,
            "updated_at": now,
            "html_url": f"https://github.test/{repository.full_name}/{place}/{number}",
            **({"pull_request": {"merged_at": None}, "draft": False} if pull else {}),
            **more,
        }
        return number

    def edit_issue(self, repository: Repository, number: int, **changes: Any) -> None:
        repository.issues[number].update(changes, updated_at=self._tick())

    def merge(self, repository: Repository, number: int) -> None:
        now = self._tick()
        repository.issues[number].update(state="closed", pull_request={"merged_at": now}, updated_at=now)

    def delete_issue(self, repository: Repository, number: int) -> None:
        del repository.issues[number]

    def transfer_issue(self, repository: Repository, number: int, to: Repository) -> int:
        payload = repository.issues.pop(number)
        moved = to.take_number()
        to.issues[moved] = {**payload, "number": moved, "updated_at": self._tick()}
        to.comments[moved] = repository.comments.pop(number, {})
        repository.transferred[number] = (to, moved)
        return moved

    def comment(self, repository: Repository, number: int, body: str, *, login: str = "bob") -> int:
        now = self._tick()
        made = self._comment(body, login, now)
        repository.comments.setdefault(number, {})[made["id"]] = made
        repository.issues[number].update(updated_at=now, comments=len(repository.comments[number]))
        return int(made["id"])

    def edit_comment(self, repository: Repository, number: int, comment: int, body: str) -> None:
        """The time of the issue stays: clients must not rely on it to tell of an edited comment."""
        repository.comments[number][comment].update(body=body, updated_at=self._tick())

    def delete_comment(self, repository: Repository, number: int, comment: int) -> None:
        del repository.comments[number][comment]
        repository.issues[number].update(updated_at=self._tick(), comments=len(repository.comments[number]))

    def review(self, repository: Repository, number: int, state: str, body: str, *, login: str = "eve") -> None:
        now = self._tick()
        made = {"id": self._id(), "state": state, "body": body, "user": {"login": login}, "submitted_at": now}
        repository.reviews.setdefault(number, []).append(made)
        repository.issues[number]["updated_at"] = now

    def review_comment(self, repository: Repository, number: int, path: str, line: int, body: str) -> int:
        now = self._tick()
        made = {**self._comment(body, "eve", now), "path": path, "line": line}
        repository.review_comments.setdefault(number, {})[made["id"]] = made
        repository.issues[number]["updated_at"] = now
        return int(made["id"])

    def comment_on_commit(self, repository: Repository, sha: str, body: str, **more: Any) -> int:
        made = {**self._comment(body, "eve", self._tick()), "commit_id": sha, "path": None, "line": None, **more}
        repository.commit_comments[made["id"]] = made
        return int(made["id"])

    def discussion(self, repository: Repository, title: str, body: str = "", category: str = "Q&A") -> int:
        number, now = repository.take_number(), self._tick()
        repository.discussions[number] = {
            "number": number,
            "title": title,
            "body": body,
            "url": f"https://github.test/{repository.full_name}/discussions/{number}",
            "author": {"login": "ada"},
            "category": {"name": category},
            "closed": False,
            "stateReason": None,
            "createdAt": now,
            "updatedAt": now,
            "labels": [],
            "answer": None,
            "comments": [],
        }
        return number

    def edit_discussion(self, repository: Repository, number: int, **changes: Any) -> None:
        repository.discussions[number].update(changes, updatedAt=self._tick())

    def discuss(self, repository: Repository, number: int, body: str, reply_to: str | None = None) -> str:
        """Add a comment, or a reply to one; returns its id."""
        now = self._tick()
        discussion = repository.discussions[number]
        made = {"id": f"DC_{self._id()}", "body": body, "createdAt": now, "author": {"login": "bob"}, "replies": []}
        among = discussion["comments"]
        if reply_to:
            among = next(comment["replies"] for comment in among if comment["id"] == reply_to)
        among.append(made)
        discussion["updatedAt"] = now
        return str(made["id"])

    def answer(self, repository: Repository, number: int, comment: str) -> None:
        self.edit_discussion(repository, number, answer={"id": comment})

    def delete_discussion(self, repository: Repository, number: int) -> None:
        del repository.discussions[number]

    def release(self, repository: Repository, tag: str, body: str, **more: Any) -> int:
        now, number = self._tick(), self._id()
        repository.releases[number] = {
            "id": number,
            "tag_name": tag,
            "name": f"Release {tag}",
            "body": body,
            "draft": False,
            "prerelease": False,
            "author": {"login": "ada"},
            "created_at": now,
            "published_at": now,
            "assets": [],
            "html_url": f"https://github.test/{repository.full_name}/releases/tag/{tag}",
            **more,
        }
        return number

    def write(self, repository: Repository, path: str, content: str | bytes) -> None:
        repository.files[path] = content.encode() if isinstance(content, str) else content
        repository.pushed_at = self._tick()
        commit = {"committer": {"date": repository.pushed_at}, "author": {"name": "Eve"}}
        repository.commits[path] = {"author": {"login": "eve"}, "commit": commit}

    def move_file(self, repository: Repository, path: str, to: str) -> None:
        self.write(repository, to, repository.files[path])
        self.delete_file(repository, path)

    def delete_file(self, repository: Repository, path: str) -> None:
        del repository.files[path]
        repository.removed.append(path)

    def write_page(self, repository: Repository, path: str, content: str | bytes) -> None:
        """The first one makes the wiki, whose git repository is there from then on."""
        self._tick()
        repository.has_wiki, repository.wiki = True, repository.wiki or WikiRepository()
        repository.wiki.write(path, content.encode() if isinstance(content, str) else content, self.clock)

    def move_page(self, repository: Repository, path: str, to: str) -> None:
        self._change_pages(repository, lambda pages: pages.update({to: pages.pop(path)}))

    def delete_page(self, repository: Repository, path: str) -> None:
        self._change_pages(repository, lambda pages: pages.pop(path))

    # ---- what goes wrong, and what is seen

    def fail(self, times: int, fault: Fault, *, only: str = "") -> None:
        """The next `times` requests, of those whose path holds `only`, are answered by `fault`."""
        self.only = only
        self.faults += [fault] * times

    def refuse(self, part: str, how: Refusal) -> None:
        """A part of every repository is refused (`forbidden`, `missing`) or fails for ever (`down`, `odd`)."""
        self.stopped[part] = how

    def allow(self, part: str) -> None:
        self.stopped.pop(part, None)

    def asked(self) -> Counter[str]:
        """How often each path below the prefix was asked for since `forget`."""
        return Counter(path.split("?", 1)[0] for path in self.log)

    def forget(self) -> None:
        self.log.clear()
        self.counted.clear()

    def webhook(self, event: str, repository: Repository | None = None, **payload: Any) -> tuple[dict[str, str], bytes]:
        """Headers (by lower-case name) and body of a signed delivery."""
        about = {"repository": repository.described()} if repository else {}
        body = json.dumps({**about, **payload, "sender": {"login": "ada"}}).encode()
        digest = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "user-agent": "GitHub-Hookshot/emulated",
            "x-github-delivery": str(uuid.uuid4()),
            "x-github-event": event,
            "x-hub-signature-256": f"sha256={digest}",
        }
        return headers, body

    def issue_webhook(
        self, action: str, repository: Repository, number: int, **more: Any
    ) -> tuple[dict[str, str], bytes]:
        issue = repository.issues.get(number, {"number": number})
        return self.webhook("issues", repository, action=action, issue=issue, **more)

    def push_webhook(self, repository: Repository, branch: str | None = None) -> tuple[dict[str, str], bytes]:
        """One commit with all that was removed since the last one."""
        removed, repository.removed = repository.removed, []
        commits = [{"added": [], "modified": [], "removed": removed}]
        return self.webhook("push", repository, ref=f"refs/heads/{branch or repository.branch}", commits=commits)

    # ---- the server

    def answered(self, asked: Asked) -> Response:
        response = self._answer(asked)
        if response.status_code != 304:
            self.counted.append(asked.path)
        return response

    def _answer(self, asked: Asked) -> Response:
        path = asked.path
        self.log.append(f"{path}?{asked.query_string}" if asked.query_string else path)
        if self.faults and self.only in path:
            return self.faults.pop(0)()
        if path.startswith("app/installations/"):
            return self._installation_token(asked)
        shown, is_git = asked.headers.get("authorization", ""), ".wiki.git/" in path
        if (token_of(shown) if is_git else shown.removeprefix("Bearer ")) not in self.tokens:
            return unauthorized() if is_git else JSONResponse({"message": "Bad credentials"}, 401)
        if (part := part_of(path, asked.body)) in self.stopped:
            return refusal(part, self.stopped[part], is_query=path == "graphql")
        if path in self.unfound:
            return _not_found()
        if path == "graphql":
            return self._graphql(asked)
        if is_git:
            return self._git(asked)
        return self._get(asked) if asked.method == "GET" else _not_found()

    def _graphql(self, asked: Asked) -> Response:
        if not self.graphql:
            return _not_found()
        body = json.loads(asked.body)
        people = {login: [email] for login, email in self.emails.items()}
        variables = body.get("variables") or {}
        return JSONResponse(executed(self.repositories, people, body["query"], variables, self.stopped))

    def _get(self, request: Asked) -> Response:
        match request.path.split("/"):
            case ["user"]:
                return _forbidden() if self.installation_tokens else JSONResponse({"login": "bot"})
            case ["rate_limit"]:
                headers = {"x-oauth-scopes": self.scopes} if self.scopes else {}
                return JSONResponse({"resources": {}}, headers=headers)
            case ["user", "repos"] | ["installation", "repositories"] as listing:
                found = [repository.described() for repository in self.repositories.values()]
                return self._listed(request, found, "repositories" if listing[0] == "installation" else "")
            case ["users", login]:
                return JSONResponse({"login": login, "name": login.title(), "email": self.emails.get(login)})
            case ["repositories", number, *rest]:
                by_id = {str(repository.id): repository for repository in self.repositories.values()}
                return self._of(by_id[number], rest, request) if number in by_id else _not_found()
            case ["repos", owner, name, *rest]:
                full_name = f"{owner}/{name}"
                if full_name in self.renamed and full_name not in self.repositories:
                    return _moved("/".join(["repositories", str(self.renamed[full_name]), *rest]), request)
                repository = self.repositories.get(full_name)
                return self._of(repository, rest, request) if repository else _not_found()
        return _not_found()

    def _git(self, asked: Asked) -> Response:
        name, _, service = asked.path.partition(".wiki.git/")
        repository = self.repositories.get(name)
        if repository is None or not repository.has_wiki or repository.wiki is None:
            return unwritten()
        return repository.wiki.answered(asked.method, service, asked.query_string, asked.body)

    def _change_pages(self, repository: Repository, change: Callable[[dict[str, Any]], Any]) -> None:
        assert repository.wiki, "a page of the wiki has been written"
        self._tick()
        change(repository.wiki.files)
        repository.wiki.commit(self.clock)

    def _of(self, repository: Repository, rest: list[str], request: Asked) -> Response:
        query = request.query if self.honours_since else {**request.query, "since": ""}
        if repository.block:
            return JSONResponse({"message": "Repository access blocked", "block": repository.block}, 451)
        match rest:
            case []:
                return self._conditional(request, repository.described(), {})
            case ["issues"] if repository.has_issues:
                return self._listed(request, [self._issue(repository, n) for n in _issues(repository, query)])
            case ["issues"]:
                return JSONResponse({"message": "Issues are disabled for this repo"}, 410)
            case ["pulls"]:
                return self._listed(
                    request, [self._issue(repository, n) for n in _issues(repository, query, pulls=True)]
                )
            case ["issues", "comments"]:
                return self._listed(request, _comments(repository, repository.comments, "issue", query))
            case ["pulls", "comments"]:
                return self._listed(request, _comments(repository, repository.review_comments, "pull_request", query))
            case ["issues", number] if int(number) in repository.transferred:
                to, moved = repository.transferred[int(number)]
                return _moved(f"repositories/{to.id}/issues/{moved}", request)
            case ["pulls", number] if int(number) in repository.issues:
                return JSONResponse(self._pull(repository, int(number)))
            case ["issues" | "pulls", number]:
                found = int(number) in repository.issues
                return JSONResponse(self._issue(repository, int(number))) if found else _gone()
            case ["issues", number, "comments"]:
                return self._listed(request, list(repository.comments.get(int(number), {}).values()))
            case ["pulls", number, "comments"]:
                return self._listed(request, list(repository.review_comments.get(int(number), {}).values()))
            case ["pulls", number, "reviews"]:
                return self._listed(request, repository.reviews.get(int(number), []))
            case ["releases"]:
                return self._listed(request, list(reversed(repository.releases.values())))
            case ["releases", number]:
                release = repository.releases.get(int(number))
                return JSONResponse(release) if release else _not_found()
            case ["comments"]:
                return self._listed(request, list(repository.commit_comments.values()))
            case ["commits", sha, "comments"]:
                said = [one for one in repository.commit_comments.values() if one["commit_id"] == sha]
                return self._listed(request, said)
            case ["collaborators"]:
                return self._listed(request, [{"login": login} for login in repository.collaborators])
            case ["commits"]:
                path = query.get("path", "")
                commits = [repository.commits.get(path, COMMIT)] if path in repository.files else []
                return self._listed(request, commits)
            case ["git", "trees", *ref]:
                return self._tree(repository, "/".join(ref), request)
            case ["git", "blobs", sha]:
                return _blob(repository, sha)
        return _not_found()

    def _issue(self, repository: Repository, number: int) -> Payload:
        return {"repository_url": f"{ELSEWHERE}/repos/{repository.full_name}", **repository.issues[number]}

    def _pull(self, repository: Repository, number: int) -> Payload:
        """In its own form."""
        told = {"head": {"ref": "work"}, "base": {"ref": repository.branch}}
        comments = len(repository.review_comments.get(number, ()))
        return {
            **self._issue(repository, number),
            **told,
            "review_comments": comments,
            **repository.pulls.get(number, {}),
        }

    def _listed(self, request: Asked, items: list[Payload], name: str = "") -> Response:
        query = request.query
        size, page = min(int(query.get("per_page", 30)), self.page_size), int(query.get("page", 1))
        shown = items[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(items):
            more = urlencode({**query, "page": page + 1})
            headers["link"] = f'<{ELSEWHERE}/{request.path}?{more}>; rel="next"'
        return self._conditional(request, {name: shown} if name else shown, headers)

    def _conditional(self, request: Asked, body: Any, headers: dict[str, str]) -> Response:
        """An ETag is that of one token: another one has others, as that of an app has each hour."""
        content = json.dumps(body).encode()
        token = request.headers.get("authorization", "").encode()
        etag = f'W/"{hashlib.sha256(token + content).hexdigest()}"'
        if self.etags and request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        return Response(
            content, headers={**headers, **({"etag": etag} if self.etags else {})}, media_type="application/json"
        )

    def _tree(self, repository: Repository, ref: str, request: Asked) -> Response:
        if not repository.files:
            return JSONResponse({"message": "Git Repository is empty."}, 409)
        folders = {"": "", **{_tree_sha(repository, folder): folder for folder in _folders(repository)}}
        at = "" if ref == repository.described()["default_branch"] else ref
        if at not in folders:
            return _not_found()
        tree = _tree_entries(repository, folders[at])
        if "recursive" not in request.query:
            tree = [entry for entry in tree if "/" not in entry["path"]]
        shown, truncated = tree[: self.tree_limit], len(tree) > self.tree_limit
        sha = _tree_sha(repository, folders[at])
        return self._conditional(request, {"sha": sha, "tree": shown, "truncated": truncated}, {})

    def _installation_token(self, request: Asked) -> Response:
        from google.auth import crypt, jwt

        if not self.public_key or request.path != f"app/installations/{INSTALLATION}/access_tokens":
            return _not_found()
        verifier = crypt.RSAVerifier.from_string(self.public_key)  # type: ignore[no-untyped-call]
        claim = request.headers["authorization"].removeprefix("Bearer ")
        signed, _, signature = claim.rpartition(".")
        if not verifier.verify(signed.encode(), base64.urlsafe_b64decode(signature + "==")):
            return JSONResponse({"message": "A JSON web token could not be decoded"}, 401)
        said = jwt.decode(claim, verify=False)  # type: ignore[no-untyped-call]
        assert said["exp"] - said["iat"] <= 600, "GitHub takes ten minutes at most"
        self.installation_tokens += 1
        token = f"ghs_{self.installation_tokens}"
        self.tokens = {token}
        expiry = datetime.now(UTC) + timedelta(hours=1)
        return JSONResponse({"token": token, "expires_at": f"{expiry:%Y-%m-%dT%H:%M:%SZ}"}, 201)

    def _comment(self, body: str, login: str, now: str) -> Payload:
        return {"id": self._id(), "body": body, "user": {"login": login}, "created_at": now, "updated_at": now}

    def _tick(self) -> str:
        self.clock += self.step
        return self._now()

    def _now(self) -> str:
        return f"{self.clock:%Y-%m-%dT%H:%M:%SZ}"

    def _id(self) -> int:
        self.next_id += 1
        return self.next_id


def app_settings(github: GitHub) -> Payload:
    """Settings of a connection through an app, the only one that is let in from now on."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, spki = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    github.public_key, github.tokens = key.public_key().public_bytes(pem, spki), set()
    secret = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return {"app_id": 17, "installation_id": INSTALLATION, "private_key": secret.decode()}


@contextmanager
def serving(github: GitHub) -> Iterator[str]:
    """Serve it on loopback while the context lasts; yields the base URL of its API."""

    async def answered(request: Request) -> Response:
        path = unquote(request.url.path)
        below = next((path.removeprefix(root) for root in (f"{PREFIX}/", f"{ROOT}/") if path.startswith(root)), "")
        if path.startswith(f"{PREFIX}/") or ".wiki.git/" in below:
            headers, body = dict(request.headers), await request.body()
            asked = Asked(request.method, below, request.url.query, headers, body)
            response = github.answered(asked)
        else:
            github.strayed.append(str(request.url))
            response = _not_found()
        response.headers["date"] = email.utils.format_datetime(github.clock, usegmt=True)
        return response

    app = Starlette(routes=[Route("/{path:path}", answered, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
    with serve(uvicorn.Config(app, log_level="error", lifespan="off", ws="none", date_header=False)) as origin:
        yield f"{origin}{PREFIX}"


def rate_limited(**headers: str) -> Fault:
    return lambda: JSONResponse({"message": "API rate limit exceeded"}, 429, headers)


def secondary_limit(seconds: int) -> Fault:
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    return lambda: JSONResponse({"message": message}, 403, {"retry-after": str(seconds)})


def broken_gateway() -> Response:
    return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, media_type="text/html")


def cut_short() -> Response:
    return Response('[{"number": 1, "title": "Cut', 200, media_type="application/json")


def _issues(repository: Repository, query: Any, *, pulls: bool = False) -> list[int]:
    found = [
        issue
        for issue in repository.issues.values()
        if (query.get("state", "open") in ("all", issue.get("state", "open")))
        and (not pulls or "pull_request" in issue)
        and (issue["updated_at"] or "") >= query.get("since", "")
        and _carries(issue, query)
    ]
    key = "updated_at" if query.get("sort") == "updated" else "created_at"
    found.sort(key=lambda issue: (issue[key] or "", issue["number"]), reverse=query.get("direction", "desc") == "desc")
    return [issue["number"] for issue in found]


def _carries(issue: Payload, query: Any) -> bool:
    if "labels" in query and query["labels"] not in {label["name"] for label in issue["labels"]}:
        return False
    return "milestone" not in query or str((issue["milestone"] or {}).get("number")) == query["milestone"]


def _comments(repository: Repository, among: dict[int, dict[int, Payload]], of: str, query: Any) -> list[Payload]:
    kind = {"issue": "issues", "pull_request": "pulls"}[of]
    found = [
        {
            **comment,
            f"{of}_url": f"{ELSEWHERE}/repos/{repository.full_name}/{kind}/{number}",
            "html_url": f"{repository.issues[number]['html_url']}#comment-{comment['id']}",
        }
        for number, comments in among.items()
        if number in repository.issues
        for comment in comments.values()
        if comment["updated_at"] >= query.get("since", "")
    ]
    key = "updated_at" if query.get("sort") == "updated" else "created_at"
    return sorted(found, key=lambda comment: str(comment[key]), reverse=query.get("direction") == "desc")


def _blob(repository: Repository, sha: str) -> Response:
    for content in repository.files.values():
        if blob_sha(content) == sha:
            return JSONResponse({"sha": sha, "encoding": "base64", "content": base64.encodebytes(content).decode()})
    return _not_found()


def _folders(repository: Repository) -> list[str]:
    parts = (path.split("/")[:-1] for path in repository.files)
    return ["", *sorted({"/".join(part[: depth + 1]) + "/" for part in parts for depth in range(len(part))})]


def _tree_sha(repository: Repository, folder: str) -> str:
    listed = {path: blob_sha(content) for path, content in repository.files.items() if path.startswith(folder)}
    return hashlib.sha1(f"{folder}{json.dumps(listed)}".encode()).hexdigest()


def _tree_entries(repository: Repository, folder: str) -> list[Payload]:
    """All that is below a folder: files first, then folders."""
    files = [
        {
            "path": path.removeprefix(folder),
            "type": "blob",
            "mode": "100644",
            "sha": blob_sha(content),
            "size": len(content),
        }
        for path, content in repository.files.items()
        if path.startswith(folder)
    ]
    folders = [
        {
            "path": one.removeprefix(folder).rstrip("/"),
            "type": "tree",
            "mode": "040000",
            "sha": _tree_sha(repository, one),
        }
        for one in _folders(repository)
        if one.startswith(folder) and one != folder
    ]
    return files + folders


def _moved(path: str, request: Asked) -> Response:
    """https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects"""
    query = f"?{request.query_string}" if request.query_string else ""
    location = f"{ELSEWHERE}/{path}{query}"
    return JSONResponse({"message": "Moved Permanently", "url": location}, 301, {"location": location})


def _not_found() -> Response:
    return JSONResponse({"message": "Not Found"}, 404)


def _gone() -> Response:
    return JSONResponse({"message": "This issue was deleted"}, 410)


def _forbidden() -> Response:
    return JSONResponse({"message": "Resource not accessible by integration"}, 403)
