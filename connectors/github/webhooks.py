"""GitHub's webhooks: verified, and mapped to where to look again.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
A delivery bears no time, so an old one cannot be told from a new one; it does no harm, and its id is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qs

from connectors.github.responses import Payload
from connectors.settings import Connection
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, Invalidation, content_id, signed

_PREFIX = "sha256="
_UNITS = Invalidation("units")
_MEMBERSHIPS = Invalidation("memberships")

_OTHERS = """
branch_protection_configuration branch_protection_rule cache_sync check_run check_suite code_scanning_alert
content_reference create custom_property custom_property_values delete dependabot_alert deploy_key deployment
deployment_protection_rule deployment_review deployment_status enterprise fork github_app_authorization image
issue_dependencies marketplace_purchase merge_group meta org_block package page_build
personal_access_token_request project project_card project_column projects_v2 projects_v2_item
projects_v2_status_update registry_package repository_advisory repository_dispatch repository_import
repository_ruleset repository_vulnerability_alert secret_scanning_alert secret_scanning_alert_location
secret_scanning_scan security_advisory security_and_analysis sponsorship star status sub_issues watch
workflow_dispatch workflow_job workflow_run
"""
NOT_READ = {
    **dict.fromkeys(_OTHERS.split(), "nothing that is read changes"),
    "commit_comment": "comments on commits are not read",
    "gollum": "wikis are not read: GitHub has no API for them",
    "ping": "GitHub tries the webhook",
}
"""Documented events about nothing that Headrace reads, with the reason."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    """What a webhook says, of a connection."""

    connection: str
    payload: Payload

    @property
    def action(self) -> str:
        return str(self.payload.get("action") or "")

    @property
    def unit(self) -> str:
        return str(self.payload["repository"]["full_name"])

    def about(self, kind: str, name: object, unit: str = "") -> Invalidation:
        """One document, by what its id says."""
        unit = unit or self.unit
        return Invalidation("document", unit, f"github:{self.connection}/{unit}/{kind}/{name}")


Invalidations: TypeAlias = tuple[Invalidation, ...]


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.webhooks.receive`."""
    _verify(connection, headers, body)
    kind = headers.get("x-github-event", "")
    if not kind:
        raise DeliveryUnreadable("no X-GitHub-Event header")
    delivery = _Delivery(connection.id, _payload(headers, body))
    event_id = headers.get("x-github-delivery") or content_id(body)
    if reason := _reason_to_ignore(connection, kind, delivery):
        return Event(event_id, kind, ignored=reason)
    try:
        changes = _EVENTS[kind](delivery)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DeliveryUnreadable(f"{kind}: the payload is not as documented: {error!r}") from error
    changes = tuple(dict.fromkeys(changes))
    return Event(event_id, kind, changes, ignored="" if changes else "nothing that is read changes")


def _verify(connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
    if not connection.webhook_secret or not connection.webhook_secret.get_secret_value():
        raise DeliveryRefused(f"{connection.id} has no `webhook_secret`")
    signature = headers.get("x-hub-signature-256", "")
    if not signature.startswith(_PREFIX):
        raise DeliveryRefused("no X-Hub-Signature-256 header")
    if not signed(connection.webhook_secret.get_secret_value(), body, signature.removeprefix(_PREFIX)):
        raise DeliveryRefused("the signature does not fit the body")


def _payload(headers: Mapping[str, str], body: bytes) -> Payload:
    """The JSON of a body, which can also come as a form's field: both are settings of a webhook."""
    try:
        text = body.decode()
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            text = parse_qs(text, strict_parsing=True)["payload"][0]
        payload = json.loads(text)
    except (KeyError, ValueError, RecursionError) as error:
        raise DeliveryUnreadable(f"not JSON: {type(error).__name__}") from error
    if not isinstance(payload, dict):
        raise DeliveryUnreadable("not a JSON object")
    return payload


def _reason_to_ignore(connection: Connection, kind: str, delivery: _Delivery) -> str:
    if kind not in _EVENTS:
        return NOT_READ.get(kind, f"the event {kind!r} is not known")
    repository = delivery.payload.get("repository")
    name = repository.get("full_name") if isinstance(repository, dict) else None
    if kind not in _ABOUT_MANY and isinstance(name, str) and not connection.includes(name):
        return f"{name} is not among the connection's repositories"
    return ""


def _issue(delivery: _Delivery) -> Invalidations:
    issue = delivery.payload["issue"]
    here = delivery.about("pull" if issue.get("pull_request") else "issues", int(issue["number"]))
    return (here, *_moved(delivery, "issues", "new_issue"))


def _pull_request(delivery: _Delivery) -> Invalidations:
    return (delivery.about("pull", int(delivery.payload["pull_request"]["number"])),)


def _discussion(delivery: _Delivery) -> Invalidations:
    here = delivery.about("discussions", int(delivery.payload["discussion"]["number"]))
    return (here, *_moved(delivery, "discussions", "new_discussion"), *_converted(delivery))


def _moved(delivery: _Delivery, kind: str, name: str) -> Invalidations:
    """Where an object went that was transferred."""
    changes = delivery.payload.get("changes") or {}
    moved, repository = changes.get(name), changes.get("new_repository")
    if not moved or not repository:
        return ()
    return (delivery.about(kind, int(moved["number"]), str(repository["full_name"])),)


def _converted(delivery: _Delivery) -> Invalidations:
    """The issue that became this discussion."""
    issue = (delivery.payload.get("changes") or {}).get("old_issue")
    repository = (delivery.payload.get("changes") or {}).get("old_repository") or delivery.payload["repository"]
    return (delivery.about("issues", int(issue["number"]), str(repository["full_name"])),) if issue else ()


def _release(delivery: _Delivery) -> Invalidations:
    return (delivery.about("releases", int(delivery.payload["release"]["id"])),)


def _push(delivery: _Delivery) -> Invalidations:
    """The tree tells which files changed, also after a forced push or one with more commits than a payload holds."""
    repository = delivery.payload["repository"]
    branch = repository.get("default_branch") or repository["master_branch"]
    return _unit(delivery) if delivery.payload["ref"] == f"refs/heads/{branch}" else ()


def _unit(delivery: _Delivery) -> Invalidations:
    return (Invalidation("unit", delivery.unit),)


def _named(delivery: _Delivery) -> Invalidations:
    """A label or milestone: whatever of the unit shows it, once it is used."""
    return () if delivery.action == "created" else _unit(delivery)


def _repository(delivery: _Delivery) -> Invalidations:
    """`edited` can be another default branch; all else is a new unit, one gone, or other readers."""
    return _unit(delivery) if delivery.action == "edited" else (_UNITS, _MEMBERSHIPS)


def _organization(delivery: _Delivery) -> Invalidations:
    if delivery.action == "member_invited":
        return ()
    return (_UNITS, _MEMBERSHIPS) if delivery.action in ("renamed", "deleted") else (_MEMBERSHIPS,)


def _always(*changes: Invalidation) -> Callable[[_Delivery], Invalidations]:
    return lambda delivery: changes


_EVENTS: dict[str, Callable[[_Delivery], Invalidations]] = {
    "discussion": _discussion,
    "discussion_comment": _discussion,
    "installation": _always(_UNITS, _MEMBERSHIPS),
    "installation_repositories": _always(_UNITS, _MEMBERSHIPS),
    "installation_target": _always(_UNITS, _MEMBERSHIPS),
    "issue_comment": _issue,
    "issues": _issue,
    "label": _named,
    "member": _always(_MEMBERSHIPS),
    "membership": _always(_MEMBERSHIPS),
    "milestone": _named,
    "organization": _organization,
    "public": _always(_UNITS, _MEMBERSHIPS),
    "pull_request": _pull_request,
    "pull_request_review": _pull_request,
    "pull_request_review_comment": _pull_request,
    "pull_request_review_thread": _pull_request,
    "push": _push,
    "release": _release,
    "repository": _repository,
    "team": _always(_MEMBERSHIPS),
    "team_add": _always(_MEMBERSHIPS),
    "user": _always(_MEMBERSHIPS),
}
_ABOUT_MANY = ("installation", "installation_repositories", "member", "organization", "public", "repository", "team")
"""Events that matter although the repository they name is not read, or has a name that was not read before."""
