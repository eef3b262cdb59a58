"""What a sync asks GitHub for, and which permission each needs.

https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
"""

from __future__ import annotations

from connectors.source_parts import Part

ISSUES = Part(
    "issues",
    "Issues: read",
    "issues, and comments on pull requests that are on no line of code, are not found",
    "GET /repos/{owner}/{repo}/issues",
)
PULL_REQUESTS = Part(
    "pull requests",
    "Pull requests: read",
    "pull requests and their reviews are not found",
    "GET /repos/{owner}/{repo}/pulls",
)
DISCUSSIONS = Part(
    "discussions",
    "Discussions: read",
    "discussions are not found",
    "GraphQL repository.discussions",
)
RELEASES = Part(
    "releases",
    "Contents: read",
    "releases are not found",
    "GET /repos/{owner}/{repo}/releases",
)
FILES = Part(
    "files",
    "Contents: read",
    "files are not found",
    "GET /repos/{owner}/{repo}/git/trees/{branch}, and one of its blobs",
)
COMMIT_COMMENTS = Part(
    "commit comments",
    "Contents: read",
    "comments on commits are not found",
    "GET /repos/{owner}/{repo}/comments",
)
WIKI = Part(
    "wiki",
    "Contents: read",
    "pages of wikis are not found",
    "git ls-remote {owner}/{repo}.wiki.git",
)
COLLABORATORS = Part(
    "collaborators",
    "Metadata: read, by an account with write access to the repository (classic tokens: repo and read:org)",
    "nobody but an administrator finds anything in private repositories",
    "GET /repos/{owner}/{repo}/collaborators",
)

PARTS = (ISSUES, PULL_REQUESTS, DISCUSSIONS, RELEASES, FILES, COMMIT_COMMENTS, WIKI, COLLABORATORS)
