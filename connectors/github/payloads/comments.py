"""What is said about issues, pull requests and commits, as GitHub's REST API gives it.

https://docs.github.com/en/rest/issues/comments · https://docs.github.com/en/rest/pulls/comments
https://docs.github.com/en/rest/pulls/reviews · https://docs.github.com/en/rest/commits/comments
"""

from __future__ import annotations

from datetime import datetime

from connectors.github.payloads.parsing import time_or_none
from connectors.github.payloads.rest import GitHubAccount
from connectors.payloads import ExactText, Maybe, Number, Payload, Text


class Minimized(Payload):
    """Why a comment was folded away: `spam`, `outdated` …"""

    reason: Text = ""


class GitHubComment(Payload):
    id: Text = ""
    user: GitHubAccount | None = None
    body: ExactText | None = None
    created_at: Text = ""
    updated_at: Text = ""
    minimized: Maybe[Minimized] = None


class GitHubReview(Payload):
    state: Text = ""
    user: GitHubAccount | None = None
    body: ExactText | None = None
    submitted_at: Text = ""


class GitHubReviewComment(GitHubComment):
    """A comment on lines of the changes; `line` and `start_line` are absent where these have changed since.

    `diff_hunk` is the part of the changes that ends with the line.
    """

    path: Text = ""
    start_line: Number = None
    line: Number = None
    original_start_line: Number = None
    original_line: Number = None
    diff_hunk: Text = ""
    in_reply_to_id: Text = ""


class CommitComment(GitHubComment):
    """A comment on a commit, or on a line of what it changed."""

    commit_id: Text = ""
    path: Text = ""
    line: Number = None


class CommentLink(Payload):
    """A comment as the listing of a whole repository names it: what it belongs to."""

    id: Text = ""
    updated_at: Text = ""
    issue_url: Text = ""
    pull_request_url: Text = ""
    html_url: Text = ""

    @property
    def updated(self) -> datetime | None:
        return time_or_none(self.updated_at)
