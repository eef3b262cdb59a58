"""The settings of a connection of Google Drive."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.secret_files import read_secret
from connectors.settings import Connection
from connectors.web_urls import WebUrl

_GOOGLE_DRIVE = "https://www.googleapis.com/drive/v3"
_GOOGLE_SHEETS = "https://sheets.googleapis.com/v4"
_VERSION = re.compile(r"/v3$")


_NEEDED = "the JSON key of a service account is needed, or the path of its file"


class DriveConnection(Connection):
    token_prefixes: ClassVar[tuple[str, ...]] = ("ya29.", "AIza", "GOCSPX-", "1//")
    unfit_tokens: ClassVar[Mapping[str, str]] = {
        "AIza": f"is an API key, which reads no files of people; {_NEEDED}",
        "GOCSPX-": f"is the secret of an OAuth client; {_NEEDED}",
        "1//": f"is a refresh token alone; {_NEEDED}",
    }

    source: Literal["drive"]
    base_url: str = _GOOGLE_DRIVE
    token_uri: WebUrl = Field(default="https://oauth2.googleapis.com/token", description="Where Google makes tokens")
    subject: str | None = Field(
        default=None, pattern="@", description="Whom a service account acts for, by domain-wide delegation"
    )
    subjects: str | None = Field(
        default=None,
        pattern=r"^(all|[^@\s]+@[^@\s]+)$",
        description="Whose My Drives are read by domain-wide delegation, beside the shared drives of `subject`: 'all' "
        "people of the organisation, or the members of a group by its address. Needs `subject`, an administrator, and "
        "`directory_url`",
    )
    directory_url: WebUrl | None = Field(
        default=None,
        description="Google's Directory API, https://admin.googleapis.com/admin/directory/v1, to read the members of "
        "groups; needs the scope admin.directory.group.readonly. Without it nobody sees a file through a group",
    )
    sheets_url: WebUrl | None = Field(
        default=None,
        description="Google's Sheets API, by which a spreadsheet of more than the 10 MB that Google exports is read; "
        "follows from `base_url`",
    )
    webhook_url: str | None = Field(
        default=None,
        pattern=r"^https://",
        description="Where Google reaches /webhooks/<id> of this connection; with it, the worker opens push channels",
    )

    _token_from_file = field_validator("token", mode="before")(read_secret)

    @field_validator("token")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text.startswith("{"):
            _check_key(text)
        return value

    @model_validator(mode="after")
    def _with_directory(self) -> Self:
        if self.subjects and not (self.subject and self.directory_url):
            raise ValueError("`subjects` needs `subject`, an administrator to list people as, and `directory_url`")
        return self

    @field_validator("directory_url")
    @classmethod
    def _directory_without_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    @property
    def permission_ids_base(self) -> str:
        """Where addresses are told as permission ids: version 3 of the API has no such request, and stands beside
        version 2, which has. Elsewhere than at Google it is looked for where the files are."""
        return _VERSION.sub("/v2", self.base_url.rstrip("/"))

    @property
    def has_sheets_api(self) -> bool:
        """Whether there is known to be one."""
        return bool(self.sheets_url) or self.base_url.rstrip("/") == _GOOGLE_DRIVE

    @property
    def sheets_base(self) -> str:
        """Where the Sheets API is. Beside the files, unless these are at Google itself, which has a host for each:
        credentials go to no host that is not configured."""
        return self.sheets_url or (_GOOGLE_SHEETS if self.base_url.rstrip("/") == _GOOGLE_DRIVE else self.base_url)


def _check_key(text: str) -> None:
    """Raises ValueError for JSON that no credentials can be made of."""
    try:
        key = json.loads(text)
    except ValueError:
        raise ValueError(f"begins as JSON and is none, cut short perhaps; {_NEEDED}") from None
    if "installed" in key or "web" in key:
        raise ValueError(f"is the file of an OAuth client, which reads nothing by itself; {_NEEDED}")
