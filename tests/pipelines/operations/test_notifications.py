"""What people are told, and how."""

from __future__ import annotations

from contextlib import closing

import pytest
from pydantic import SecretStr

from pipelines.notification_settings import NotificationSettings
from pipelines.operations.notifications import NotificationRefused, compare_health, notify
from tests.emulators.posts import Posts

DOWN, SHUT = {"a": "the source does not answer"}, {"gate": "a check fails"}


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        ({}, DOWN, "In trouble: the source does not answer"),
        (DOWN, {}, "Over: the source does not answer\nAll is well."),
        (DOWN, SHUT, "In trouble: a check fails\nOver: the source does not answer"),
        (DOWN | SHUT, SHUT, "Over: the source does not answer"),
        (DOWN, {"a": "the source does not answer (9 attempts)"}, ""),
    ],
)
def test_a_change_is_told_and_nothing_else(before: dict[str, str], now: dict[str, str], text: str) -> None:
    change = compare_health(before, now)
    assert (change.text, bool(change)) == (text, bool(text))


def test_slack_is_sent_text_and_others_what_it_is_made_of() -> None:
    change = compare_health(SHUT, DOWN)
    with closing(Posts()) as posts:
        for kind in ("slack", "webhook"):
            notify(NotificationSettings.model_validate({"kind": kind, "url": posts.url}), change)
        slack, webhook = posts.bodies
    assert slack == {"text": change.text}
    assert webhook == {
        "status": "degraded",
        "begun": [{"key": "a", "text": "the source does not answer"}],
        "over": [{"key": "gate", "text": "a check fails"}],
        "text": change.text,
    }


def test_what_sources_say_is_no_mention_and_no_link_in_slack() -> None:
    with closing(Posts()) as posts:
        settings = NotificationSettings.model_validate({"kind": "slack", "url": posts.url})
        notify(settings, compare_health({}, {"a": "<!channel> see <https://example.com|this> & sign in"}))
        (posted,) = posts.bodies
    expected = "&lt;!channel&gt; see &lt;https://example.com|this&gt; &amp; sign in"
    assert posted == {"text": f"In trouble: {expected}"}


def test_what_does_not_take_it_is_named_without_the_secret() -> None:
    settings = NotificationSettings(kind="slack", url=SecretStr("http://127.0.0.1:9/secret"))
    with pytest.raises(NotificationRefused, match=r"^notifications\.url: ") as refused:
        notify(settings, compare_health({}, DOWN))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["ftp://host/x", "hooks.slack.com/x", "https:///x", "http://[/x"])
def test_other_addresses_are_refused_with_the_settings(url: str) -> None:
    with pytest.raises(ValueError, match=r"must start with http://|must be a URL with a host"):
        NotificationSettings(kind="slack", url=SecretStr(url))
