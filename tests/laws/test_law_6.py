"""Law 6: GET changes nothing. Scanners that follow links harm nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import ALICE, CAMILLE, DELETE_EN, EMILY, INGRID, VERA, Builder, World

READING = ("GET", "HEAD", "OPTIONS")


@pytest.fixture(scope="module")
def linked(
    builder: Builder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, dict[str, str]]]:
    """A mailbot that has sent a link of every kind, and these links."""
    folder: Path = tmp_path_factory.mktemp("linked")
    builder.smtp.clear()
    with builder.world(folder) as world:
        world.write(CAMILLE, "Delete my account", DELETE_EN)
        world.write(EMILY, "enough", "Please take me off your newsletter.\n")
        world.write(ALICE, "My data", "Please send me a copy of all the personal data you hold about me.\n")
        world.confirm(ALICE)
        world.write(
            VERA,
            "My data from your webinars",
            "I attended some webinars as a guest, I have no account. Please delete my data from them.\n",
        )
        world.confirm(VERA)
        world.write(ALICE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
        yield (
            world,
            {
                "/c/": world.newest_link(CAMILLE, "/c/"),
                "/u/": world.newest_link(EMILY, "/u/"),
                "/x/": world.newest_link(ALICE, "/x/"),
                "/h/": world.newest_link(INGRID, "/h/"),
                "/case/": world.newest_link(ALICE, "/case/"),
            },
        )


@pytest.mark.parametrize("method", READING)
@pytest.mark.parametrize("kind", ["/c/", "/u/", "/x/", "/h/", "/case/"])
def test_reading_a_link_changes_no_row_and_leaves_it_usable(
    linked: tuple[World, dict[str, str]], kind: str, method: str
) -> None:
    world, links = linked
    before, platform = world.dump(), world.platform("SELECT count(*) FROM registrations")
    for _ in range(2):
        world.client.request(method, links[kind])
        world.client.request(method, f"{links[kind]}?action=confirm&action=unsubscribe&action=download")
    assert world.dump() == before
    assert world.platform("SELECT count(*) FROM registrations") == platform
    assert world.client.get(links[kind]).status_code == 200


@pytest.mark.parametrize("kind", ["/c/", "/u/", "/x/", "/h/"])
@pytest.mark.parametrize("body", [{}, {"action": ""}, {"action": "show"}, {"x": "1"}])
def test_posting_anything_but_our_button_changes_nothing(
    linked: tuple[World, dict[str, str]], kind: str, body: dict[str, str]
) -> None:
    world, links = linked
    before = world.dump()
    assert world.client.post(links[kind], data=body).status_code in (400, 404, 422)
    assert world.dump() == before


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/robots.txt", "/staff/", "/staff/login"])
def test_other_pages_change_nothing_when_read(linked: tuple[World, dict[str, str]], path: str) -> None:
    world, _ = linked
    before = world.dump()
    for method in READING:
        world.client.request(method, path)
    assert world.dump() == before


def test_used_ended_and_unknown_links_look_the_same(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    used = world.newest_link(CAMILLE, "/c/")
    world.press(used, "cancel")
    world.write(EMILY, "Delete my account", DELETE_EN)
    ended = world.newest_link(EMILY, "/c/")
    world.clock.forward(days=31)
    pages = [world.client.get(path) for path in (used, ended, "/c/" + "a" * 32, "/c/x", f"/h/{used[3:]}")]
    assert {(page.status_code, page.text) for page in pages} == {(404, pages[0].text)}
