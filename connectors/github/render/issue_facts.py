"""What is set at an issue's side: its state, labels, people, fields, and its place among other issues."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.github.payloads.rest import GitHubIssue
from connectors.github.render.markdown import fact_line


@dataclass(frozen=True, slots=True)
class IssueRelations:
    """Other issues that an issue names, as its readers may know them: `#12`, or `acme/web#7` in another repository."""

    parent: str = ""
    sub_issues: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = ()


NO_RELATIONS = IssueRelations()


def issue_state(issue: GitHubIssue) -> str:
    """`open`, `closed` or `merged`."""
    return "merged" if issue.merged_time else issue.state or "open"


def render_facts(issue: GitHubIssue, closes: Sequence[str], relations: IssueRelations) -> str:
    """A line on the issue, and one with the fields that its organisation has defined."""
    facts = {
        "State": f"{'draft, ' if issue.draft else ''}{issue_state(issue)}{_reason(issue)}",
        "Type": issue.type_name,
        "Labels": ", ".join(issue.label_names),
        "Milestone": issue.milestone.title if issue.milestone else "",
        "Assignees": ", ".join(issue.assignee_names),
        "Reviews requested from": ", ".join(_reviewers(issue)),
        "Branch": _branches(issue),
        "Locked": (issue.active_lock_reason or "yes") if issue.locked else "",
        "Closes": ", ".join(closes),
        "Parent": relations.parent,
        "Sub-issues": _with_names(_progress(issue), relations.sub_issues),
        "Blocked by": ", ".join(relations.blocked_by) or _count(issue.issue_dependencies_summary.blocked_by),
        "Blocking": _count(issue.issue_dependencies_summary.blocking),
    }
    lines = [fact_line(facts), fact_line(_fields(issue))]
    return "\n".join(line for line in lines if line)


def _reason(issue: GitHubIssue) -> str:
    shown = issue.state_reason and issue_state(issue) == "closed"
    return f" ({issue.state_reason.replace('_', ' ')})" if shown else ""


def _branches(issue: GitHubIssue) -> str:
    head, base = issue.head, issue.base
    return f"{head.ref} into {base.ref}" if head and base and head.ref and base.ref else ""


def _reviewers(issue: GitHubIssue) -> list[str]:
    people = [one.login for one in issue.requested_reviewers if one.login]
    return people + [f"team {one.name}" for one in issue.requested_teams if one.name]


def _progress(issue: GitHubIssue) -> str:
    summary = issue.sub_issues_summary
    return f"{summary.completed or 0} of {summary.total} completed" if summary.total else ""


def _with_names(text: str, names: Sequence[str]) -> str:
    return f"{text} ({', '.join(names)})" if text and names else text or ", ".join(names)


def _count(issues: int | None) -> str:
    return f"{issues} issue{'s' * (issues != 1)}" if issues else ""


def _fields(issue: GitHubIssue) -> dict[str, str]:
    """Values by the field's name. Typed texts stay on the line that they stand on."""
    found = defaultdict[str, list[str]](list)
    for one in issue.issue_field_values:
        found[one.issue_field_name or "Field"] += [" ".join(value.split()) for value in one.shown]
    return {name: ", ".join(values) for name, values in found.items()}
