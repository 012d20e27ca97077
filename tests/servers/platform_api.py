"""A platform that is reached by its API: the demo platform behind a small real HTTP server, with faults on order."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select

from mailbot.core.plan import Deletion, Plan, PlanGrew, Unsubscribe
from mailbot.platform import http_models as models
from mailbot.platform.http_signature import IDEMPOTENCY_KEY, KEY_ID, SIGNATURE, TIMESTAMP, is_signed
from mailbot.platform.sql import SqlPlatform
from mailbot.platform.sql_find import rows_of, who_is
from mailbot.platform.sql_schema import primary_key
from tests.servers.dovecot import free_ports

SECRET = b"0123456789abcdef0123456789abcdef"
PAGE = 50


@dataclass
class PlatformApi:
    """`faults[path]` are met one after the other, then it works: a status, "lost" (done, but the answer never comes),
    "slow", "wrong" (no such answer), "huge", or headers to be sent with a status."""

    platform: SqlPlatform
    faults: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    asked: list[tuple[str, str]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    plans: dict[str, Plan] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}/mailbot"
        config = uvicorn.Config(
            self._application, "127.0.0.1", self.port, log_level="error", lifespan="off", interface="asgi3"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        what = scope["path"].removeprefix("/mailbot/")
        key = request.headers.get(IDEMPOTENCY_KEY, "")
        self.asked.append((what, key))
        self.urls.append(str(request.url))
        fault = self.faults[what].pop(0) if self.faults[what] else None
        response = await self._answer(request, what, key, body, fault)
        if fault == "lost":
            start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]}
            await send(start)
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, what: str, key: str, body: bytes, fault: Any) -> Response:
        signature = request.headers.get(SIGNATURE, "")
        stamp = request.headers.get(TIMESTAMP, "")
        is_ours = request.headers.get(KEY_ID) == "mailbot"
        if not is_ours or not is_signed(
            SECRET, "POST", request.url.path, stamp, key, body, signature, time.time()
        ):
            return Response(status_code=401)
        match fault:
            case None | "lost":
                return await asyncio.to_thread(self._work, what, key, body)
            case "slow":
                await asyncio.sleep(3)
                return Response(status_code=500)
            case "wrong":
                return JSONResponse({"rows": "many", "subjects": 7, "receives": "perhaps"})
            case "huge":
                return Response(b" " * 5_000_000)
            case (int() as status, dict() as headers):
                return Response(status_code=status, headers=headers)
            case (int() as status, str() as code):
                return JSONResponse({"code": code}, status_code=status)
            case status:
                return Response(status_code=status)

    def _work(self, what: str, key: str, body: bytes) -> Response:
        if what == "file":
            return self._file(body)
        try:
            answer = getattr(self, f"_{what}")(body, key)
        except PlanGrew as grew:
            return JSONResponse({"code": "grew", "places": grew.places}, status_code=409)
        return Response(answer.model_dump_json(), media_type="application/json")

    def _describe(self, body: bytes, key: str) -> models.Described:
        places: dict[str, tuple[str, ...]] = {}
        for place in self.platform._schema.data_map.places:
            columns = (*places.get(place.name, ()), *(rule.name for rule in place.columns))
            places[place.name] = tuple(dict.fromkeys(columns))
        return models.Described(places=places)

    def _find(self, body: bytes, key: str) -> models.Found:
        return models.Found(subjects=self.platform.find(models.OfAddress.model_validate_json(body).address))

    def _events(self, body: bytes, key: str) -> models.Events:
        return models.Events(events=self.platform.events(models.OfSubject.model_validate_json(body).subject))

    def _records(self, body: bytes, key: str) -> models.Records:
        wanted = models.WantedRecords.model_validate_json(body)
        schema = self.platform._schema
        place = next(
            one for one in schema.data_map.places_of(wanted.subject.capacity) if one.name == wanted.place
        )
        table, start = schema.table(place.table), int(wanted.cursor or 0)
        with schema.reading() as connection:
            mine = rows_of(schema, place, who_is(connection, schema, wanted.subject))
            query = select(table).where(mine).order_by(*primary_key(table)).offset(start).limit(PAGE)
            rows = [
                {name: _plain(value) for name, value in row._mapping.items()}
                for row in connection.execute(query)
            ]
        return models.Records(rows=tuple(rows), next=str(start + PAGE) if len(rows) == PAGE else None)

    def _file(self, body: bytes) -> Response:
        wanted = models.WantedFile.model_validate_json(body)
        found = self.platform._files.open(wanted.path)
        return Response(status_code=404) if found is None else Response(found.read())

    def _plan(self, body: bytes, key: str) -> models.Planned:
        plan = self.platform.plan(models.Wanted.model_validate_json(body).change)
        if isinstance(plan.change, Deletion):
            self.plans.setdefault(plan.change.subject.key, plan)
        return models.Planned(
            steps=tuple(
                models.Step(
                    place=one.place,
                    action=one.action,
                    rows=one.rows,
                    fields=one.fields,
                    digest=one.digest,
                    until=one.until,
                    why=one.why,
                )
                for one in plan.steps
            ),
            vetoes=tuple(
                models.Veto(id=veto.partition(": ")[0], reason=veto.partition(": ")[2])
                for veto in plan.vetoes
            ),
            refusals=plan.refusals,
            identifiers=plan.identifiers,
        )

    def _apply(self, body: bytes, key: str) -> models.Done:
        ordered = models.Ordered.model_validate_json(body)
        applied = self.platform.apply(self.platform.plan(ordered.change), key)
        if not applied.again:
            self.applied.append(key)
        return models.Done(
            rows=applied.rows, files=applied.files, again=applied.again, refusals=applied.refusals
        )

    def _leftovers(self, body: bytes, key: str) -> models.Leftovers:
        change = models.Asked.model_validate_json(body).change
        assert isinstance(change, Deletion)
        found = self.platform.read_back(change, self.plans[change.subject.key])
        return models.Leftovers(findings=found.findings, unmapped=found.unmapped)

    def _promotion(self, body: bytes, key: str) -> models.Promotion:
        change = Unsubscribe(models.OfAddress.model_validate_json(body).address)
        return models.Promotion(receives=not self.platform.read_back(change, self.platform.plan(change)).ok)


def _plain(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
