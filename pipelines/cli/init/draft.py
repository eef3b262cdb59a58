"""Settings as they come about: connections with their secrets, an embedding provider, an assistant. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from connectors.registry import Source, parse_connection

ASSISTANT_KEY = "ASSISTANT_KEY"
OPENAI_KEY = "OPENAI_API_KEY"
_BYTES_OF_KEY = 24
_HEAD = """\
# Made by `headrace init`. Secrets are in .env beside this file; all settings are in docs/reference/settings.md.
"""


@dataclass(slots=True)
class Draft:
    """What the settings file is to say, and the variables that it names with their values; what is missing is empty."""

    settings: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def add_assistant(self) -> None:
        """One that names the person it acts for with each request."""
        self.settings["assistants"] = [{"id": "assistant", "api_key": f"${{{ASSISTANT_KEY}}}", "identity": "user"}]
        self.variables[ASSISTANT_KEY] = secrets.token_urlsafe(_BYTES_OF_KEY)

    def embed_with(self, provider: str, key: str = "") -> None:
        embedding = {"provider": provider}
        if provider == "openai":
            embedding["api_key"] = f"${{{OPENAI_KEY}}}"
            self.variables[OPENAI_KEY] = key
        self.settings["embedding"] = embedding

    def connect(self, source: Source[Any], connection_id: str, token: str, values: Mapping[str, Any]) -> None:
        """Raises pydantic's ValidationError for what the source does not take. A token may still be missing."""
        written = {"id": connection_id, "source": source.name, **values}
        if token or not source.settings.model_fields["token"].is_required():
            parse_connection({**written, "token": token or "to-be-filled-in"})
        variable = token_variable(source)
        self.variables[variable] = token
        self.settings.setdefault("connections", []).append({**written, "token": f"${{{variable}}}"})

    @property
    def missing(self) -> list[str]:
        """Variables that have no value yet."""
        return [name for name, value in self.variables.items() if not value]

    def as_yaml(self) -> str:
        return _HEAD + yaml.safe_dump(self.settings, sort_keys=False, allow_unicode=True)


def token_variable(source: Source[Any]) -> str:
    return source.setup.variable or f"{source.name.upper()}_TOKEN"


def as_value(source: Source[Any], name: str, text: str) -> Any:
    """A setting as YAML has it, from what was typed: a list where the setting is one, by commas."""
    annotation = str(source.settings.model_fields[name].annotation) if name in source.settings.model_fields else ""
    if annotation.startswith("tuple"):
        return [part.strip() for part in text.split(",") if part.strip()]
    return yaml.safe_load(text) if text in ("true", "false") or text.isdecimal() else text
