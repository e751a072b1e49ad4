"""Figures for Prometheus: of this process (requests, event loop), and of the work (every process tells the same)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter as Tally
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from redis.asyncio import Redis

from actions.figures import figures
from actions.store import Away, Store
from telephony.line_view import lines_now
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)

PATH = "/metrics"
ANSWER_S = 5.0
LOOK_AT_LOOP_S = 0.1
LAGS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Metrics:
    def __init__(self, store: Store, redis: Redis) -> None:
        self._store, self._redis = store, redis
        self._worst_lag = 0.0
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "burgernet_http_requests", "Requests", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram("burgernet_http_request_seconds", "Time to answer", ["route"], registry=registry)
        self._lag = Histogram(
            "burgernet_event_loop_lag_seconds", "How late the event loop wakes", buckets=LAGS, registry=registry
        )
        self._deliveries = Gauge(
            "burgernet_deliveries", "Deliveries of the last day", ["channel", "state"], registry=registry
        )
        self._open = Gauge("burgernet_open_actions", "Open actions", registry=registry)
        self._calls = Gauge("burgernet_calls_in_progress", "Calls going on", registry=registry)
        self._due = Gauge(
            "burgernet_oldest_due_delivery_seconds", "How long the oldest due delivery has waited", registry=registry
        )
        self._waiting = Gauge("burgernet_callers_waiting", "Callers in the line", ["room"], registry=registry)
        self._on_duty = Gauge("burgernet_operators_on_duty", "Operators on duty", ["room"], registry=registry)
        self._operators = Gauge(
            "burgernet_operators", "Operators by what they do", ["room", "state"], registry=registry
        )
        self._known = Gauge("burgernet_known", "Whether the figures could be read", ["source"], registry=registry)

    @property
    def count(self) -> Callable[[web.Request, Answer], Awaitable[web.StreamResponse]]:
        """A middleware that counts requests by the template of their route, never by their address."""

        @web.middleware
        async def count(request: web.Request, handler: Answer) -> web.StreamResponse:
            return await self._count(request, handler)

        return count

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self._tell)]

    async def watch_loop(self) -> None:
        """Measures how late the event loop wakes, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            planned = loop.time() + LOOK_AT_LOOP_S
            await asyncio.sleep(LOOK_AT_LOOP_S)
            late = max(0.0, loop.time() - planned)
            self._lag.observe(late)
            self._worst_lag = max(self._worst_lag, late)

    def worst_lag(self) -> float:
        """How late, in seconds, the event loop woke at worst since this was last asked."""
        worst, self._worst_lag = self._worst_lag, 0.0
        return worst

    async def _count(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "none"
        method = request.method if resource else "any"
        with self._seconds.labels(route).time():
            try:
                response = await handler(request)
            except web.HTTPException as plain:
                self._requests.labels(method, route, plain.status).inc()
                raise
        self._requests.labels(method, route, response.status).inc()
        return response

    async def _tell(self, _: web.Request) -> web.Response:
        await asyncio.gather(self._read_work(), self._read_lines())
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _read_work(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                found = await figures(self._store)
        except Away as away:
            log.warning("no figures: the database does not answer (%s)", type(away).__name__)
            self._known.labels("database").set(0)
            return
        self._known.labels("database").set(1)
        self._deliveries.clear()
        for (channel, state), count in found.deliveries.items():
            self._deliveries.labels(channel, state).set(count)
        self._open.set(found.open_actions)
        self._calls.set(found.calls_in_progress)
        self._due.set(found.oldest_due_s)

    async def _read_lines(self) -> None:
        try:
            lines = await lines_now(self._redis)
        except LineAway as away:
            log.warning("no figures of the waiting lines: %s", away)
            self._known.labels("redis").set(0)
            return
        self._known.labels("redis").set(1)
        self._waiting.clear()
        self._on_duty.clear()
        self._operators.clear()
        for room, line in lines.items():
            self._waiting.labels(room).set(line.waiting)
            self._on_duty.labels(room).set(len(line.on_duty))
            for state, count in Tally(operator.state for operator in line.operators).items():
                self._operators.labels(room, state).set(count)
