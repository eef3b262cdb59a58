"""GitHub's webhooks: verified, and mapped to where to look again.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
A delivery bears no time, so an old one looks like a new one. Neither its id nor the event's name are covered by its
signature: it is known by its body too, and a body must fit the event that is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from urllib.parse import parse_qs

from connectors.github.payloads.parsing import parse
from connectors.github.payloads.webhooks import GitHubDelivery
from connectors.github.webhook_events import EVENTS, TAKES_AWAY, EventReader
from connectors.settings import Connection
from connectors.webhooks import (
    DeliveryUnreadable,
    Event,
    content_id,
    look_around,
    parse_object,
    verify_signature,
)

_OTHERS = """
branch_protection_configuration branch_protection_rule cache_sync check_run check_suite code_scanning_alert
content_reference create custom_property delete dependabot_alert deploy_key deployment
deployment_protection_rule deployment_review deployment_status enterprise fork github_app_authorization image
marketplace_purchase merge_group meta org_block package page_build
personal_access_token_request project project_card project_column projects_v2 projects_v2_item
projects_v2_status_update registry_package repository_advisory repository_dispatch repository_import
repository_ruleset repository_vulnerability_alert secret_scanning_alert secret_scanning_alert_location
secret_scanning_scan security_advisory security_and_analysis sponsorship star status watch
workflow_dispatch workflow_job workflow_run
"""
NOT_READ = {
    **dict.fromkeys(_OTHERS.split(), "nothing that is read changes"),
    "ping": "GitHub tries the webhook",
}
"""Documented events about nothing that Headrace reads, with the reason."""


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.registry.receive`."""
    verify_signature(connection, body, headers.get("x-hub-signature-256", ""), scheme="sha256=")
    kind = headers.get("x-github-event", "")
    if not kind:
        raise DeliveryUnreadable("no X-GitHub-Event header")
    delivered = parse_object(_json_text(headers, body))
    _check_kind(kind, delivered)
    event = _event(connection, kind, parse(GitHubDelivery, delivered))
    content = content_id(body)
    return replace(event, id=headers.get("x-github-delivery") or content, signed_content=content)


def _event(connection: Connection, kind: str, payload: GitHubDelivery) -> Event:
    if kind not in EVENTS:
        return Event("", kind, ignored=NOT_READ.get(kind, f"the event {kind!r} is not known"))
    # Whether the repository is read, the catalog knows: `include` may spell a name that it no longer has.
    try:
        found = tuple(dict.fromkeys(EVENTS[kind](EventReader(connection.id, payload))))
    except DeliveryUnreadable:  # it is GitHub's, and does not tell what it is about
        found = look_around((payload.repository and payload.repository.unit_id) or "")
    event = Event("", kind, found, ignored="" if found else "nothing that is read changes")
    return event.withdrawing() if payload.action in TAKES_AWAY else event


def _json_text(headers: Mapping[str, str], body: bytes) -> str:
    """The JSON of a body, which can also come as a form's field: both are settings of a webhook."""
    try:
        text = body.decode()
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return parse_qs(text, strict_parsing=True)["payload"][0]
    except (KeyError, ValueError) as error:
        raise DeliveryUnreadable(f"not JSON: {type(error).__name__}") from error
    return text


def _check_kind(kind: str, names: Iterable[str]) -> None:
    """Raises DeliveryUnreadable where a body, by its names, is about something else than the event."""
    if kind in _SUBJECTS and (others := _ALL_SUBJECTS.intersection(names).difference(_SUBJECTS[kind])):
        raise DeliveryUnreadable(f"the event {kind!r} is not about `{min(others)}`")


_SUBJECTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(EVENTS, ()),
    "commit_comment": ("comment",),
    "custom_property_values": ("new_property_values",),
    "discussion": ("discussion", "label"),
    "discussion_comment": ("comment", "discussion"),
    "gollum": ("pages",),
    "issue_comment": ("comment", "issue"),
    "issue_dependencies": ("blocked_issue", "blocking_issue"),
    "issues": ("issue", "label", "milestone"),
    "label": ("label",),
    "member": ("member",),
    "membership": ("member", "team"),
    "milestone": ("milestone",),
    "organization": ("invitation", "membership"),
    "pull_request": ("label", "milestone", "pull_request"),
    "pull_request_review": ("pull_request", "review"),
    "pull_request_review_comment": ("comment", "pull_request"),
    "pull_request_review_thread": ("pull_request", "thread"),
    "push": ("ref",),
    "release": ("release",),
    "sub_issues": ("parent_issue", "sub_issue"),
    "team": ("team",),
    "team_add": ("team",),
}
"""What the events that are read can be about, by the names in their bodies."""
_ALL_SUBJECTS = frozenset(chain.from_iterable(_SUBJECTS.values())).union(
    ("alert", "check_run", "check_suite", "deployment", "forkee", "hook", "key", "package", "sha"),
    (
        "project_column",
        "repository_ruleset",
        "rule",
        "starred_at",
        "workflow",
        "workflow_job",
        "workflow_run",
    ),
)
"""Those too by which others are told that are not read."""
