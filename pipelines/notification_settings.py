"""Settings of notifications."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from connectors.settings import SettingsModel
from connectors.web_urls import check_web_url


class NotificationSettings(SettingsModel):
    """Where people are told that something is in trouble, and that it is over."""

    kind: Literal["slack", "webhook"] = Field(description="An incoming webhook of Slack, or any other as JSON")
    url: SecretStr = Field(description="Whoever knows Slack's may post there")

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: SecretStr) -> SecretStr:
        check_web_url(value.get_secret_value())
        return value
