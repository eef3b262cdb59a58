"""How the code is laid out: names, and what may be passed where. What ruff, mypy and the import rules cannot say."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.registry import sources
from tests.paths import ROOT

PACKAGES = ("connectors", "pipelines", "assets", "examples")
PROVIDERS = ("drive", "github", "notion", "slack")
OWN_SOURCES = (*PROVIDERS, "push")
ROOMS = (
    "settings",
    "source",
    "client",
    "payloads",
    "reader",
    "cursor",
    "documents",
    "access",
    "webhooks",
    "part_table",
)
EXAMPLES_OF_REQUESTS = {"pipelines/service/interfaces.py", "pipelines/service/openai/vector_stores.py"}
RECEIVERS_OF_NOTIFICATIONS = {"pipelines/notification_settings.py"}
"""A product may be a source, and also a place where people are told something."""

JSON = re.compile(r"(dict|Mapping|list)\[str, (Any|object)\]|\bJson\b")
JSON_ALONE = re.compile(r"(dict|Mapping|list)\[.*(Any|object)\]+")
SENT = {"params", "request", "variables"}
"""Arguments that hold what is asked, and not what was answered."""
STATES = {"ChannelState"}
"""JSON of a source's own, which Headrace keeps for it."""

# fmt: off
RETIRED_MODULES = {
    "answers", "attached", "bodies", "guarding", "helpers", "looking", "marks", "nodes", "pace", "parts", "payload",
    "people", "reading", "receiving", "sight", "stages", "strangers", "surroundings", "told", "utils",
    "common", "workspace",
}
RETIRED_CLASSES = {
    "Asker", "Home", "Kept", "Listed", "Looked", "Looking", "Pace", "PointingEvent", "Progress", "Reading",
    "Refresh", "Sight", "Strangers", "Watching", "Workspace",
}
RETIRED_FUNCTIONS = {
    "admits", "again", "by_age_too", "discover", "discovered", "held_because", "in_trouble", "listed", "looks",
    "make_way", "mark_anew", "name_in_listing", "naming", "not_named", "wanted", "watched",
}
# fmt: on


def files(*packages: str) -> list[Path]:
    found = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    return [file for file in found if "tests" not in file.relative_to(ROOT).parts]


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_class_name_stands_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in files(*PACKAGES):
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(name_of(file))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_retired_name_is_left() -> None:
    modules = [name_of(file) for file in files(*PACKAGES) if file.stem in RETIRED_MODULES]
    names = [
        f"{name_of(file)}: {node.name}"
        for file in files(*PACKAGES)
        for node in ast.walk(parsed(file))
        if (isinstance(node, ast.ClassDef) and node.name.lstrip("_") in RETIRED_CLASSES)
        or (isinstance(node, ast.FunctionDef) and node.name.lstrip("_") in RETIRED_FUNCTIONS)
    ]
    assert modules + names == []


@pytest.mark.parametrize("source", PROVIDERS)
def test_every_source_has_the_same_rooms(source: str) -> None:
    folder = ROOT / "connectors" / source
    rooms = {entry.stem for entry in folder.iterdir()}
    assert [room for room in ROOMS if room not in rooms] == []
    assert (folder / "render").is_dir() or (folder / "render.py").exists() or (folder / "formats.py").exists()


@pytest.mark.parametrize("source", OWN_SOURCES)
def test_providers_payloads_are_typed_outside_payloads(source: str) -> None:
    """JSON of a provider is parsed at the rim: no function takes it as a plain dict."""
    taken = []
    for file in files(f"connectors/{source}"):
        if "payloads" in (file.stem, file.parent.name):
            continue
        for function in functions(parsed(file)):
            arguments = (*function.args.args, *function.args.kwonlyargs, *function.args.posonlyargs)
            taken += [
                f"{name_of(file)}:{function.lineno} {function.name}({argument.arg})"
                for argument in arguments
                if argument.annotation and argument.arg not in SENT and JSON.search(ast.unparse(argument.annotation))
            ]
    assert taken == []


@pytest.mark.parametrize("source", OWN_SOURCES)
def test_no_name_stands_for_plain_json_outside_payloads(source: str) -> None:
    aliases = [
        f"{name_of(file)}:{node.lineno}"
        for file in files(f"connectors/{source}")
        if "payloads" not in (file.stem, file.parent.name)
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.AnnAssign) and node.value is not None and JSON_ALONE.fullmatch(ast.unparse(node.value))
        if ast.unparse(node.target) not in STATES
    ]
    assert aliases == []


def test_no_source_is_named_outside_its_package() -> None:
    """Settings, filters, schemas, assets and pages read the registry. Sample data and examples aside."""
    shared = [file for file in files("connectors") if file.parent == ROOT / "connectors"]
    named = [
        f"{name_of(file)}:{node.lineno} {node.value!r}"
        for file in (*files("pipelines", "assets"), *shared)
        if "demo" not in file.parts and name_of(file) not in EXAMPLES_OF_REQUESTS | RECEIVERS_OF_NOTIFICATIONS
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Constant) and node.value in OWN_SOURCES
    ]
    assert named == []
    assert set(OWN_SOURCES) <= set(sources())
