"""Payloads to documents of one repository: ids, parents, times, readers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from connectors.github import render
from connectors.github.file_rules import decoded, media_type
from connectors.github.responses import Payload, moment
from connectors.model import MARKDOWN, Document, Parent


@dataclass(frozen=True, slots=True)
class DocumentMaker:
    """`url` is the repository's page; `readers` holds for all that is in it."""

    connection: str
    unit: str
    url: str
    branch: str
    readers: tuple[str, ...]

    def issue_id(self, payload: Payload) -> str:
        kind = "pull" if payload.get("pull_request") else "issues"
        return f"{self._root}/{kind}/{payload['number']}"

    def discussion_id(self, number: int) -> str:
        return f"{self._root}/discussions/{number}"

    def release_id(self, payload: Payload) -> str:
        return f"{self._root}/releases/{payload['id']}"

    def file_id(self, path: str) -> str:
        return f"{self._root}/blob/{path}"

    def parsed_id(self, document_id: str) -> tuple[str, str]:
        """The kind (`issues`, `pull`, `discussions`, `releases` or `blob`), and the number or path in an id.

        Both are empty if it is no id of this repository.
        """
        if not document_id.startswith(f"{self._root}/"):
            return "", ""
        kind, _, name = document_id.removeprefix(f"{self._root}/").partition("/")
        return kind, name

    def issue(self, payload: Payload, comments: Sequence[Payload]) -> Document:
        return self._issue("issue", payload, render.issue(payload, comments))

    def pull_request(
        self,
        payload: Payload,
        comments: Sequence[Payload],
        reviews: Sequence[Payload],
        review_comments: Sequence[Payload],
    ) -> Document:
        content = render.pull_request(payload, comments, reviews, review_comments)
        return self._issue("pull_request", payload, content)

    def discussion(self, payload: Payload) -> Document:
        """A discussion as GraphQL tells it, with all of its comments and replies."""
        number = int(payload["number"])
        return Document(
            id=self.discussion_id(number),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="discussion",
            title=str(payload.get("title") or f"#{number}"),
            url=str(payload.get("url") or f"{self.url}/discussions/{number}"),
            content=render.discussion(payload),
            content_type=MARKDOWN,
            author=render.login(payload.get("author")),
            created_at=moment(payload.get("createdAt")),
            updated_at=moment(payload.get("updatedAt")),
            parents=(Parent(self._root, self.unit),),
            tags=tuple(dict.fromkeys(render.discussion_tags(payload))),
            readers=self.readers,
        )

    def release(self, payload: Payload) -> Document:
        """Its listing shows a release whole, so that its version is its mark."""
        document = Document(
            id=self.release_id(payload),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="release",
            title=str(payload.get("name") or payload.get("tag_name") or payload["id"]),
            url=str(payload.get("html_url") or f"{self.url}/releases"),
            content=render.release(payload),
            content_type=MARKDOWN,
            author=render.login(payload.get("author")),
            created_at=moment(payload.get("created_at")),
            updated_at=release_time(payload),
            parents=(Parent(self._root, self.unit),),
            tags=("pre-release",) if payload.get("prerelease") else (),
            readers=self.readers,
        )
        return replace(document, fingerprint=document.version[:16])

    def file(self, path: str, content: bytes, commit: Payload) -> Document:
        """A text file, with the commit that last changed it where it is known."""
        return Document(
            id=self.file_id(path),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="file",
            title=path,
            url=self.file_url(path),
            content=decoded(content),
            content_type=media_type(path),
            author=_committer(commit),
            updated_at=self.commit_time(commit),
            parents=self._folders(path),
            readers=self.readers,
        )

    def file_url(self, path: str) -> str:
        return f"{self.url}/blob/{quote(self.branch)}/{quote(path)}"

    @staticmethod
    def commit_time(commit: Payload) -> datetime | None:
        """When a change reached the branch, as git tells it. Raises ValueError."""
        return moment(((commit.get("commit") or {}).get("committer") or {}).get("date"))

    @property
    def _root(self) -> str:
        return f"github:{self.connection}/{self.unit}"

    def _issue(self, kind: str, payload: Payload, content: str) -> Document:
        number = payload["number"]
        place = "pull" if kind == "pull_request" else "issues"
        return Document(
            id=self.issue_id(payload),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind=kind,
            title=str(payload.get("title") or f"#{number}"),
            url=str(payload.get("html_url") or f"{self.url}/{place}/{number}"),
            content=content,
            content_type=MARKDOWN,
            author=render.author(payload),
            created_at=moment(payload.get("created_at")),
            updated_at=moment(payload.get("updated_at")),
            parents=(Parent(self._root, self.unit),),
            tags=tuple(dict.fromkeys((render.state(payload), *render.labels(payload)))),
            readers=self.readers,
        )

    def _folders(self, path: str) -> tuple[Parent, ...]:
        folders = [str(folder) for folder in reversed(PurePosixPath(path).parents) if str(folder) != "."]
        return (
            Parent(self._root, self.unit),
            *(Parent(f"{self._root}/tree/{folder}", PurePosixPath(folder).name) for folder in folders),
        )


def release_time(payload: Payload) -> datetime | None:
    """When a release was last edited, where the server tells, or else published. Raises ValueError."""
    return moment(payload.get("updated_at") or payload.get("published_at") or payload.get("created_at"))


def _committer(commit: Payload) -> str:
    """Login of who wrote a commit, or the name in it where that is no account."""
    login = (commit.get("author") or {}).get("login")
    return str(login or ((commit.get("commit") or {}).get("author") or {}).get("name") or "")
