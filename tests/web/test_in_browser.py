"""The pages in a real browser, pressed as people press them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mailbot.store import suppressions
from tests.web.browser import browser, serving
from tests.web.conftest import PASSWORD, World, add_case, make_world
from tests.web.fakes import CORRECTION, GOOD

SLACK_MS = 20_000


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str, Page]]:
    """A site on loopback, and a browser that notes what it complains about."""
    folder: Path = tmp_path_factory.mktemp("site")
    world = make_world(folder, public_url="http://127.0.0.1", secure_cookies=False, api_key_env="")
    with serving(world.site) as url, browser() as chromium:
        page = chromium.new_context(locale="en-GB").new_page()
        page.set_default_timeout(SLACK_MS)
        yield world, url, page
    world.store.engine.dispose()


@pytest.fixture
def at(open_site: tuple[World, str, Page]) -> Iterator[tuple[World, str, Page]]:
    """The same, and at the end the browser must not have complained (a broken policy, a missing file)."""
    complaints: list[str] = []
    page = open_site[2]
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_site[0].deeds.done.clear()
    yield open_site
    assert complaints == []


def test_the_unsubscribe_button_works_and_can_be_taken_back(at: tuple[World, str, Page]) -> None:
    world, url, page = at
    page.goto(url + world.link())
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    with world.store.read() as tx:
        assert suppressions.is_suppressed(tx, "alice@example.org")
    page.get_by_role("button", name="I want promotional mail again").click()
    expect(page.get_by_role("heading", name="You are subscribed again")).to_be_visible()


def test_a_field_is_edited_then_confirmed_and_enter_alone_does_nothing(at: tuple[World, str, Page]) -> None:
    world, url, page = at
    page.goto(f"{url}/c/{GOOD}")
    name = page.get_by_label("Name", exact=True)
    name.fill("Alice Schmidt")
    name.press("Enter")
    assert world.deeds.done == []
    page.get_by_role("button", name="Yes, do this").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    ((what, fields),) = world.deeds.done
    assert what == "confirm"
    assert fields[str(CORRECTION)]["name"] == "Alice Schmidt"


def test_staff_log_in_open_a_case_and_refuse(at: tuple[World, str, Page]) -> None:
    world, url, page = at
    reference = add_case(world.store)
    add_case(world.store, language="fr")
    page.goto(url + "/staff/")
    page.get_by_label("Name").fill("stan")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Language").select_option("en")  # without pressing Filter: htmx
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name=f"Open case {reference}").click()
    expect(page.locator("mark").first).to_have_text("delete my account")
    page.get_by_text("Refuse", exact=True).click()
    page.get_by_label("Reason. The person reads it").fill("We hold no data of yours.")
    page.get_by_role("button", name="Refuse this request").click()
    expect(page.get_by_role("heading", name=f"Case {reference}")).to_be_visible()
    assert [deed[0] for deed in world.deeds.done] == ["opened", "refuse"]
    assert world.deeds.done[1][2] == "We hold no data of yours."


def test_the_queue_works_without_javascript(at: tuple[World, str, Page]) -> None:
    _, url, page = at
    chromium = page.context.browser
    assert chromium
    plain = chromium.new_context(java_script_enabled=False).new_page()
    plain.goto(url + "/staff/login")
    plain.get_by_label("Name").fill("stan")
    plain.get_by_label("Password").fill(PASSWORD)
    plain.get_by_role("button", name="Log in").click()
    plain.get_by_label("Language").select_option("fr")
    plain.get_by_role("button", name="Filter").click()
    expect(plain.locator("tbody tr")).to_have_count(1)
    plain.context.close()
