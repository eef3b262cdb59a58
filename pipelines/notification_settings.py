"""Settings of notifications."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from pipelines.service_settings import SettingsModel


class NotificationSettings(SettingsModel):
    """Where people are told that something is in trouble, and that it is over."""

    kind: Literal["slack", "webhook"] = Field(description="An incoming webhook of Slack, or any other as JSON")
    url: SecretStr = Field(description="Whoever knows Slack's may post there")

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())  # ValueError where it is no URL
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must start with https:// or http://, and name a host")
        return value
