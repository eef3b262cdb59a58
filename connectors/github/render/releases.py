"""Releases as Markdown."""

from __future__ import annotations

from connectors.github.payloads.rest import GitHubAsset, GitHubRelease
from connectors.github.render.markdown import embed, fact_line, join_blocks


def render_release(release: GitHubRelease) -> str:
    """A release's tag, its notes, and the names of its files."""
    facts = {
        "Tag": release.tag_name,
        "State": "pre-release" if release.prerelease else "",
        "Published": (release.published_at or "")[:10],
        "Files": ", ".join(name for asset in release.assets if (name := _asset(asset))),
    }
    return join_blocks([fact_line(facts), embed(release.body)])


def _asset(asset: GitHubAsset) -> str:
    named = asset.label and asset.name and asset.label != asset.name
    return f"{asset.label} ({asset.name})" if named else asset.label or asset.name
