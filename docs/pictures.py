"""The pictures of the README, made by the demo itself: its table, a confirm page and the staff queue.

`python -m docs.pictures` (part of `make docs`); needs Chromium.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from mailbot.app import App, utc_now
from mailbot.demo.people_at_work import Plays
from mailbot.demo.run import STAFF_NAME, play_all, start_mailbot, table
from mailbot.demo.samples import SAMPLES
from mailbot.demo.world import World, start_world

IMAGES = Path(__file__).parent / "images"
_CHROMIUM = "/usr/bin/chromium"
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)


def main() -> None:
    """Every picture is made anew in docs/images."""
    IMAGES.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = start_world(folder, stack, utc_now())
        app, password = start_mailbot(world, None, stack)
        say = Console(record=True, width=150)
        say.print(table(play_all(world, app, say), 0.0))
        say.save_svg(str(IMAGES / "demo.svg"), title="mailbot demo")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, headless=True, args=list(_FLAGS))
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            _confirm_page(page, world, app)
            _queue(page, app, password)
            browser.close()


def _confirm_page(page: Page, world: World, app: App) -> None:
    """Somebody asks once more, and opens the link that came."""
    plays = Plays(world, app)
    sample = next(one for one in SAMPLES if one.name == "deletion-fr")
    asker = next(one for one in SAMPLES if one.name == "access-by-mail-en")
    already = len(world.smtp.mails_for(asker.person.address))
    plays.write(sample.written_by(asker.role))
    page.goto(plays.link(plays.answer_to(asker.person.address, already + 1), "/c/"))
    page.screenshot(path=str(IMAGES / "confirm.png"), full_page=True)


def _queue(page: Page, app: App, password: str) -> None:
    page.goto(f"{app.config.web.public_url}/staff/")
    page.get_by_label("Name").fill(STAFF_NAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.screenshot(path=str(IMAGES / "queue.png"), full_page=True)


if __name__ == "__main__":
    main()
