"""Which sources are installed: packages by others may be wrong in any way, and never keep the right ones from work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from connectors import registry
from connectors.errors import SourceError
from connectors.registry import (
    AnyConnection,
    SourceName,
    UnknownSource,
    address_tokens,
    connect,
    ids_in_url,
    parse_connection,
    receive,
    source,
    sources,
    unusable_sources,
)
from connectors.slack.settings import SlackConnection
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable

OURS = ["drive", "github", "notion", "push", "slack"]
JIRA = {"id": "acme", "source": "jira", "token": "t", "base_url": "https://jira.test"}
RIGHT = """
from typing import Literal
from connectors.registry import Implementation, Source
from connectors.settings import Connection

class JiraConnection(Connection):
    source: Literal["jira"]

SOURCE = Source(
    name="jira",
    label="Jira",
    settings=JiraConnection,
    implementation=lambda: Implementation(connect=lambda connection: connection),
)
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package with an entry point; what was known of the sources is forgotten before and after."""
    monkeypatch.syspath_prepend(tmp_path)
    modules = set(sys.modules)

    def installed(code: str, *, name: str = "jira", value: str = ":SOURCE", package: str = "headrace_jira") -> None:
        (tmp_path / f"{package}.py").write_text(code)
        metadata = tmp_path / f"{package}-2.1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.1\n")
        (metadata / "entry_points.txt").write_text(f"[headrace.sources]\n{name} = {package}{value}\n")
        registry._registered.cache_clear()

    yield installed
    registry._registered.cache_clear()
    for module in set(sys.modules) - modules:
        del sys.modules[module]


def test_ours_are_installed_like_any_other() -> None:
    assert list(sources()) == OURS
    assert unusable_sources() == {}


def test_a_package_is_a_source_by_its_entry_point(install: Install) -> None:
    install(RIGHT)
    assert list(sources()) == ["drive", "github", "jira", "notion", "push", "slack"]
    connection = parse_connection(JIRA)
    assert type(connection).__name__ == "JiraConnection"
    opened: object = connect(connection)
    assert opened is connection, "what its own function returned"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no licence')", "headrace_jira 2.1: RuntimeError: no licence"),
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("SOURCE = 'jira'", "TypeError: headrace_jira:SOURCE is a str, and must be a connectors.registry.Source"),
        ("", "AttributeError: module 'headrace_jira' has no attribute 'SOURCE'"),
        ("exit(3)", "SystemExit: 3"),
        (
            RIGHT.replace('name="jira"', 'name="gira"'),
            "ValueError: headrace_jira:SOURCE is named 'gira', and its entry point 'jira'",
        ),
        (
            RIGHT.replace('Literal["jira"]', "str"),
            "TypeError: the field `source` of JiraConnection must be Literal['jira']",
        ),
        (
            RIGHT.replace('Literal["jira"]', 'Literal["jira", "gira"]'),
            "the field `source` of JiraConnection must be Literal['jira']",
        ),
        (
            RIGHT.replace("JiraConnection,", "dict,"),
            "the settings of headrace_jira:SOURCE must be a subclass of connectors.settings.Connection",
        ),
    ],
)
def test_a_broken_package_is_told_of_where_it_is_named(install: Install, code: str, reason: str) -> None:
    install(code)
    assert list(sources()) == OURS
    assert reason in unusable_sources()["jira"]
    with pytest.raises(UnknownSource) as raised:
        source("jira")
    assert str(raised.value).startswith("the source 'jira' cannot be used: headrace_jira 2.1: ")
    assert str(raised.value).endswith(f" (installed: {', '.join(OURS)})")
    with pytest.raises(ValidationError, match="cannot be used: headrace_jira"):
        parse_connection(JIRA)


def test_an_entry_point_that_leads_nowhere_is_told_of(install: Install) -> None:
    install(RIGHT, value=".elsewhere:SOURCE")
    assert "ModuleNotFoundError" in unusable_sources()["jira"]


def test_two_packages_of_one_name_are_both_left_out(install: Install) -> None:
    install(RIGHT)
    install(RIGHT, package="another_jira")
    assert list(sources()) == OURS
    assert unusable_sources() == {"jira": "two packages register it: another_jira 2.1, headrace_jira 2.1"}


def test_a_package_cannot_take_the_name_of_one_of_ours(install: Install) -> None:
    install(RIGHT.replace("jira", "slack"), name="slack")
    assert list(sources()) == OURS
    assert source("slack").settings is SlackConnection


@pytest.mark.parametrize("name", ["ms-teams", "we ird", "Teams", "_teams", "1teams", "teams/x"])
def test_a_name_must_fit_wherever_it_stands(install: Install, name: str) -> None:
    """Dagster's groups, ids and filters: one that does not fit there would stop the syncs of all others."""
    install(RIGHT.replace('"jira"', repr(name)), name=name)
    assert list(sources()) == OURS
    assert "lower-case letters, digits and underscores" in unusable_sources()[name]


@pytest.mark.parametrize("field", ["label=None", 'label="Jira", icon=7'])
def test_what_is_shown_must_be_text(install: Install, field: str) -> None:
    install(RIGHT.replace('label="Jira"', field))
    assert "must be texts" in unusable_sources()["jira"]


def test_what_cannot_be_imported_later_is_its_own_trouble_too(install: Install) -> None:
    install(
        RIGHT.replace("Implementation(connect=lambda connection: connection)", "__import__('headrace_jira.client')")
    )
    connection = parse_connection(JIRA)
    with pytest.raises(SourceError, match="acme cannot be opened: ModuleNotFoundError"):
        connect(connection)
    with pytest.raises(DeliveryUnreadable, match="unexpected ModuleNotFoundError"):
        receive(connection, {}, b"{}", 0.0)


def test_what_a_package_raises_stays_its_own(install: Install) -> None:
    def broken(field: str) -> str:
        return f"{field}=lambda *arguments: 1 / 0"

    made = ", ".join(map(broken, ("connect", "receive")))
    told = ", ".join(map(broken, ("address_tokens", "ids_in_url")))
    install(RIGHT.replace("connect=lambda connection: connection", made).replace('"Jira",', f'"Jira", {told},'))
    connection = parse_connection(JIRA)
    with pytest.raises(SourceError, match="acme cannot be opened: ZeroDivisionError"):
        connect(connection)
    with pytest.raises(DeliveryUnreadable, match="unexpected ZeroDivisionError"):
        receive(connection, {}, b"{}", 0.0)
    assert address_tokens(connection, "ada@acme.test") == ()
    assert ids_in_url(source("jira"), "https://jira.test/browse/A-1") == ()


@pytest.mark.parametrize(
    ("connection", "place", "message"),
    [
        ({"id": "a", "source": "jira", "token": "t"}, ("source",), "unknown source 'jira' (installed: drive, github"),
        ({"id": "a", "token": "t"}, ("source",), "missing: one of drive, github, notion, push, slack"),
        ({"id": "a", "source": None, "token": "t"}, ("source",), "missing: one of drive, github, notion, push, slack"),
        ({"id": "a", "source": ["slack"], "token": "t"}, ("source",), "unknown source \"['slack']\""),
        ({"id": "a", "source": "slack"}, ("token",), "Field required"),
        ({"id": "A b", "source": "slack", "token": "t"}, ("id",), "String should match pattern"),
        ({"id": "a", "source": "slack", "token": "t", "colour": "red"}, ("colour",), "Extra inputs"),
        ("slack", (), "should be a valid dictionary"),
    ],
)
def test_errors_are_at_the_connections_own_field(connection: Any, place: tuple[str, ...], message: str) -> None:
    class Configured(BaseModel):
        connections: tuple[AnyConnection, ...]

    with pytest.raises(ValidationError) as raised:
        Configured.model_validate({"connections": [connection]})
    (error,) = raised.value.errors()
    assert error["loc"] == ("connections", 0, *place)
    assert message in error["msg"]


def test_a_connection_keeps_the_fields_of_its_source() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(AnyConnection)
    parsed = adapter.validate_python({"id": "a", "source": "slack", "token": "t", "bots": False})
    assert isinstance(parsed, SlackConnection)
    assert adapter.validate_python(parsed) is parsed
    assert adapter.dump_python(parsed)["bots"] is False


def test_names_of_sources_in_schemas_are_those_that_are_installed(install: Install) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(SourceName)
    assert adapter.json_schema()["enum"] == OURS
    install(RIGHT)
    adapter = TypeAdapter(SourceName)
    assert adapter.json_schema()["enum"] == list(sources())
    assert adapter.validate_python("jira") == "jira"
    with pytest.raises(ValidationError, match="unknown source 'gira'"):
        adapter.validate_python("gira")


def test_a_source_without_webhooks_refuses_deliveries(install: Install) -> None:
    install(RIGHT)
    with pytest.raises(DeliveryRefused, match="jira has no webhooks"):
        receive(parse_connection(JIRA), {}, b"{}", 0.0)
