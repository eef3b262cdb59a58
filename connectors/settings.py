"""Settings of a connection, one model per source."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class _Connection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Name of the connection, used in ids and commands")
    token: SecretStr
    base_url: str = Field(pattern=r"^https?://")
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    schedule: str = Field(default="*/15 * * * *", description="When what changed is read (cron)")
    reconcile_schedule: str = Field(default="41 3 * * *", description="When a listing is compared in full (cron)")
    memberships_schedule: str = Field(default="*/10 * * * *", description="When memberships are read (cron)")
    poll_seconds: int | None = Field(
        default=None, ge=60, description="How often the worker reads what changed, for sources without webhooks"
    )
    webhook_secret: SecretStr | None = None

    @field_validator("base_url")
    @classmethod
    def _without_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    def admits(self, *names: str) -> bool:
        """Whether the unit patterns take in a unit known under any of `names` (its id, its name)."""
        return any(_matches(name, self.include) for name in names) and not any(
            _matches(name, self.exclude) for name in names
        )


class GitHubConnection(_Connection):
    """A token, or an installation of a GitHub App, for which tokens are made as they are needed."""

    source: Literal["github"]
    base_url: str = "https://api.github.com"
    token: SecretStr = SecretStr("")
    app_id: str | None = Field(default=None, coerce_numbers_to_str=True, description="App ID or client ID of an app")
    installation_id: str | None = Field(default=None, coerce_numbers_to_str=True, pattern=r"^\d+$")
    private_key: SecretStr | None = Field(default=None, description="The app's private key in PEM form")
    emails: dict[str, str] = Field(
        default={}, description="E-mail addresses by login, for people whose GitHub profile shows none"
    )
    files: tuple[str, ...] = Field(
        default=(),
        description="Patterns of the files to read, such as 'docs/**/*.md'; by default Markdown, text and source code",
    )

    @model_validator(mode="after")
    def _one_kind_of_credentials(self) -> GitHubConnection:
        app = (self.app_id, self.installation_id, self.private_key)
        if self.token.get_secret_value().strip() and any(app):
            raise ValueError("give either `token`, or `app_id`, `installation_id` and `private_key`")
        if not self.token.get_secret_value().strip() and not all(app):
            raise ValueError("needs `token`, or all of `app_id`, `installation_id` and `private_key`")
        return self


class SlackConnection(_Connection):
    source: Literal["slack"]
    base_url: str = "https://slack.com/api"
    files_url: str | None = Field(
        default=None, pattern=r"^https?://", description="Where files are stored; follows from `base_url`"
    )
    bots: bool = Field(default=True, description="Whether messages of bots are read")


class NotionConnection(_Connection):
    source: Literal["notion"]
    base_url: str = "https://api.notion.com"
    files_url: str | None = Field(
        default=None, pattern=r"^https?://", description="Where files are stored; follows from `base_url`"
    )
    readers: tuple[str, ...] = Field(
        default=("workspace",),
        description="Who may read the connection's pages, because Notion's API does not tell: 'workspace', "
        "'public' or e-mail addresses",
    )
    block_comments: bool = Field(
        default=False,
        description="Whether comments on single blocks are read beside those on pages: a request for every block",
    )


class DriveConnection(_Connection):
    source: Literal["drive"]
    base_url: str = "https://www.googleapis.com/drive/v3"
    token_uri: str = Field(default="https://oauth2.googleapis.com/token", pattern=r"^https?://")
    subject: str | None = Field(
        default=None, pattern="@", description="Whom a service account acts for, by domain-wide delegation"
    )
    directory_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Google's Directory API, https://admin.googleapis.com/admin/directory/v1, to read the members of "
        "groups; needs the scope admin.directory.group.readonly. Without it nobody sees a file through a group",
    )
    webhook_url: str | None = Field(
        default=None,
        pattern=r"^https://",
        description="Where Google reaches /webhooks/<id> of this connection; with it, the worker opens push channels",
    )

    @field_validator("directory_url")
    @classmethod
    def _directory_without_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None


Connection: TypeAlias = Annotated[
    GitHubConnection | SlackConnection | NotionConnection | DriveConnection, Field(discriminator="source")
]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
