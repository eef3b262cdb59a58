"""The settings file before its values are checked: YAML, with variables from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import yaml

from pipelines.env_file import read_variables
from pipelines.errors import SettingsError

DEFAULT_FILE = "headrace.yaml"
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_MEANT = re.compile(r"\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|\{+ *[A-Za-z_][\w.-]* *\}+")
"""How shells, Windows and templates write what is to be put in."""
_BRACKETS = "a value that begins with { or [ needs quotes"
_MOST_BYTES = 1_000_000
_MOST_VALUES = 100_000
_DEEPEST = 50
_TOO_DEEP = f"holds more than {_MOST_VALUES:,} values, or some below more than {_DEEPEST} others"


def settings_file(environment: Mapping[str, str] | None = None) -> Path:
    """Where the settings are: `HEADRACE_CONFIG`, or `headrace.yaml` in the working directory."""
    return Path((environment or os.environ).get("HEADRACE_CONFIG") or DEFAULT_FILE).absolute()


def read_settings(file: Path, environment: Mapping[str, str] | None) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What the file says, with variables from `environment` (default: the process's), then from a `.env` beside it; and
    of each value that these do not tell its path and why. Such a value stays as it stands in the file.

    What is wrong in `.env` is said in the same way. Raises SettingsError for a file that is none.
    """
    own = os.environ if environment is None else environment
    values = _parse(file)
    written, unusable = read_variables(file.parent / ".env", own)
    interpolated, untold = with_variables(values, {**written, **own})
    return interpolated, [*unusable, *untold]


def with_variables(
    values: dict[str, Any], variables: Mapping[str, str]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What settings say once `variables` stand in them; and of each value that these do not tell its path and why."""
    return _interpolate(values, variables), list(_untold(values, variables, ""))


class _Loader(yaml.SafeLoader):
    """Notes in `repeated` keys that are there twice, of which YAML's loader keeps the last without a word, and refuses
    one that is a list or a mapping, as which YAML reads what begins with a bracket."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: dict[tuple[int, int], str] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, _BRACKETS, key.start_mark)
            name = key.value
            if name in seen and key.tag != "tag:yaml.org,2002:merge":
                self.repeated[key.start_mark.line + 1, key.start_mark.column + 1] = name
            seen.add(name)
        return super().construct_mapping(node, deep)


def _parse(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise SettingsError(str(file), f"has more than {_MOST_BYTES:,} bytes: these are hardly settings")
        loader = _Loader(file.read_text(encoding="utf-8-sig"))
        raw = loader.get_single_data()
    except FileNotFoundError:
        raise SettingsError(
            str(file), "no such file; `headrace init` writes one, or copy headrace.example.yaml, or set HEADRACE_CONFIG"
        ) from None
    except OSError as error:
        raise SettingsError(str(file), f"cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(str(file), f"not valid YAML: {_yaml_reason(error)}") from None
    except RecursionError:
        raise SettingsError(str(file), _TOO_DEEP) from None
    if found := [_twice(name, *place) for place, name in sorted(loader.repeated.items())]:
        raise SettingsError(str(file), found[0], [(str(file), one) for one in found[1:]])
    if not isinstance(raw, dict | None):
        raise SettingsError(str(file), "must be a mapping of settings, `name: value`")
    _require_bounded(file, raw)
    return raw or {}


def _twice(name: object, line: int, column: int) -> str:
    return f"not valid YAML: the key {name!r} is there twice in line {line}, column {column}"


def _require_bounded(file: Path, raw: object) -> None:
    """A few aliases that name one another stand for any number of values, or for themselves."""
    level: list[Any] = [raw]
    seen = 0
    for _ in range(_DEEPEST):
        seen += len(level)
        if not level or seen > _MOST_VALUES:
            break
        level = list(islice(chain.from_iterable(map(_inside, level)), _MOST_VALUES + 1))
    if level:
        raise SettingsError(str(file), _TOO_DEEP)


def _inside(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _yaml_reason(error: Exception) -> str:
    """In one line, and without the line of the file, which may hold a secret."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return str(error).partition("\n")[0]
    mark = error.problem_mark or error.context_mark
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{error.problem or error.context}{where}"


def _untold(value: Any, variables: Mapping[str, str], path: str) -> Iterator[tuple[str, str]]:
    for place, entry in _entries(value, path):
        yield from _untold(entry, variables, place)
    if not isinstance(value, str):
        return
    if "${" in _VARIABLE.sub("", value) or _MEANT.fullmatch(value.strip()):
        yield path, "is taken as it stands, and looks as if a variable was meant: write ${NAME}, or ${NAME:-default}"
        return
    for found in _VARIABLE.finditer(value):
        name = found["name"]
        if not variables.get(name) and found["default"] is None:
            state = "empty" if variables.get(name) == "" else "not set"
            yield path, f"the environment variable {name} is {state}"
            return


def _entries(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield f"{path}.{key}" if path else str(key), entry
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield f"{path}[{index}]", entry


def _interpolate(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolate(entry, variables) for key, entry in value.items()}
    if isinstance(value, list):
        return [_interpolate(entry, variables) for entry in value]
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(partial(_told, variables), value)


def _told(variables: Mapping[str, str], found: re.Match[str]) -> str:
    """What is not told stays as it is, to be told of."""
    default = found["default"]
    return variables.get(found["name"]) or (found[0] if default is None else default)
