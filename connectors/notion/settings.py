"""Settings of a connection of Notion."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field, field_validator

from connectors.addresses import InvalidAddress, normalize_address
from connectors.model import PUBLIC, group_token, user_token
from connectors.notion.urls import ids_in_url
from connectors.settings import Connection
from connectors.web_urls import WebUrl

WORKSPACE = "workspace"
"""The group of all people of the workspace; guests are not in it."""
_MISSING = (
    "is missing: Notion's API does not tell who may read a page, so that this must; for example [workspace] for all "
    "people of the workspace, or their e-mail addresses"
)


def _parse_reader(value: str) -> str:
    name = value.strip()
    if name in (WORKSPACE, PUBLIC):
        return name
    try:
        return normalize_address(name)
    except InvalidAddress:
        raise ValueError("must be workspace, public or an e-mail address") from None


Reader: TypeAlias = Annotated[str, AfterValidator(_parse_reader)]
"""As it is compared: what is none would be nobody, and say nothing of it."""


def reader_tokens(connection: str, names: Iterable[str]) -> tuple[str, ...]:
    """Reader tokens of whom the settings name."""
    tokens = (_reader_token(connection, name.strip()) for name in names)
    return tuple(dict.fromkeys(token for token in tokens if token))


def _reader_token(connection: str, name: str) -> str | None:
    if name == PUBLIC:
        return PUBLIC
    return group_token(connection, WORKSPACE) if name == WORKSPACE else user_token(name)


class NotionConnection(Connection):
    token_prefixes: ClassVar[tuple[str, ...]] = ("ntn_", "secret_")
    unfit_tokens: ClassVar[Mapping[str, str]] = {
        "v02:": "is the cookie of a browser's session; the secret of an integration is needed (ntn_…)",
    }

    source: Literal["notion"]
    base_url: str = "https://api.notion.com"
    files_url: WebUrl | None = Field(default=None, description="Where files are stored; follows from `base_url`")
    readers: tuple[Reader, ...] = Field(
        default=None,
        validate_default=True,
        description="Who may read the connection's pages, because Notion's API does not tell: 'workspace', "
        "'public' or e-mail addresses. Must be written",
    )
    readers_by_page: dict[str, tuple[Reader, ...]] = Field(
        default_factory=dict,
        description="Who may read a page or database and all below it instead, by its id or URL; the nearest one "
        "decides. What stands in pages that are not shared with the integration is for those alone whom all entries "
        "name. Teamspaces are told by no API: name the pages at their top",
    )
    block_comments: bool = Field(
        default=False,
        description="Whether comments on single blocks are read beside those on pages: a request for every block",
    )

    @field_validator("readers", mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        if value is None:
            raise ValueError(_MISSING)
        return value

    @field_validator("readers_by_page")
    @classmethod
    def _by_id(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for page, readers in value.items():
            ids = ids_in_url(page.strip().lower())
            if not ids:
                raise ValueError(f"{page!r} is neither the id nor the URL of a page or database")
            if ids[0] in found:
                raise ValueError(f"{page!r} is there twice, as an id or another URL")
            found[ids[0]] = readers
        return found

    @property
    def narrows_readers(self) -> bool:
        return bool(self.readers_by_page)

    @property
    def reader_settings(self) -> str:
        by_page = {page: sorted(named) for page, named in sorted(self.readers_by_page.items())}
        return json.dumps([sorted(self.readers), by_page], ensure_ascii=False)

    @property
    def certain_readers(self) -> frozenset[str]:
        named = (self.readers, *self.readers_by_page.values())
        return frozenset.intersection(*(frozenset(reader_tokens(self.id, names)) for names in named))
