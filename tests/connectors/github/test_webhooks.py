from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.github.settings import GitHubConnection
from connectors.github.webhooks import NOT_READ
from connectors.registry import receive
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, Invalidation, look_around

SECRET = "It's a Secret to Everybody"
UNIT = "77"
ROOT = f"github:gh/{UNIT}"
REPOSITORY = {"id": 77, "full_name": "acme/api", "default_branch": "main"}
API = "https://api.github.test/repos"
ELSEWHERE = {"id": 78, "full_name": "acme/web", "default_branch": "main"}
EXAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "payloads" / "webhooks.json").read_text("utf-8"))
"""The examples of `@octokit/webhooks-examples`, one for each event and action; see the licence beside them."""
UNITS, MEMBERSHIPS, WHOLE = Invalidation("units"), Invalidation("memberships"), Invalidation("unit", UNIT)


@pytest.fixture
def connection() -> GitHubConnection:
    settings = {"id": "gh", "source": "github", "token": "t", "webhook_secret": SECRET, "exclude": ["acme/secret"]}
    return GitHubConnection.model_validate(settings)


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def delivered(connection: GitHubConnection, kind: str, payload: Any, **headers: str) -> Event:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    sent = {"x-github-event": kind, "x-github-delivery": "72d3162e", "x-hub-signature-256": signature(body)}
    return receive(connection, {**sent, **headers}, body, now=0.0)


def one(kind: str, name: object, unit: str = UNIT) -> Invalidation:
    return Invalidation("document", unit, f"github:gh/{unit}/{kind}/{name}")


def test_the_documented_signature_fits() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation"""
    documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature(b"Hello, World!") == documented


@pytest.mark.parametrize(
    ("kind", "payload", "changes"),
    [
        ("issues", {"action": "labeled", "issue": {"number": 7}}, [one("issues", 7)]),
        ("issues", {"action": "deleted", "issue": {"number": 7}}, [one("issues", 7)]),
        (
            "issues",
            {
                "action": "transferred",
                "issue": {"number": 7},
                "changes": {"new_issue": {"number": 2}, "new_repository": ELSEWHERE},
            },
            [one("issues", 7), one("issues", 2, "78")],
        ),
        *(
            ("issues", {"action": action, "issue": {"number": 7}, "type": {"name": "Bug"}}, [one("issues", 7)])
            for action in ("typed", "untyped", "field_added", "field_removed", "locked")
        ),
        (
            "issues",
            {"action": "closed", "issue": {"number": 7, "parent_issue_url": f"{API}/acme/api/issues/1"}},
            [one("issues", 7), one("issues", 1)],
        ),
        (
            "issues",
            {"action": "closed", "issue": {"number": 7, "parent_issue_url": f"{API}/acme/web/issues/1"}},
            [one("issues", 7)],
        ),
        (
            "sub_issues",
            {"action": "sub_issue_added", "parent_issue": {"number": 1}, "sub_issue": {"number": 7}},
            [one("issues", 1), one("issues", 7)],
        ),
        (
            "sub_issues",
            {
                "action": "parent_issue_removed",
                "parent_issue": {"number": 1, "repository_url": f"{API}/acme/web"},
                "parent_issue_repo": ELSEWHERE,
                "sub_issue": {"number": 7, "repository_url": f"{API}/acme/api"},
            },
            [one("issues", 1, "78"), one("issues", 7)],
        ),
        (
            "sub_issues",
            {
                "action": "parent_issue_added",
                "parent_issue": {"number": 1, "repository_url": f"{API}/acme/web"},
                "sub_issue": {"number": 7},
            },
            [one("issues", 7)],
        ),
        (
            "issue_dependencies",
            {"action": "blocked_by_added", "blocked_issue": {"number": 7}, "blocking_issue": {"number": 8}},
            [one("issues", 7), one("issues", 8)],
        ),
        (
            "issue_dependencies",
            {
                "action": "blocking_removed",
                "blocked_issue": {"number": 1, "repository_url": f"{API}/acme/web"},
                "blocked_issue_repo": ELSEWHERE,
                "blocking_issue": {"number": 8},
            },
            [one("issues", 1, "78"), one("issues", 8)],
        ),
        ("issue_comment", {"action": "edited", "issue": {"number": 7}}, [one("issues", 7)]),
        ("issue_comment", {"issue": {"number": 8, "pull_request": {"url": "x"}}}, [one("pull", 8)]),
        ("pull_request", {"action": "closed", "pull_request": {"number": 8}}, [one("pull", 8)]),
        ("pull_request_review", {"action": "submitted", "pull_request": {"number": 8}}, [one("pull", 8)]),
        ("pull_request_review_comment", {"action": "deleted", "pull_request": {"number": 8}}, [one("pull", 8)]),
        ("discussion", {"action": "answered", "discussion": {"number": 9}}, [one("discussions", 9)]),
        ("discussion_comment", {"action": "created", "discussion": {"number": 9}}, [one("discussions", 9)]),
        (
            "discussion",
            {
                "action": "transferred",
                "discussion": {"number": 9},
                "changes": {"new_discussion": {"number": 3}, "new_repository": ELSEWHERE},
            },
            [one("discussions", 9), one("discussions", 3, "78")],
        ),
        (
            "discussion",
            {"action": "created", "discussion": {"number": 9}, "changes": {"old_issue": {"number": 4}}},
            [one("discussions", 9), one("issues", 4)],
        ),
        ("release", {"action": "published", "release": {"id": 11}}, [one("releases", 11)]),
        ("push", {"ref": "refs/heads/main"}, [WHOLE]),
        (
            "push",
            {"ref": "refs/heads/main", "commits": [{"removed": ["a/b.md", "x" * 2_000]}, {"removed": ["c.md", 1]}]},
            [WHOLE, one("blob", "a/b.md"), one("blob", "c.md")],
        ),
        ("gollum", {"pages": [{"page_name": "Home", "action": "edited"}]}, [WHOLE]),
        ("label", {"action": "deleted"}, [WHOLE]),
        (
            "label",
            {"action": "edited", "label": {"name": "area: ui"}, "changes": {"name": {"from": "ui"}}},
            [one("labels", "area: ui")],
        ),
        (
            "milestone",
            {"action": "edited", "milestone": {"number": 4}, "changes": {"title": {"from": "v1"}}},
            [one("milestones", 4)],
        ),
        *(
            ("label", {"action": "edited", "label": {"name": "ui"}, "changes": changes}, [one("labels", "ui")])
            for changes in ("odd", {"name": "odd"})
        ),
        (
            "sub_issues",
            {
                "parent_issue": "odd",
                "parent_issue_repo": ELSEWHERE,
                "sub_issue": {"number": 7, "repository_url": f"{API}/acme/api"},
            },
            [Invalidation("unit", "78"), one("issues", 7)],
        ),
        ("milestone", {"action": "closed"}, [WHOLE]),
        ("repository", {"action": "edited"}, [WHOLE]),
        ("commit_comment", {"action": "created", "comment": {"commit_id": "a" * 40}}, [one("commit", "a" * 40)]),
        ("custom_property_values", {"action": "updated", "new_property_values": []}, [WHOLE]),
        *(
            ("repository", {"action": action}, [UNITS, MEMBERSHIPS])
            for action in ("created", "renamed", "archived", "publicized")
        ),
        *(
            ("repository", {"action": action}, [Invalidation("units", UNIT), MEMBERSHIPS])
            for action in ("transferred", "privatized")
        ),
        ("repository", {"action": "deleted"}, [Invalidation("units", UNIT, unit_deleted=True), MEMBERSHIPS]),
        ("public", {}, [UNITS, MEMBERSHIPS]),
        ("member", {"action": "removed"}, [MEMBERSHIPS]),
        ("membership", {"action": "added"}, [MEMBERSHIPS]),
        ("team", {"action": "removed_from_repository"}, [MEMBERSHIPS]),
        ("team_add", {}, [MEMBERSHIPS]),
        ("organization", {"action": "member_removed"}, [MEMBERSHIPS]),
        ("organization", {"action": "renamed"}, [UNITS, MEMBERSHIPS]),
        ("installation", {"action": "suspend"}, [UNITS, MEMBERSHIPS]),
        ("installation_repositories", {"action": "added", "repositories_removed": []}, [UNITS, MEMBERSHIPS]),
        (
            "installation_repositories",
            {"action": "removed", "repositories_removed": [REPOSITORY, {"full_name": "acme/odd"}, ELSEWHERE]},
            [Invalidation("units", "77"), Invalidation("units", "78"), MEMBERSHIPS],
        ),
    ],
)
def test_events_say_where_to_look(
    connection: GitHubConnection, kind: str, payload: dict[str, Any], changes: list[Invalidation]
) -> None:
    event = delivered(connection, kind, {"repository": REPOSITORY, **payload})
    assert (event.id, event.kind, list(event.invalidations), event.ignored) == ("72d3162e", kind, changes, "")


@pytest.mark.parametrize(
    ("kind", "subject", "action", "is_deleted"),
    [
        ("issues", {"issue": {"number": 7}}, "deleted", True),
        ("issues", {"issue": {"number": 7}}, "transferred", True),
        ("issues", {"issue": {"number": 7}}, "closed", False),
        ("issue_comment", {"issue": {"number": 7}, "comment": {}}, "deleted", False),
        ("discussion", {"discussion": {"number": 7}}, "deleted", True),
        ("discussion", {"discussion": {"number": 7}}, "transferred", True),
        ("discussion", {"discussion": {"number": 7}}, "answered", False),
        ("discussion_comment", {"discussion": {"number": 7}, "comment": {}}, "deleted", False),
        ("release", {"release": {"id": 7}}, "deleted", True),
        ("release", {"release": {"id": 7}}, "unpublished", False),
        ("label", {}, "deleted", False),
    ],
)
def test_what_is_gone_from_its_place_is_told(
    connection: GitHubConnection, kind: str, subject: dict[str, Any], action: str, is_deleted: bool
) -> None:
    """Neither what it was a part of, nor where it went."""
    new = {f"new_{name}": {"number": 9} for name in subject if name in ("issue", "discussion")}
    if "issue" in subject:
        subject = {**subject, "issue": {**subject["issue"], "parent_issue_url": f"{API}/acme/api/issues/1"}}
    changes = {**new, "new_repository": ELSEWHERE}
    event = delivered(connection, kind, {"repository": REPOSITORY, "action": action, "changes": changes, **subject})
    own, *others = event.invalidations
    assert (own.deleted, any(one.deleted for one in others)) == (is_deleted, False)
    assert len(others) >= 2 * ("issue" in subject)


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        ("ping", {"zen": "Design for failure."}, "GitHub tries the webhook"),
        ("star", {"action": "created"}, "nothing that is read changes"),
        ("brand_new", {"action": "created"}, "'brand_new' is not known"),
        ("push", {"ref": "refs/heads/feature/main"}, "nothing that is read changes"),
        ("push", {"ref": "refs/tags/main"}, "nothing that is read changes"),
        ("label", {"action": "created"}, "nothing that is read changes"),
        (
            "label",
            {"action": "edited", "label": {"name": "ui"}, "changes": {"color": {"from": "fff"}}},
            "nothing that is read changes",
        ),
        ("organization", {"action": "member_invited"}, "nothing that is read changes"),
    ],
)
def test_what_is_ignored_says_why(
    connection: GitHubConnection, kind: str, payload: dict[str, Any], reason: str
) -> None:
    event = delivered(connection, kind, {"repository": REPOSITORY, **payload})
    assert event.invalidations == ()
    assert reason in event.ignored


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one['event']}-{one['payload'].get('action', '')}")
def test_github_s_own_examples_are_mapped_or_named(connection: GitHubConnection, example: dict[str, Any]) -> None:
    event = delivered(connection, example["event"], example["payload"])
    assert bool(event.invalidations) != bool(event.ignored)
    assert "is not known" not in event.ignored
    assert event.invalidations or example["event"] in (*NOT_READ, "push", "label", "milestone", "organization")
    repositories = (
        example["payload"].get("repository"),
        (example["payload"].get("changes") or {}).get("new_repository"),
    )
    removed = example["payload"].get("repositories_removed", ())
    expected = {"", *(str(one["id"]) for one in (*repositories, *removed) if one)}
    assert {change.unit for change in event.invalidations} <= expected


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        ("issues", "repository"),
        ("issues", "organization"),
        ("issue_comment", "issues"),
        ("pull_request", "public"),
        ("release", "repository"),
        ("push", "repository"),
        ("star", "repository"),
        ("ping", "installation"),
        ("member", "organization"),
        ("membership", "team"),
        ("team", "repository"),
        ("label", "repository"),
        ("branch_protection_rule", "repository"),
        ("project_column", "repository"),
    ],
)
def test_a_body_under_the_name_of_another_event_is_refused(connection: GitHubConnection, kind: str, other: str) -> None:
    """The signature does not cover X-GitHub-Event."""
    for payload in (one["payload"] for one in EXAMPLES if one["event"] == kind):
        with pytest.raises(DeliveryUnreadable):
            delivered(connection, other, payload)


@pytest.mark.parametrize("subject", ["repository_ruleset", "new_property_values"])
def test_rules_that_were_deleted_are_no_repository_that_was(connection: GitHubConnection, subject: str) -> None:
    """GitHub's collection of examples has none of these: https://docs.github.com/en/webhooks/webhook-events-and-payloads"""
    with pytest.raises(DeliveryUnreadable, match=subject):
        delivered(connection, "repository", {"action": "deleted", subject: {"id": 1}, "repository": {"id": 1}})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": signature(b"{}", "another secret")},
        {"x-hub-signature-256": signature(b"{ }")},
        {"x-hub-signature-256": signature(b"{}").removeprefix("sha256=")},
        {"x-hub-signature-256": "sha256=é"},
        {"x-hub-signature": "sha1=" + hmac.new(SECRET.encode(), b"{}", hashlib.sha1).hexdigest()},
    ],
)
def test_deliveries_without_the_right_signature_are_refused(
    connection: GitHubConnection, headers: dict[str, str]
) -> None:
    with pytest.raises(DeliveryRefused):
        receive(connection, {"x-github-event": "ping", **headers}, b"{}", now=0.0)


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_nothing_is_taken(connection: GitHubConnection, secret: str | None) -> None:
    settings = {"id": "gh", "source": "github", "token": "t", "webhook_secret": secret}
    headers = {"x-github-event": "ping", "x-hub-signature-256": signature(b"{}", secret or "")}
    with pytest.raises(DeliveryRefused, match="webhook_secret"):
        receive(GitHubConnection.model_validate(settings), headers, b"{}", now=0.0)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("issues", b"{"),
        ("issues", b"\xff"),
        ("issues", b"[" * 100_000),
        ("issues", b'["issue"]'),
        ("", b"{}"),
    ],
)
def test_what_is_signed_and_makes_no_sense_is_unreadable(connection: GitHubConnection, kind: str, body: bytes) -> None:
    with pytest.raises(DeliveryUnreadable):
        delivered(connection, kind, body)


@pytest.mark.parametrize(
    ("kind", "body", "unit"),
    [
        ("issues", b"{}", ""),
        ("issues", b'{"issue": {"number": "x"}, "repository": {"id": 77}}', "77"),
        ("issues", b'{"issue": {"number": 1}}', ""),
        ("issues", b'{"issue": {"number": 1}, "repository": {"full_name": "acme/api"}}', ""),
        ("issues", b'{"issue": {"number": 1}, "repository": {"id": "77", "full_name": "acme/api"}}', ""),
        ("issues", b'{"issue": null, "repository": {"id": 77}}', "77"),
        ("repository", b'{"action": "deleted", "repository": {"full_name": "acme/api"}}', ""),
        ("issues", b'{"issue": {"number": 1}, "repository": "acme/api"}', ""),
        ("push", b'{"repository": {"id": 77}}', "77"),
        ("sub_issues", b'{"action": "parent_issue_added", "parent_issue": 3, "repository": {"id": 77}}', "77"),
        ("sub_issues", b'{"sub_issue": {"number": "x"}, "sub_issue_repo": {"id": 78}, "repository": {"id": 78}}', "78"),
        ("issue_dependencies", b'{"blocked_issue": null, "repository": {"id": 77}}', "77"),
        ("label", b'{"action": "edited", "changes": {"name": {"from": "a"}}, "repository": {"id": 77}}', "77"),
    ],
)
def test_an_event_that_does_not_tell_its_object_marks_its_repository(
    connection: GitHubConnection, kind: str, body: bytes, unit: str
) -> None:
    assert delivered(connection, kind, body).invalidations == look_around(unit)


def test_a_form_is_read_as_well(connection: GitHubConnection) -> None:
    payload = json.dumps({"action": "opened", "issue": {"number": 1}, "repository": REPOSITORY})
    body = urlencode({"payload": payload}).encode()
    event = delivered(connection, "issues", body, **{"content-type": "application/x-www-form-urlencoded"})
    assert event.invalidations == (one("issues", 1),)
    with pytest.raises(DeliveryUnreadable):
        delivered(connection, "issues", b"pay=load", **{"content-type": "application/x-www-form-urlencoded"})


def test_a_delivery_without_an_id_is_known_by_its_body(connection: GitHubConnection) -> None:
    first, again, other = (
        delivered(connection, "ping", {"hook_id": hook}, **{"x-github-delivery": ""}) for hook in (1, 1, 2)
    )
    assert first.id == again.id != other.id
