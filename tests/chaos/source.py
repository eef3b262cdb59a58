"""A GitHub that people work on: each change has words of its own, which tell what must be found at the end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from uuid import uuid4

from tests.emulators.github import GitHub, Repository

Delivery = tuple[dict[str, str], bytes]
"""Headers and body of a signed webhook."""

ISSUES_AT_FIRST = 40
"""In each repository."""


@dataclass
class BusyGitHub:
    """`words` are those of each issue that is there, by its URL: the last ones written."""

    chance: random.Random
    github: GitHub = field(default_factory=GitHub)
    repositories: list[Repository] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("acme/gates", "acme/pumps", "acme/turbines", "acme/weirs"):
            repository = self.github.repository(name)
            self.repositories.append(repository)
            for _ in range(ISSUES_AT_FIRST):
                self._open(repository)

    def change(self) -> Delivery:
        """Somebody opens, edits or deletes an issue."""
        repository = self.chance.choice(self.repositories)
        numbers = list(repository.issues)
        kind = self.chance.choices(["edit", "open", "delete"], [75, 15, 10])[0]
        if kind == "open" or len(numbers) < ISSUES_AT_FIRST // 2:
            return self.github.issue_webhook("opened", repository, self._open(repository))
        number = self.chance.choice(numbers)
        if kind == "delete":
            told = self.github.issue_webhook("deleted", repository, number)
            self.github.delete_issue(repository, number)
            del self.words[_url(repository, number)]
            return told
        self.github.edit_issue(repository, number, body=self._write(_url(repository, number)))
        return self.github.issue_webhook("edited", repository, number)

    def _open(self, repository: Repository) -> int:
        number = self.github.issue(repository, "Readings")
        repository.issues[number]["body"] = self._write(_url(repository, number))
        return number

    def _write(self, url: str) -> str:
        self.words[url] = f"gauge{uuid4().hex[:12]}"
        return f"The reading of {self.words[url]} is not what it was."


def _url(repository: Repository, number: int) -> str:
    return f"https://github.test/{repository.full_name}/issues/{number}"
