"""The questions of the demo, and where their answers lie."""

from __future__ import annotations

from dataclasses import dataclass

ENGINEER = "ada.lindqvist@millbrook.example"
SUPPORT = "jonas.weber@millbrook.example"
DIRECTOR = "noor.haddad@millbrook.example"


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """`answer` is part of the title or text by which a person knows the right document."""

    text: str
    source: str
    answer: str


QUESTIONS = (
    DemoQuestion("Why did the gateway lose readings on 3 September?", "slack", "INC-31"),
    DemoQuestion("How do I roll back a firmware release?", "notion", "Runbook: roll back a firmware release"),
    DemoQuestion("How long do we keep customer data after a contract ends?", "drive", "Data retention policy"),
    DemoQuestion("What does error E4107 mean and where was it fixed?", "github", "E4107"),
    DemoQuestion("How much travel money does field service have next year?", "drive", "Travel budget 2027"),
)

RIGHTS_QUESTION = DemoQuestion("What price do we offer for Riverstat?", "slack", "Riverstat")
"""Answered in a private channel and a private folder only."""
RIGHTS_ASKED_BY = (DIRECTOR, SUPPORT)
