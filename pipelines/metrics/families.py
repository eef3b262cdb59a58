"""Figures in Prometheus' form (https://prometheus.io/docs/practices/naming/). Pure.

Labels are ids that operators have chosen or sources have given. Names of units and groups, titles, errors and
addresses stay out: whoever reaches the figures reads them, and some of those are what only few may know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pipelines.catalog.freshness import Freshness
from pipelines.catalog.memberships import MembershipsAge
from pipelines.catalog.publications import PublishedIndex
from pipelines.catalog.totals import Total, TotalName
from pipelines.catalog.workload import LeaseCounts
from pipelines.metrics.unit_ages import UnitAges
from pipelines.operations.costs import Costs
from pipelines.operations.health import Health

_TOTALS: dict[TotalName, tuple[str, str, tuple[str, ...]]] = {
    "requests": ("headrace_source_requests", "Requests to sources", ("connection",)),
    "documents": ("headrace_documents_processed", "Objects by what became of them", ("connection", "outcome")),
    "chunks": ("headrace_chunks_indexed", "Chunks written to the index, or removed", ("connection", "change")),
    "stage_seconds": ("headrace_stage_seconds", "Time that stages have taken", ("connection", "stage")),
    "embedding_requests": ("headrace_embedding_requests", "Requests for vectors of documents", ("connection",)),
    "embedding_inputs": ("headrace_embedding_inputs", "Texts that the provider has embedded", ("connection",)),
    "embedding_cached": ("headrace_embedding_cached_inputs", "Texts whose vectors were known", ("connection",)),
    "embedding_tokens": ("headrace_embedding_tokens", "Tokens of embedded texts", ("connection",)),
    "embedding_cost_usd": ("headrace_embedding_cost_usd", "Price of embedded texts in US dollars", ("connection",)),
    "errors": ("headrace_errors", "What has failed, by what it failed on", ("connection", "cause")),
    "events": ("headrace_events", "Events by what became of them", ("connection", "outcome")),
}
"""Name, help and labels of each total. The suffix `_total` is added to the name."""


_OWN = ("connection",)


def memberships(ages: Mapping[str, MembershipsAge]) -> Iterable[Metric]:
    age = GaugeMetricFamily(
        "headrace_memberships_age_seconds",
        "Time since the members of that group were read that was read longest ago",
        labels=["connection"],
    )
    unreadable = GaugeMetricFamily(
        "headrace_unreadable_groups", "Groups whose members could not be read the last time", labels=["connection"]
    )
    now = datetime.now(UTC)
    for connection, one in ages.items():
        unreadable.add_metric([connection], one.unreadable)
        if one.oldest_read:
            age.add_metric([connection], (now - one.oldest_read).total_seconds())
    return (age, unreadable)


def revocations(counts: Mapping[str, int]) -> Iterable[Metric]:
    what = "Rights that were taken away and that what is published does not carry yet"
    gauge = GaugeMetricFamily("headrace_revocations_in_force", what, labels=["connection"])
    for connection, count in counts.items():
        gauge.add_metric([connection], count)
    return (gauge,)


def health(found: Health) -> Iterable[Metric]:
    age = GaugeMetricFamily(
        "headrace_incident_age_seconds", "Time since something is in trouble", labels=["kind", "connection"]
    )
    dead = GaugeMetricFamily("headrace_dead_letters", "Events that were given up", labels=["connection"])
    gate = GaugeMetricFamily("headrace_gate_open", "Whether what is indexed is published: 0 while a check fails")
    now, ages = datetime.now(UTC), dict[tuple[str, str], float]()
    for one in found.incidents:
        known = (one.kind, one.connection)  # several activities of a connection may fail in the same way
        ages[known] = max(ages.get(known, 0.0), (now - one.since).total_seconds())
        if one.kind == "dead_letters":
            dead.add_metric([one.connection], one.events)
    for labels, seconds in ages.items():
        age.add_metric(labels, seconds)
    gate.add_metric([], float(all(one.kind != "gate" for one in found.incidents)))
    return (age, dead, gate)


def inbox(
    named: Sequence[str], backlog: Mapping[str, tuple[int, datetime]], deferred: Mapping[str, int]
) -> Iterable[Metric]:
    waiting = GaugeMetricFamily("headrace_inbox_events", "Events that wait", labels=["connection"])
    age = GaugeMetricFamily(
        "headrace_inbox_oldest_age_seconds", "Time since the oldest event came that waits", labels=["connection"]
    )
    later = GaugeMetricFamily(
        "headrace_inbox_deferred_events",
        "Events that wait for another process to leave their unit, or for the end of a pause",
        labels=["connection"],
    )
    now = datetime.now(UTC)
    for connection in named:
        count, since = backlog.get(connection, (0, now))
        waiting.add_metric([connection], count)
        age.add_metric([connection], (now - since).total_seconds())
        later.add_metric([connection], deferred.get(connection, 0))
    return (waiting, age, later)


def connections(found: Iterable[Freshness]) -> Iterable[Metric]:
    """One of which a unit was never read has no age: `headrace_units` counts that unit."""
    age = GaugeMetricFamily(
        "headrace_connection_success_age_seconds",
        "Time since that unit was read to its end that was read longest ago",
        labels=["connection"],
    )
    late = GaugeMetricFamily(
        "headrace_connection_late", "Whether that is longer than the schedule allows", labels=["connection"]
    )
    paused = GaugeMetricFamily("headrace_connection_paused", "Whether it is paused", labels=["connection"])
    for one in found:
        if one.lag is not None:
            age.add_metric([one.connection], one.lag.total_seconds())
        late.add_metric([one.connection], float(one.late))
        paused.add_metric([one.connection], float(one.paused))
    return (age, late, paused)


def units(found: Mapping[str, UnitAges]) -> Iterable[Metric]:
    """By unit only so many of a connection as `unit_ages` selects."""
    age = GaugeMetricFamily(
        "headrace_unit_success_age_seconds",
        "Time since a unit was read to its end; in large connections of late units alone",
        labels=["connection", "unit"],
    )
    count = GaugeMetricFamily(
        "headrace_units", "Units that are neither gone nor paused", labels=["connection", "state"]
    )
    for connection, one in found.items():
        for unit, seconds in one.seconds.items():
            age.add_metric([connection, unit], seconds)
        states = {"in_time": one.total - one.late - one.unread, "late": one.late, "unread": one.unread}
        for state, number in states.items():
            count.add_metric([connection, state], number)
    return (age, count)


def documents(named: Sequence[str], by_unit: Mapping[tuple[str, str], Mapping[str, int]]) -> Iterable[Metric]:
    gauge = GaugeMetricFamily("headrace_documents", "Objects in the ledger", labels=["connection", "status"])
    counts: Counter[tuple[str, str]] = Counter()
    for (connection, _), statuses in by_unit.items():
        counts.update({(connection, status): number for status, number in statuses.items()})
    for (connection, status), number in counts.items():
        if connection in named:
            gauge.add_metric([connection, status], number)
    return (gauge,)


def index(published: PublishedIndex | None, checks: Mapping[str, bool]) -> Iterable[Metric]:
    points = GaugeMetricFamily("headrace_index_points", "Points in the index as it was published last")
    count = GaugeMetricFamily("headrace_index_documents", "Documents in the index as it was published last")
    age = GaugeMetricFamily("headrace_publication_age_seconds", "Time since the index was published last")
    passed = GaugeMetricFamily(
        "headrace_gate_check_passed", "Whether a check of the gate passed when it was made last", labels=["check"]
    )
    if published:
        points.add_metric([], published.points)
        count.add_metric([], published.documents)
        age.add_metric([], (datetime.now(UTC) - published.published_at).total_seconds())
    for name, found in checks.items():
        passed.add_metric([name.replace(" ", "_")], float(found))
    return (points, count, age, passed)


def costs(found: Mapping[str, Costs]) -> Iterable[Metric]:
    """Of questions, which are no connection's, without the label. Days and months are those of UTC."""
    tokens = GaugeMetricFamily(
        "headrace_spent_today_tokens", "Tokens embedded today (UTC); without a connection: of questions", labels=_OWN
    )
    usd = GaugeMetricFamily("headrace_spent_today_usd", "What those of today cost, in US dollars", labels=_OWN)
    month = GaugeMetricFamily("headrace_spent_month_usd", "What those of this month cost, in US dollars", labels=_OWN)
    requests = GaugeMetricFamily("headrace_spent_today_requests", "Requests to sources today (UTC)", labels=_OWN)
    unanswered = GaugeMetricFamily(
        "headrace_unanswered_today_tokens", "Tokens under way, or sent by processes that were killed", labels=_OWN
    )
    for connection, one in found.items():
        tokens.add_metric([connection], one.spending.today.tokens)
        usd.add_metric([connection], one.spending.today.cost_usd)
        month.add_metric([connection], one.spending.month.cost_usd)
        requests.add_metric([connection], one.spending.today.source_requests)
        unanswered.add_metric([connection], one.spending.today.unanswered_tokens)
    return (tokens, usd, month, requests, unanswered)


def budgets(found: Mapping[str, Costs]) -> Iterable[Metric]:
    """Of connections that have one."""
    used = GaugeMetricFamily(
        "headrace_budget_used_ratio", "How much of a budget is spent: 1 is all of it", labels=["connection", "limit"]
    )
    spent = GaugeMetricFamily(
        "headrace_budget_spent", "Whether nothing may be embedded until the day or month ends", labels=_OWN
    )
    waiting = GaugeMetricFamily("headrace_budget_waiting_documents", "Documents that wait for a budget", labels=_OWN)
    for connection, one in found.items():
        if one.budget is None:
            continue
        for limit, ratio in one.budget.used.items():
            used.add_metric([connection, limit], ratio)
        spent.add_metric([connection], float(one.budget.is_spent))
        waiting.add_metric([connection], one.waiting_documents)
    return (used, spent, waiting)


def leases(counts: LeaseCounts) -> Iterable[Metric]:
    gauge = GaugeMetricFamily("headrace_leases", "Units and runs that processes hold", labels=["state"])
    gauge.add_metric(["held"], counts.held)
    gauge.add_metric(["expired"], counts.expired)
    return (gauge,)


def totals(counted: Mapping[Total, float]) -> Iterable[Metric]:
    found = {
        name: CounterMetricFamily(metric, f"{text}, by all processes", labels=labels)
        for name, (metric, text, labels) in _TOTALS.items()
    }
    for one, value in counted.items():
        labels = _TOTALS[one.name][2]
        found[one.name].add_metric([one.connection, one.kind][: len(labels)], value)
    return found.values()
