"""Ids of what is in a repository. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.github.payloads.rest import GitHubRelease


@dataclass(frozen=True, slots=True)
class DocumentIds:
    """Of one connection and unit, which is the repository's id."""

    connection: str
    unit: str

    @property
    def root(self) -> str:
        return f"github:{self.connection}/{self.unit}"

    @property
    def about_id(self) -> str:
        return f"{self.root}/about/repository"

    def issue_id(self, number: int, *, is_pull_request: bool) -> str:
        return f"{self.root}/{'pull' if is_pull_request else 'issues'}/{number}"

    def discussion_id(self, number: int) -> str:
        return f"{self.root}/discussions/{number}"

    def release_id(self, release: GitHubRelease) -> str:
        return f"{self.root}/releases/{release.id}"

    def file_id(self, path: str) -> str:
        return f"{self.root}/blob/{path}"

    def wiki_id(self, path: str) -> str:
        return f"{self.root}/wiki/{path}"

    def commit_id(self, sha: str) -> str:
        return f"{self.root}/commit/{sha}"

    def id_prefix(self, kind: str) -> str:
        """What the ids of all documents of a kind begin with."""
        return f"{self.root}/{kind}/"

    def parse_id(self, document_id: str) -> tuple[str, str]:
        """The kind (`issues`, `pull`, `discussions`, `releases`, `blob` …), and the number or path in an id.

        Both are empty if it is no id of this repository.
        """
        if not document_id.startswith(f"{self.root}/"):
            return "", ""
        kind, _, name = document_id.removeprefix(f"{self.root}/").partition("/")
        return kind, name
