"""Settings as they come about: connections with their secrets, an embedding provider, an assistant. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from connectors.registry import Source, parse_connection
from pipelines.errors import SettingsError
from pipelines.settings import Settings, checked_settings
from pipelines.settings_errors import problems
from pipelines.settings_file import with_variables

ASSISTANT_ID = "incident-responder"
ASSISTANT_KEY = "INCIDENT_RESPONDER_KEY"
"""As in headrace.example.yaml and the guides, whose commands name them."""
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
        self.settings["assistants"] = [{"id": ASSISTANT_ID, "api_key": f"${{{ASSISTANT_KEY}}}", "identity": "user"}]
        self.variables[ASSISTANT_KEY] = secrets.token_urlsafe(_BYTES_OF_KEY)

    def embed_with(self, provider: str, key: str = "") -> None:
        embedding = {"provider": provider}
        if provider == "openai":
            embedding["api_key"] = f"${{{OPENAI_KEY}}}"
            self.variables[OPENAI_KEY] = key
        self.settings["embedding"] = embedding

    def connect(
        self, source: Source[Any], connection_id: str, token: str, values: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Add a connection; or nothing, and of each setting that does not fit its name and why. A token may still be
        missing."""
        written = {"id": connection_id, "source": source.name, **values}
        if found := _unfit(source, written, token):
            return found
        variable = token_variable(source)
        self.variables[variable] = token
        self.settings.setdefault("connections", []).append({**written, "token": f"${{{variable}}}"})
        return []

    @property
    def missing(self) -> list[str]:
        """Variables that have no value yet."""
        return [name for name, value in self.variables.items() if not value]

    def check(self, directory: Path, variables: Mapping[str, str]) -> None:
        """Raises SettingsError for what would be refused in a file of this directory, whatever is filled in later.
        `variables` are those that are set already."""
        known = {**{name: value for name, value in self.variables.items() if value}, **variables}
        values, untold = with_variables(self.settings, known)
        try:
            checked_settings(values, untold, directory)
        except SettingsError as error:
            later = [f"the environment variable {name} is not set" for name in self.missing]
            found = [(path, reason) for path, reason in error.problems if reason not in later]
            if found:
                raise SettingsError(*found[0], found[1:]) from None

    def as_yaml(self) -> str:
        return _HEAD + yaml.safe_dump(self.settings, sort_keys=False, allow_unicode=True)


def _unfit(source: Source[Any], written: Mapping[str, Any], token: str) -> list[tuple[str, str]]:
    try:
        parse_connection({**written, "token": token or "to-be-filled-in"})
    except ValidationError as error:
        found = problems(error, Settings, {"connections": [{"source": source.name}]}, ("connections", 0))
        return [one for one in found if token or one[0] != "token"]
    return []


def token_variable(source: Source[Any]) -> str:
    return source.setup.variable or f"{source.name.upper()}_TOKEN"


def as_value(source: Source[Any], name: str, text: str) -> Any:
    """A setting as YAML has it, from what was typed: a list where the setting is one, by commas."""
    annotation = str(source.settings.model_fields[name].annotation) if name in source.settings.model_fields else ""
    if annotation.startswith("tuple"):
        return [part.strip() for part in text.split(",") if part.strip()]
    return yaml.safe_load(text) if text in ("true", "false") or text.isdecimal() else text
