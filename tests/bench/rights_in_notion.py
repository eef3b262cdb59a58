"""What people lose in Notion, and how long they find by it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread

from tests.bench.asking import STRANGER, Measured, System
from tests.emulators.notion import TOKEN, VERIFICATION_TOKEN, Notion, block

CONNECTION = "notes"


@dataclass
class Handbook:
    """Pages below one at the top, and others at the top by what will happen to them."""

    pages: int
    notion: Notion = field(default_factory=Notion)
    roots: dict[str, str] = field(default_factory=dict)
    below: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.notion.person("Ada")
        for word in ("handbook", "trashed"):
            self.roots[word] = self.notion.page(word, block("paragraph", f"The {word} lever."))
        said = [*(f"The handbook lever {number}." for number in range(self.pages)), "The moved lever."]
        top = self.roots["handbook"]
        # Titles have other words: they stand in the text of the page above, too.
        paragraphs = [block("paragraph", text) for text in said]
        self.below = [self.notion.page(f"Page {n}", one, under=top) for n, one in enumerate(paragraphs)]
        self.notion.wait(hours=1)

    def tell(self, system: System, kind: str, page: str) -> None:
        system.deliver((CONNECTION, *self.notion.delivery(kind, page)))


def settings(url: str) -> dict[str, object]:
    told = {"id": CONNECTION, "source": "notion", "token": TOKEN, "base_url": url}
    return {**told, "readers": ["public"], "webhook_secret": VERIFICATION_TOKEN}


def rows(handbook: Handbook, system: System) -> Iterator[Measured]:
    """What happens, and how long somebody finds by the right that was lost."""
    notion = handbook.notion

    notion.sealed.add(handbook.below[-1])
    handbook.tell(system, "page.moved", handbook.below[-1])
    yield system.measure("page moved out of reach", "moved lever", STRANGER, f"/pages/{handbook.below[-1]}")

    notion.trash(handbook.roots["trashed"])
    handbook.tell(system, "page.deleted", handbook.roots["trashed"])
    yield system.measure("page at the top deleted", "trashed lever", STRANGER)

    # No event tells of it: the next sync does.
    system.answers.wait_until_quiet()
    notion.sealed.update((handbook.roots["handbook"], *handbook.below))
    asked, started = len(notion.log), time.monotonic()
    syncing = Thread(target=system.run, args=("sync", CONNECTION), kwargs={"allowed": (0, 1)})
    syncing.start()
    while len(notion.log) == asked:
        time.sleep(0.01)
    what = "page at the top and all below unshared"
    yield system.measure(what, "handbook lever", STRANGER, "/v1/search", listed_since=started)
    syncing.join()
