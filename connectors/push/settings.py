"""Settings of a connection to which documents are pushed."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationInfo, field_validator

from connectors.addresses import InvalidAddress, normalize_address
from connectors.push.access import InvalidReader, reader_token
from connectors.settings import Connection

SHORTEST_KEY = 20
"""Characters. What is shorter can be found by trying."""
_MADE = "`openssl rand -hex 32` makes a good one"


def _parse_member(value: str) -> str:
    try:
        return normalize_address(value)
    except InvalidAddress as error:
        raise ValueError(str(error)) from None


Member: TypeAlias = Annotated[str, AfterValidator(_parse_member)]
GroupId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]


class PushConnection(Connection):
    source: Literal["push"]
    token: SecretStr = Field(
        description="The key with which documents are pushed, at least 20 characters; written as `${NAME}`"
    )
    base_url: Literal[""] = Field(default="", description="None: nothing is asked for")
    groups: dict[GroupId, tuple[Member, ...]] = Field(
        default_factory=dict, description="Groups of people by their addresses, which `readers` may name"
    )
    readers: tuple[str, ...] = Field(
        default=(),
        description="Who may read documents that are pushed without `readers`: addresses, `public`, `group:<name>`; "
        "counts for what is pushed from then on",
    )

    @field_validator("token")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"must have at least {SHORTEST_KEY} characters, chosen by chance: {_MADE}")
        return value

    @field_validator("readers")
    @classmethod
    def _known_readers(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for reader in value:
            try:
                reader_token("any", info.data.get("groups", {}), reader)
            except InvalidReader as error:
                raise ValueError(f"{reader!r} {error}") from None
        return value
