"""What watches the service."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from starlette.testclient import TestClient

from mailbot.web.parts import Health
from mailbot.web.site import create_site
from tests.web.conftest import NOW, World, add_case, add_quarantined


def test_healthz_is_ok_while_every_part_lives(world: World) -> None:
    answer = world.client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "intake": "ok", "outbox": "ok", "clock": "ok"}


def test_healthz_is_503_and_says_what_does_not(world: World) -> None:
    ill = Health(
        False, {"intake": "no mail was looked for since 10:00", "outbox": "ok"}, NOW - timedelta(hours=1)
    )
    client = TestClient(create_site(replace(world.parts, health=lambda: ill)))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert "10:00" in answer.json()["intake"]
    assert "mailbot_up 0.0" in client.get("/metrics").text
    assert "mailbot_intake_age_seconds 3600.0" in client.get("/metrics").text


def test_metrics_count_and_name_nobody(world: World) -> None:
    add_case(world.store)
    add_quarantined(world.store)
    text = world.client.get("/metrics").text
    for line in (
        'mailbot_requests{state="awaiting_staff"} 1.0',
        'mailbot_requests{state="done"} 0.0',
        'mailbot_letters{state="sent"} 1.0',
        'mailbot_messages{disposition="quarantined"} 1.0',
        "mailbot_work_due 0.0",
        "mailbot_work_oldest_due_seconds 0.0",
        "mailbot_up 1.0",
    ):
        assert line in text
    assert "alice" not in text
    assert "example" not in text


def test_metrics_survive_a_store_that_is_down(world: World) -> None:
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE letter")
    answer = world.client.get("/metrics")
    assert answer.status_code == 200
    assert "mailbot_up" in answer.text
    assert "mailbot_requests" not in answer.text
