"""What GitHub's events take away counts: of a repository that was renamed, and of files whose content waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.github.settings import GitHubConnection
from pipelines.ingestion.options import SyncOptions
from pipelines.settings import Settings
from tests.e2e.office import ADA, Office, office
from tests.emulators.github import TOKEN, WEBHOOK_SECRET, GitHub, Repository, serving
from tests.emulators.github_refusals import Refusal


@pytest.fixture
def github() -> GitHub:
    github = GitHub()
    github.emails = {"ada": ADA}
    return github


@pytest.fixture
def repository(github: GitHub) -> Repository:
    repository = github.repository("acme/secret", private=True, collaborators=["ada"])
    github.issue(repository, "Zebra", "The zebra is bought.")
    for name in ("zebra.md", "kept.md"):
        github.write(repository, name, f"# {name}\nA zebra.")
    return repository


@pytest.fixture
def opened(github: GitHub, repository: Repository, settings: Settings) -> Iterator[Office]:
    described = {"id": "gh", "source": "github", "token": TOKEN, "webhook_secret": WEBHOOK_SECRET}
    with serving(github) as url:
        connection = GitHubConnection.model_validate({**described, "base_url": url, "include": ["acme/secret"]})
        with office(settings, connection) as it:
            assert it.sync() == {}
            yield it


def test_events_of_a_renamed_repository_count(github: GitHub, repository: Repository, opened: Office) -> None:
    """The settings spell its old name, and events bear the new one."""
    github.rename(repository, "acme/archive")
    opened.sync()
    number = github.issue(repository, "Another zebra", "A zebra more.")
    opened.deliver(github.webhook("issues", repository, action="opened", issue={"number": number}))
    opened.worker.run_pass()
    assert {"Zebra", "Another zebra"} <= opened.found("zebra", ADA)
    github.delete_issue(repository, number)
    opened.deliver(github.webhook("issues", repository, action="deleted", issue={"number": number}))
    assert "Another zebra" not in opened.found("zebra", ADA)


def test_what_carries_a_renamed_label_or_milestone_shows_its_new_name(
    github: GitHub, repository: Repository, opened: Office
) -> None:
    """It does not change with it: no time tells."""
    (number,) = repository.issues
    pull = github.issue(repository, "Paint it", "In stripes.", pull=True)
    repository.issues[number]["labels"] = [{"name": "okapi"}]
    repository.issues[pull]["milestone"] = {"number": 7, "title": "Quagga"}
    label, milestone = {"name": "okapi"}, {"number": 7, "title": "Quagga"}
    opened.deliver(
        github.webhook("label", repository, action="edited", label=label, changes={"name": {"from": "horse"}})
    )
    opened.deliver(
        github.webhook("milestone", repository, action="edited", milestone=milestone, changes={"title": {"from": "v1"}})
    )
    opened.worker.run_pass()
    assert (opened.found("okapi", ADA), opened.found("quagga", ADA)) == ({"Zebra"}, {"Paint it"})


def test_events_of_a_repository_that_is_not_included_lead_to_nothing(github: GitHub, opened: Office) -> None:
    other = github.repository("acme/other", private=True, collaborators=["ada"])
    number = github.issue(other, "Another zebra", "A zebra.")
    opened.deliver(github.webhook("issues", other, action="opened", issue={"number": number}))
    opened.worker.run_pass()
    assert "Another zebra" not in opened.found("zebra", ADA)
    (event, *_) = opened.services.catalog.events.list_recent()
    assert (event["state"], event["reason"]) == ("ignored", f"{other.id} is not among this connection's units")


@pytest.mark.each_value
@pytest.mark.parametrize("how", ["down", "forbidden"])
@pytest.mark.parametrize("action", ["deleted", "transferred"])
def test_an_issue_is_gone_from_its_place_with_the_event(
    github: GitHub, repository: Repository, opened: Office, action: str, how: Refusal
) -> None:
    """Whether or not its source answers, and in syncs and reconciles to come."""
    (number,) = repository.issues
    event = github.webhook("issues", repository, action=action, issue={"number": number})
    github.delete_issue(repository, number)
    github.refuse("issues", how)
    opened.deliver(event)
    assert "Zebra" not in opened.found("zebra", ADA)
    opened.worker.run_pass()
    for options in (SyncOptions(), SyncOptions(mode="reconcile")):
        opened.sync(options)
        assert "Zebra" not in opened.found("zebra", ADA)
    github.allow("issues")
    assert opened.sync() == {}
    assert "Zebra" not in opened.found("zebra", ADA)


@pytest.mark.one_case
@pytest.mark.parametrize("how", ["down", "forbidden"])
def test_a_deletion_that_is_not_true_ends_with_the_next_read(
    github: GitHub, repository: Repository, opened: Office, how: Refusal
) -> None:
    (number,) = repository.issues
    github.refuse("issues", how)
    opened.deliver(github.webhook("issues", repository, action="deleted", issue={"number": number}))
    opened.sync()
    assert "Zebra" not in opened.found("zebra", ADA)
    github.allow("issues")
    assert opened.sync() == {}
    assert "Zebra" in opened.found("zebra", ADA)


@pytest.mark.one_case
@pytest.mark.parametrize("of_unit", [False, True], ids=["connection", "unit"])
def test_a_file_that_a_push_removes_is_lost_during_a_pause(
    github: GitHub, repository: Repository, opened: Office, of_unit: bool
) -> None:
    before = opened.found("zebra", ADA)
    opened.pause(str(repository.id) if of_unit else "")
    github.delete_file(repository, "zebra.md")
    opened.deliver(github.push_webhook(repository))
    assert opened.found("zebra", ADA) == before - {"zebra.md"}
    assert "zebra.md" in before
