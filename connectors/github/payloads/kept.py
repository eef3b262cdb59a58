"""What is kept of GitHub's answers, so that it can say next time that nothing has changed.

Answers of 304 count on no quota, and an ETag holds for the token that it was given to:
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from connectors.github.payloads.rest import GitHubRepository

MAX_AGE = timedelta(days=1)
"""For so long a server is believed that what it told has not changed. One that is wrong about it, or a cache in front
of one, would let people in for ever whom it has shut out."""


class KeptAnswer(BaseModel):
    """`path` is where it was asked for, and `told_at` when the server last told all of it, by our clock."""

    model_config = ConfigDict(frozen=True)

    path: str
    told_at: AwareDatetime

    @classmethod
    def from_json(cls, value: Any) -> Self | None:
        """The inverse of `to_json`; None for what is none."""
        try:
            return cls.model_validate(value) if value else None
        except ValidationError:
            return None

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=True)

    def holds_for(self, path: str, now: datetime) -> bool:
        """Whether the server may be asked for what has changed since. A clock that was set back ends it, too."""
        return path == self.path and self.told_at <= now < self.told_at + MAX_AGE


class KeptLook(BaseModel):
    """When all of a repository was looked at, by our clock, and what it showed before of the last that had happened in
    it."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    activity: str


class KeptRepository(KeptAnswer):
    etag: str
    payload: GitHubRepository


class KeptRepositories(KeptAnswer):
    """A page of a listing of repositories; `digest` is of what it was told in, `omitted` as `RestPage` has it."""

    etag: str
    digest: str
    repositories: tuple[GitHubRepository, ...] = ()
    omitted: tuple[str, ...] = ()
    next: str | None = None


class KeptPage(BaseModel):
    """A page of a repository's collaborators. Without an ETag it is asked for as if nothing were known of it."""

    model_config = ConfigDict(frozen=True)

    logins: tuple[str, ...] = ()
    next: str | None = None
    etag: str | None = None


class KeptCollaborators(KeptAnswer):
    """`is_failing` says that the last reading failed for a passing reason: the next one asks with less patience."""

    pages: tuple[KeptPage, ...] = ()
    is_failing: bool = False
