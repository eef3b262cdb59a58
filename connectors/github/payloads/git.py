"""Objects of git as GitHub's REST API gives them. https://docs.github.com/en/rest/git"""

from __future__ import annotations

import base64
import binascii

from pydantic import Field

from connectors.github.payloads.parsing import NotAsDocumented
from connectors.github.payloads.rest import GitHubAccount
from connectors.payloads import ExactText, Flag, Maybe, Number, Payload, Text


class GitTreeEntry(Payload):
    """`mode` is git's: 120000 for a symbolic link. `size` is in bytes; folders have none."""

    path: str = Field(min_length=1)
    sha: str = Field(min_length=1)
    type: Text = ""
    mode: Text = ""
    size: Number = None


class GitTree(Payload):
    """`truncated` if it was too large for one answer."""

    tree: tuple[GitTreeEntry, ...]
    truncated: Flag = None


class GitBlob(Payload):
    content: ExactText | None = None
    encoding: Text = ""

    def decode(self) -> bytes:
        """The file's bytes. Raises NotAsDocumented."""
        if self.content is None or self.encoding == "none":
            raise NotAsDocumented("a blob without its content")
        if self.encoding != "base64":
            return self.content.encode()
        try:
            return base64.b64decode(self.content)
        except binascii.Error as error:
            raise NotAsDocumented(f"not base64: {error}") from error


class GitSignature(Payload):
    name: Text = ""
    date: ExactText | None = None


class GitCommit(Payload):
    author: Maybe[GitSignature] = None
    committer: Maybe[GitSignature] = None


class GitHubCommit(Payload):
    """A commit as git has it, and the account of its author where there is one."""

    commit: Maybe[GitCommit] = None
    author: Maybe[GitHubAccount] = None

    @property
    def author_name(self) -> str:
        """Login of who wrote it, or the name in it where that is no account."""
        if self.author and self.author.login:
            return self.author.login
        return self.commit.author.name if self.commit and self.commit.author else ""

    @property
    def committed_at(self) -> str | None:
        """When it reached the branch, by its committer's clock."""
        return self.commit.committer.date if self.commit and self.commit.committer else None
