"""The settings file before its values are checked: YAML, with variables from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from pipelines.errors import SettingsError

DEFAULT_FILE = "headrace.yaml"
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def settings_file(environment: Mapping[str, str] | None = None) -> Path:
    """Where the settings are: `HEADRACE_CONFIG`, or `headrace.yaml` in the working directory."""
    return Path((environment or os.environ).get("HEADRACE_CONFIG") or DEFAULT_FILE).absolute()


def read_settings(file: Path, environment: Mapping[str, str] | None) -> dict[str, Any]:
    """What the file says, with variables from `environment` (default: the process's), then from a `.env` beside it.

    Raises SettingsError for a file that is none, and naming every place whose variable is missing.
    """
    variables = {**dotenv_values(file.parent / ".env"), **(os.environ if environment is None else environment)}
    values = _parse(file)
    if problems := list(_missing_variables(values, variables, "")):
        raise SettingsError(*problems[0], problems[1:])
    interpolated: dict[str, Any] = _interpolate(values, variables)
    return interpolated


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, of which YAML's loader keeps the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = key.value
            if name in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} is there twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def _parse(file: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise SettingsError(
            str(file), "no such file; `headrace init` writes one, or copy headrace.example.yaml, or set HEADRACE_CONFIG"
        ) from None
    except OSError as error:
        raise SettingsError(str(file), f"cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(str(file), f"not valid YAML: {_yaml_reason(error)}") from None
    if not isinstance(raw, dict | None):
        raise SettingsError(str(file), "must be a mapping of settings, `name: value`")
    return raw or {}


def _yaml_reason(error: Exception) -> str:
    """In one line, and without the line of the file, which may hold a secret."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return str(error).partition("\n")[0]
    mark = error.problem_mark or error.context_mark
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{error.problem or error.context}{where}"


def _missing_variables(value: Any, variables: Mapping[str, str | None], path: str) -> Iterator[tuple[str, str]]:
    for place, entry in _entries(value, path):
        yield from _missing_variables(entry, variables, place)
    if not isinstance(value, str):
        return
    for found in _VARIABLE.finditer(value):
        name = found["name"]
        if not variables.get(name) and found["default"] is None:
            state = "empty" if variables.get(name) == "" else "not set"
            yield path, f"the environment variable {name} is {state}"


def _entries(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield f"{path}.{key}" if path else str(key), entry
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield f"{path}[{index}]", entry


def _interpolate(value: Any, variables: Mapping[str, str | None]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolate(entry, variables) for key, entry in value.items()}
    if isinstance(value, list):
        return [_interpolate(entry, variables) for entry in value]
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(lambda found: variables.get(found["name"]) or found["default"] or "", value)
