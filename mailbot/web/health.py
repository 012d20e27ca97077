"""/healthz and /metrics: for the machines that watch the machine. No personal data in any label."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from mailbot.core.workflow import State
from mailbot.store import brakes, cases, letters, messages, works
from mailbot.store.database import Transaction
from mailbot.web.forms import page
from mailbot.web.parts import Parts
from mailbot.web.security import STORE_IS_DOWN


class HealthPages:
    """Whether the service lives, and its figures."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Figures(parts))

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [page("/healthz", self.healthz), page("/metrics", self.metrics)]

    def healthz(self, _: Request) -> Response:
        """200 while intake, outbox and clock are alive, else 503 with what is not."""
        health = self._parts.health()
        said = {"status": "ok" if health.ok else "failing", **dict(health.parts), **self._stopped()}
        return JSONResponse(said, 200 if health.ok else 503)

    def _stopped(self) -> dict[str, str]:
        """The kinds of change that do not happen now; the service is well all the same."""
        try:
            with self._parts.store.read() as tx:
                kinds = brakes.stopped(tx)
        except STORE_IS_DOWN:
            return {}
        return {"stopped": ", ".join(sorted(kinds))} if kinds else {}

    def metrics(self, _: Request) -> Response:
        """The figures as Prometheus text."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class _Figures:
    """Read from the store at each scrape, so that they are true for all processes together."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """Every figure; only `mailbot_up` while the store is down."""
        now, health = self._parts.clock(), self._parts.health()
        yield GaugeMetricFamily("mailbot_up", "1 while every part of the service is alive", float(health.ok))
        if health.intake_at:
            age = (now - health.intake_at).total_seconds()
            yield GaugeMetricFamily("mailbot_intake_age_seconds", "Since mail was last looked for", age)
        try:
            with self._parts.store.read() as tx:
                figures = list(_of_store(tx, now))
        except STORE_IS_DOWN:
            return
        yield from figures


def _of_store(tx: Transaction, now: datetime) -> Iterator[Metric]:
    states = {state.value: 0 for state in State} | cases.count_by_state(tx)
    yield _by("mailbot_requests", "Requests in each state", "state", states)
    yield _by("mailbot_letters", "Letters in each state", "state", letters.count_by_state(tx))
    yield _by("mailbot_messages", "Messages taken in", "disposition", messages.count_by_disposition(tx))
    yield GaugeMetricFamily("mailbot_work_due", "Pieces of work that are due", works.count_due(tx, now))
    oldest = works.oldest_due(tx)
    waiting = max((now - oldest).total_seconds(), 0) if oldest else 0
    yield GaugeMetricFamily("mailbot_work_oldest_due_seconds", "How long the oldest work is due", waiting)


def _by(name: str, what: str, label: str, counts: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family
