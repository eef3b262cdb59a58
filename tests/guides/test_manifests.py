"""What the guides have people paste is what `check` and the webhooks ask for."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from connectors.drive import directory
from connectors.drive.credentials import SCOPE
from connectors.drive.part_table import PARTS as DRIVE_PARTS
from connectors.github import event_table as github_events
from connectors.github.part_table import PARTS as GITHUB_PARTS
from connectors.github.webhook_events import EVENTS as GITHUB_EVENTS
from connectors.notion.part_table import PARTS as NOTION_PARTS
from connectors.notion.webhooks import _EVENTS as NOTION_EVENTS
from connectors.slack import event_table as slack_events
from connectors.slack.part_table import PARTS as SLACK_PARTS
from connectors.slack.webhooks import _EVENTS as SLACK_EVENTS
from connectors.source_parts import Part
from tests.connectors.slack.conftest import open_connector
from tests.emulators.slack import Slack
from tests.guides.fences import fences, page

SLACK_MANIFEST = yaml.safe_load(page("connectors/slack/manifest.yaml").read_text())
GITHUB_MANIFEST = json.loads(page("connectors/github/manifest.json").read_text())


def permissions(parts: tuple[Part, ...]) -> set[str]:
    return {permission.strip() for part in parts for permission in part.permission.split(",")}


def test_slacks_manifest_has_the_scopes_of_every_part_and_event() -> None:
    scopes = SLACK_MANIFEST["oauth_config"]["scopes"]["bot"]
    assert set(scopes) == permissions(SLACK_PARTS) | {slack_events.LISTS_SCOPE}
    assert scopes == sorted(scopes)
    wanted = slack_events.SUBSCRIPTIONS.values()
    assert [one for one in wanted if not set(one) & set(scopes)] == []


def test_slacks_manifest_subscribes_to_every_event_that_is_read() -> None:
    subscribed = SLACK_MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert subscribed == list(slack_events.SUBSCRIPTIONS)
    sent = {one.partition(".")[0] for one in subscribed}
    assert sent | set(slack_events.TAKEN_ALL_THE_SAME) == set(SLACK_EVENTS)
    assert not sent & set(slack_events.TAKEN_ALL_THE_SAME)


def test_with_the_scopes_of_the_manifest_check_finds_every_part_of_slack(slack: Slack) -> None:
    slack.scopes = set(SLACK_MANIFEST["oauth_config"]["scopes"]["bot"])
    assert [one for one in open_connector(slack).check() if not one.ok] == []


def test_githubs_manifest_has_the_permissions_of_every_part_and_event() -> None:
    named = {re.split(r", by ", part.permission)[0] for part in GITHUB_PARTS} | set(
        github_events.SUBSCRIPTIONS.values()
    )
    assert GITHUB_MANIFEST["default_permissions"] == dict.fromkeys(
        sorted(map(github_events.permission_key, named)), "read"
    )


def test_githubs_manifest_subscribes_to_every_event_that_is_read() -> None:
    subscribed = GITHUB_MANIFEST["default_events"]
    assert subscribed == list(github_events.SUBSCRIPTIONS)
    assert set(subscribed) | set(github_events.TAKEN_ALL_THE_SAME) == set(GITHUB_EVENTS)


def test_the_link_that_makes_a_github_app_says_the_same_as_the_manifest() -> None:
    [link] = [one.text.strip() for one in fences(page("docs/sources/github.md"), "text")]
    asked = parse_qsl(urlsplit(link).query)
    events = [value for name, value in asked if name == "events[]"]
    single = {name: value for name, value in asked if name != "events[]"}
    expected = {
        "name": GITHUB_MANIFEST["name"],
        "url": GITHUB_MANIFEST["url"],
        "public": "false",
        "webhook_active": "true",
        "webhook_url": GITHUB_MANIFEST["hook_attributes"]["url"],
    }
    assert single == expected | GITHUB_MANIFEST["default_permissions"]
    assert events == GITHUB_MANIFEST["default_events"]


def test_the_table_for_a_github_token_has_every_permission_of_a_part() -> None:
    text = page("docs/sources/github.md").read_text()
    token = text[text.index("## With a token") :]
    for part in GITHUB_PARTS:
        assert f"| repository | {re.split(', by ', part.permission)[0]} |" in token
    assert "| organisation | Members: read |" in token


def test_the_guide_to_notion_names_every_capability_and_event() -> None:
    text = page("docs/sources/notion.md").read_text()
    assert set(re.findall(r"^\| (Read [^|]+?) \|", text, re.MULTILINE)) == permissions(NOTION_PARTS)
    events = text[text.index("| of | events |") :].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z_.]+)`", events)) == set(NOTION_EVENTS)


def test_the_scopes_for_google_are_those_that_are_asked_for() -> None:
    scopes = page("connectors/drive/scopes.txt").read_text().strip().split(",")
    assert scopes == [SCOPE, directory.SCOPE, directory.PEOPLE_SCOPE]
    named = " ".join(part.permission for part in DRIVE_PARTS)
    assert all(scope.rpartition("/")[2] in named for scope in scopes)


def test_the_example_events_of_the_manifests_are_of_this_repositorys_host() -> None:
    """One host name and one form of a connection's id, so that both are found and replaced."""
    addresses: list[Any] = [
        SLACK_MANIFEST["settings"]["event_subscriptions"]["request_url"],
        GITHUB_MANIFEST["hook_attributes"]["url"],
    ]
    assert addresses == [f"https://headrace.acme.com/webhooks/acme-{source}" for source in ("slack", "github")]


def test_every_variable_that_a_guide_has_people_fill_in_is_in_the_example_environment() -> None:
    ready = set(re.findall(r"^([A-Z_]+)=", page(".env.example").read_text(), re.MULTILINE))
    named = {
        name
        for file in page("docs/sources").glob("*.md")
        for one in (*fences(file, "ini"), *fences(file, "yaml"))
        for name in re.findall(r"\$\{(\w+)\}|^([A-Z_]+)=", one.text, re.MULTILINE)
    }
    assert {name for pair in named for name in pair if name} <= ready
