"""What a cursor keeps, and what of it holds when a repository is read again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.github.cursor import (
    COMMENT_OVERLAP,
    FORMAT,
    LOOK_EVERY,
    OVERLAP,
    QUIET_AFTER,
    SETTLED,
    RepositoryCursor,
    Timeline,
    as_read,
    file_version,
)
from connectors.github.payloads.graphql import DiscussionHead
from connectors.github.trees import GitFile

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
SECOND = timedelta(seconds=1)
FILE = GitFile("docs/a.md", "0123456789abcdef" + "f" * 24, "100644", 3)
HEAD = DiscussionHead(total=3, number=7, updated_at=NOON.isoformat())
EMPTY: dict[str, Any] = {"since": None, "recent": {}}
START: dict[str, Any] = {"since": LATER.isoformat(), "recent": {}}
STATE: dict[str, Any] = {"since": NOON.isoformat(), "recent": {"1": NOON.isoformat()}}


def timeline(since: datetime | None = NOON, **recent: datetime) -> Timeline:
    state = {
        "since": since and since.isoformat(),
        "recent": {key[1:]: time.isoformat() for key, time in recent.items()},
    }
    return Timeline.resume(state)


@pytest.mark.parametrize(
    ("key", "updated", "is_new"),
    [
        ("1", None, True),
        ("1", NOON, False),
        (1, NOON, False),
        ("1", NOON + SECOND, True),
        ("2", NOON, True),
        ("2", NOON - OVERLAP, True),
        ("2", NOON - OVERLAP - SECOND, False),
    ],
)
def test_what_may_have_changed_is_new(key: object, updated: datetime | None, is_new: bool) -> None:
    assert timeline(_1=NOON).is_new(key, updated) is is_new


def test_without_a_beginning_everything_is_new() -> None:
    assert Timeline().is_new("1", datetime(1990, 1, 1, tzinfo=UTC))
    assert Timeline().begin is None


@pytest.mark.parametrize("overlap", [OVERLAP, COMMENT_OVERLAP])
def test_a_timeline_begins_an_overlap_before_its_end(overlap: timedelta) -> None:
    found = Timeline.resume(STATE, overlap)
    assert (found.since, found.begin, found.overlap) == (NOON, NOON - overlap, overlap)
    assert found.state() == STATE


@pytest.mark.parametrize("state", [None, {}, {"since": None, "recent": None}])
def test_an_empty_state_is_the_beginning(state: dict[str, Any] | None) -> None:
    found = Timeline.resume(state)
    assert (found.since, found.begin, found.state(), found.overlap) == (None, None, EMPTY, timedelta(minutes=5))


@pytest.mark.parametrize(
    ("updated", "read_at", "recent"),
    [
        (LATER, LATER + SETTLED, {"7": LATER}),
        (LATER, LATER + SETTLED - timedelta(microseconds=1), {}),
        (NOON - OVERLAP, LATER, {"7": NOON - OVERLAP}),
        (NOON - OVERLAP - SECOND, LATER, {}),
        (None, LATER, {}),
    ],
)
def test_what_was_read_is_remembered_once_it_is_settled(
    updated: datetime | None, read_at: datetime, recent: dict[str, datetime]
) -> None:
    found = timeline()
    found.record(7, updated, read_at)
    assert found.recent == {key: time.isoformat() for key, time in recent.items()}
    assert found.since == NOON


@pytest.mark.parametrize(
    ("since", "updated", "end"),
    [(NOON, LATER, LATER), (LATER, NOON, LATER), (None, NOON, NOON), (NOON, None, NOON), (None, None, None)],
)
def test_a_timeline_never_goes_back(since: datetime | None, updated: datetime | None, end: datetime | None) -> None:
    found = timeline(since)
    found.advance("7", updated, LATER + timedelta(days=1))
    assert found.since == end
    assert found.is_new("7", updated) is (updated is None)


def test_what_the_next_read_does_not_ask_for_is_forgotten() -> None:
    found = timeline(NOON, _1=NOON, _2=NOON - OVERLAP, _3=NOON - OVERLAP - SECOND)
    found.forget_settled()
    assert set(found.recent) == {"1", "2"}
    unread = timeline(None, _1=NOON)
    unread.forget_settled()
    assert set(unread.recent) == {"1"}


def resume(cursor: dict[str, Any] | None, **changes: Any) -> RepositoryCursor:
    described: dict[str, Any] = {"branch": "main", "patterns": ("**",), "now": LATER}
    return RepositoryCursor.resume(cursor, **{**described, **changes})


def kept(**changes: Any) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "branch": "main",
        "patterns": ["**"],
        **dict.fromkeys(("issues", "comments", "review_comments", "pulls", "discussions"), STATE),
        "pulls_behind": False,
        "discussions_head": HEAD.model_dump(),
        "repository": None,
        "about": "v",
        "commit_comments": True,
        "stopped": [],
        "files": {"docs/a.md": file_version(FILE)},
        "releases": {"r": "v"},
        "etags": {"tree": "t", "issues": "i"},
        "wiki": {"Home.md": "v"},
        "wiki_head": "c",
        "looked": None,
        "pulls_lack_details": False,
        **changes,
    }


def pushed(at: datetime) -> dict[str, Any]:
    """What a cursor keeps of a repository that was pushed to last at this time."""
    payload = {"id": 1, "pushed_at": at.isoformat()}
    return {"path": "repos/acme/api", "told_at": LATER.isoformat(), "etag": "e", "payload": payload}


def look(at: datetime) -> dict[str, Any]:
    return {"at": at.isoformat(), "activity": "head"}


def beginning(**changes: Any) -> dict[str, Any]:
    timelines = {"issues": EMPTY, "comments": START, "review_comments": START, "pulls": EMPTY, "discussions": EMPTY}
    fresh: dict[str, Any] = {"files": {}, "releases": {}, "etags": {}, "about": "", "commit_comments": False}
    return kept(**{**timelines, **fresh, "wiki": {}, "wiki_head": "", "discussions_head": None, **changes})


@pytest.mark.parametrize(
    ("cursor", "changes", "expected"),
    [
        (None, {}, beginning()),
        ({}, {}, beginning()),
        (kept(format=1), {}, beginning()),
        (kept(), {}, kept()),
        (
            kept(),
            {"branch": "next"},
            beginning(branch="next", files={"docs/a.md": ""}, releases={"r": ""}, wiki={"Home.md": "v"}, wiki_head="c"),
        ),
        (kept(wiki=None, wiki_head=None), {}, kept(wiki={}, wiki_head="")),
        (kept(), {"patterns": ()}, kept(patterns=[], files={"docs/a.md": ""}, etags={"issues": "i"})),
        (
            kept(patterns=None, files=None, releases=None, etags=None),
            {"patterns": ()},
            kept(patterns=[], files={}, releases={}, etags={}),
        ),
        (kept(readers=["public"]), {}, kept()),
        (kept(discussions_head=None), {}, kept(discussions_head=None)),
        (kept(etags={}), {"patterns": ()}, kept(patterns=[], files={"docs/a.md": ""}, etags={})),
    ],
)
def test_what_holds_of_an_earlier_cursor(
    cursor: dict[str, Any] | None, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert json.loads(json.dumps(resume(cursor, **changes).to_json())) == expected


@pytest.mark.parametrize("cursor", [None, kept(), kept(branch="old")])
def test_comments_begin_closer_to_their_end(cursor: dict[str, Any] | None) -> None:
    found = resume(cursor)
    assert found.comments.overlap == found.review_comments.overlap == timedelta(minutes=1)
    assert found.issues.overlap == found.discussions.overlap == timedelta(minutes=5)


def test_a_new_cursor_has_timelines_of_its_own() -> None:
    fresh = RepositoryCursor("main")
    assert fresh.comments.overlap == fresh.review_comments.overlap == COMMENT_OVERLAP
    assert fresh.comments is not fresh.review_comments
    assert fresh.patterns == ()


def test_a_checkpoint_does_not_change_with_its_cursor() -> None:
    found = resume(kept())
    before = found.to_json()
    found.files["new.md"] = found.releases["new"] = found.etags["new"] = found.wiki["new.md"] = "x"
    found.issues.recent["9"] = "x"
    assert before == kept()


@pytest.mark.parametrize(("etag", "expected"), [("new", "new"), (None, "i"), ("", "i")])
def test_an_etag_is_kept_where_the_server_gives_one(etag: str | None, expected: str) -> None:
    found = resume(kept())
    found.keep_etag("issues", etag)
    assert found.etags["issues"] == expected


@pytest.mark.parametrize(
    ("head", "read_at", "is_kept"),
    [
        (HEAD, NOON + OVERLAP, True),
        (HEAD, NOON + OVERLAP - SECOND, False),
        (DiscussionHead(total=0), NOON, True),
        (None, LATER, False),
    ],
)
def test_the_newest_discussion_is_kept_once_none_before_it_can_come(
    head: DiscussionHead | None, read_at: datetime, is_kept: bool
) -> None:
    found = resume(kept())
    found.keep_head(head, read_at)
    assert found.discussions_head == (head if is_kept else None)


def test_a_file_is_known_in_its_version() -> None:
    found = resume(kept())
    assert file_version(FILE) == "1000123456789abcdef"
    assert found.has(FILE)
    for other in (
        ("docs/b.md", FILE.sha, FILE.mode),
        (FILE.path, "e" * 40, FILE.mode),
        (FILE.path, FILE.sha, "120000"),
    ):
        assert not found.has(GitFile(*other, size=3))


@pytest.mark.parametrize(
    ("changes", "since", "is_quiet"),
    [
        ({}, LATER, True),
        ({}, NOON, False),
        ({"pulls": START}, LATER + SECOND, True),
        ({"pulls": START}, LATER, False),
        ({"repository": pushed(LATER)}, LATER + SECOND, True),
        ({"repository": pushed(LATER)}, LATER, False),
        ({"stopped": ["issues"], "pulls_behind": True}, LATER, True),
        ({"files": {"docs/a.md": f"?{file_version(FILE)}"}}, LATER, False),
        (dict.fromkeys(("issues", "comments", "review_comments", "pulls", "discussions"), EMPTY), LATER, False),
    ],
)
def test_a_repository_is_as_before_where_all_is_read_and_nothing_happened_for_a_day(
    changes: dict[str, Any], since: datetime, is_quiet: bool
) -> None:
    """What is refused shows in its head once it is granted."""
    now = since + QUIET_AFTER
    assert as_read(kept(looked=look(now), **changes)).is_as_before("head", now) is is_quiet


@pytest.mark.parametrize(
    ("looked", "is_believed"),
    [
        (timedelta(), True),
        (LOOK_EVERY - SECOND, True),
        (LOOK_EVERY, False),
        (-SECOND, False),
    ],
)
def test_a_head_is_believed_for_some_hours(looked: timedelta, is_believed: bool) -> None:
    now = LATER + QUIET_AFTER
    found = as_read(kept(looked=look(now - looked)))
    assert found.is_as_before("head", now) is is_believed
    assert not found.is_as_before("another", now)
    assert not as_read(kept()).is_as_before("head", now)


def test_what_a_read_has_left_is_known_whatever_the_settings_are_now() -> None:
    assert as_read(kept(patterns=["docs/**"])).files == kept()["files"]
    assert as_read(kept(branch="other", patterns=[])).to_json() == kept(branch="other", patterns=[])
