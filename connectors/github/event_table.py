"""Which events an app or a webhook subscribes to, and which permission GitHub wants of an app for each.

`manifest.json` beside this is an app with these events, and with their permissions and those of the table of parts.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Mapping

MEMBERS = "Members: read"
"""Of the organisation. It also tells the addresses of its verified domains."""

SUBSCRIPTIONS: Mapping[str, str] = {
    "commit_comment": "Contents: read",
    "custom_property_values": "Organization custom properties: read",
    "discussion": "Discussions: read",
    "discussion_comment": "Discussions: read",
    "gollum": "Contents: read",
    "issue_comment": "Issues: read",
    "issue_dependencies": "Issues: read",
    "issues": "Issues: read",
    "label": "Metadata: read",
    "member": MEMBERS,
    "membership": MEMBERS,
    "milestone": "Issues: read",
    "organization": MEMBERS,
    "public": "Metadata: read",
    "pull_request": "Pull requests: read",
    "pull_request_review": "Pull requests: read",
    "pull_request_review_comment": "Pull requests: read",
    "pull_request_review_thread": "Pull requests: read",
    "push": "Contents: read",
    "release": "Contents: read",
    "repository": "Metadata: read",
    "sub_issues": "Issues: read",
    "team": MEMBERS,
    "team_add": MEMBERS,
}
"""The permission by event."""

TAKEN_ALL_THE_SAME: Mapping[str, str] = {
    "installation": "every app is sent it",
    "installation_repositories": "every app is sent it",
    "installation_target": "every app is sent it",
    "user": "GitHub Enterprise Server alone has it",
}
"""Events that are read where they come, and that nobody subscribes to on github.com, with the reason."""


def permission_key(permission: str) -> str:
    """A permission as manifests name it.

    >>> permission_key("Pull requests: read")
    'pull_requests'
    """
    return permission.partition(":")[0].lower().replace(" ", "_")
