"""The settings of a connection of Google Drive."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from connectors.settings import Connection


class DriveConnection(Connection):
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
