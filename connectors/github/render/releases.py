"""Releases as Markdown."""

from __future__ import annotations

from connectors.github.payloads.rest import GitHubRelease
from connectors.github.render.markdown import embed, fact_line, join_blocks


def render_release(release: GitHubRelease) -> str:
    """A release's tag, its notes, and the names of its files."""
    facts = {
        "Tag": release.tag_name,
        "State": "pre-release" if release.prerelease else "",
        "Published": (release.published_at or "")[:10],
        "Files": ", ".join(asset.name for asset in release.assets if asset.name),
    }
    return join_blocks([fact_line(facts), embed(release.body)])
