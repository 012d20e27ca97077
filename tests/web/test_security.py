"""What must hold for every page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from mailbot.config import listen_address
from mailbot.web.pages import STATIC
from mailbot.web.server import create_server
from tests.web.conftest import ROOT, World, add_case, add_quarantined, first_request, make_world
from tests.web.fakes import GOOD

SAFE = ("GET", "HEAD", "OPTIONS")


def _paths(world: World) -> Iterator[str]:
    """Every path of the site, its parameters filled with values that exist."""
    reference, quarantined = add_case(world.store), add_quarantined(world.store)
    request = first_request(world.store, reference)
    values = {
        "reference": reference,
        "request_id": str(request.id),
        "message_id": quarantined,
        "file": "1",
        "action": "approve",
    }
    yield "/api/v1/openapi.json"
    for path in world.client.get("/api/v1/openapi.json").json()["paths"]:
        yield "/api/v1" + path.format(**values)
    for route in world.site.routes:
        if isinstance(route, Route):
            token = world.link().removeprefix("/u/") if route.path.startswith("/u/") else GOOD
            yield route.path.format(token=token, **values)


def _state(world: World) -> list[str]:
    with world.store.engine.connect() as connection:
        return list(connection.connection.driver_connection.iterdump())


def test_get_head_and_options_never_change_anything(world: World) -> None:
    """Law 6, over every route, for a stranger and for staff who are logged in."""
    paths = sorted(set(_paths(world)))
    assert len(paths) > 25
    world.log_in()
    before = _state(world)
    for path in paths:
        for method in SAFE:
            world.client.request(method, path, headers=world.bearer())
    assert _state(world) == before
    assert world.deeds.done == []


def test_every_answer_has_the_security_headers(world: World) -> None:
    for path in [*_paths(world), "/nothing", "/static/site.css", "/static/nothing"]:
        headers = world.client.get(path, follow_redirects=False).headers
        csp = headers["content-security-policy"]
        assert "default-src 'self'" in csp
        assert "frame-ancestors 'none'" in csp
        assert "unsafe" not in csp
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["strict-transport-security"]
        expected = "public, max-age=86400" if path.startswith("/static/") else "no-store"
        assert headers["cache-control"] == expected


def test_plain_http_promises_no_https(tmp_path: Path) -> None:
    world = make_world(tmp_path, public_url="http://127.0.0.1:8025")
    assert "strict-transport-security" not in world.client.get("/").headers


def test_no_page_has_inline_script_style_or_foreign_address(world: World) -> None:
    for template in (ROOT / "templates" / "web").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert "<style" not in text
        assert "style=" not in text
        assert " onclick" not in text
        assert "https://" not in text
        for script in text.split("<script")[1:]:
            assert script.startswith(' src="{{ asset(')


def test_our_style_sheet_loads_nothing_from_elsewhere() -> None:
    assert "data:" not in (STATIC / "site.css").read_text().replace("no data:", "")
    assert "http" not in (STATIC / "site.css").read_text()


def test_vendored_files_have_version_and_licence_beside_them() -> None:
    vendor = STATIC / "vendor"
    said = (vendor / "README.md").read_text()
    for file in vendor.iterdir():
        assert file.name == "README.md" or file.name in said


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405(world: World, method: str) -> None:
    assert world.client.request(method, world.link()).status_code == 405


def test_the_server_writes_no_access_log(world: World) -> None:
    """Paths hold tokens."""
    assert create_server(world.site, world.parts.config).config.access_log is False


@pytest.mark.parametrize("written", ["8025", ":8025", "host", "host:99999", "host:x"])
def test_a_wrong_listen_address_is_named(written: str) -> None:
    with pytest.raises(Exception, match=r"web\.listen"):
        listen_address(written)


def test_an_ipv6_address_may_be_listened_on() -> None:
    assert listen_address("[::1]:8025") == ("::1", 8025)
