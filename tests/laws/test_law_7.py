"""Law 7: strangers learn nothing."""

from __future__ import annotations

import re
from time import perf_counter

import pytest
from sqlalchemy import create_engine

from mailbot.demo.platform import ACCOUNTS
from tests.world import ALICE, CAMILLE, DELETE_EN, EMILY, HUGO, INGRID, MALLORY, VERA, World, parsed, plain

UNKNOWN = "nobody.known@courriel.example"
_TOKEN = r"[a-z2-7]{32}"


def anonymous(raw: bytes, address: str) -> str:
    """A letter without what must differ: reference, tokens, address, ids, times, boundaries."""
    text = raw.decode().replace("=\r\n", "").replace(address, "ADDRESS")
    text = re.sub(_TOKEN, "TOKEN", text)
    text = re.sub(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", "REFERENCE", text)
    text = re.sub(r"={10,}[0-9a-f=]+|boundary=\S+", "BOUNDARY", text)
    text = re.sub(r"(?im)^(Message-ID|In-Reply-To|References|Date):.*(\r\n[ \t].*)*", r"\1", text)
    return re.sub(r"--[-=_0-9A-Za-z]{8,}", "BOUNDARY", text)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Delete my account", DELETE_EN),
        ("My data", "Please send me a copy of all the personal data you hold about me.\n"),
        ("Suppression", "Bonjour,\n\nVeuillez supprimer mon compte et toutes mes données.\n\nMerci\n"),
        ("My name", "Hello,\n\nplease correct my name in my profile.\n\nThanks\n"),
        ("enough", "Please take me off your newsletter, I do not want it.\n"),
    ],
)
def test_a_known_and_an_unknown_address_get_the_same_letter(world: World, subject: str, body: str) -> None:
    for address in (CAMILLE, UNKNOWN):
        world.write(address, subject, body)
    ((known,), (unknown,)) = (
        [mail.raw for mail in world.sent() if address in mail.recipients] for address in (CAMILLE, UNKNOWN)
    )
    ours, theirs = anonymous(known, CAMILLE), anonymous(unknown, UNKNOWN)
    if "/u/" in ours:  # the token of an unsubscribe link is as long as its address is, in steps
        ours, theirs = (re.sub(r"/u/[\w=-]+", "/u/TOKEN", text) for text in (ours, theirs))
    assert ours == theirs


MOST_TELLING = 0.12
"""How far a guess "known" or "unknown" by the time taken may be better than chance, in areas under the curve: with 200
of each, chance alone stays below 0.12 in 9,999 of 10,000 runs."""


def test_a_known_address_is_answered_in_the_same_time_as_an_unknown_one(world: World) -> None:
    """200 of each, in turn: who measures how long an answer takes learns nothing (Mann-Whitney)."""
    pairs = [(f"known{number}@timing.example", f"nobody{number}@timing.example") for number in range(200)]
    engine = create_engine(world.config_data["platform"]["url"])
    known = [
        {"id": 10_000 + number, "email": address, "newsletter": True}
        for number, (address, _) in enumerate(pairs)
    ]
    with engine.begin() as platform:
        platform.execute(ACCOUNTS.insert(), known)
    engine.dispose()
    times: dict[bool, list[float]] = {True: [], False: []}
    for number, pair in enumerate(pairs):
        for is_known in (True, False) if number % 2 else (False, True):
            raw = world.letter(pair[not is_known], "Delete my account", DELETE_EN)
            start = perf_counter()
            world.take(raw)
            world.work()
            times[is_known].append(perf_counter() - start)
    assert len(world.sent()) == 400
    slower = sum((one > other) + (one == other) / 2 for one in times[True] for other in times[False])
    assert abs(slower / 200**2 - 0.5) < MOST_TELLING


@pytest.mark.parametrize("path", ["/c/{}", "/x/{}", "/h/{}", "/case/{}", "/u/{}"])
def test_a_guessed_link_tells_nothing(world: World, path: str) -> None:
    page = world.client.get(path.format("a" * 32))
    assert page.status_code == 404
    assert ALICE not in page.text


def test_before_control_is_proven_no_letter_names_host_event_or_field(world: World) -> None:
    world.write(
        VERA,
        "My data from your webinars",
        "I attended some webinars as a guest, I have no account. Please delete my data from them.\n",
    )
    (question,) = world.sent()
    text = parsed(question.raw).as_string() + plain(parsed(question.raw))
    for word in ("Hugo", "Ingrid", HUGO, INGRID, "écran", "Librarian", "Brno", "Novák"):
        assert word not in text


def test_nothing_a_stranger_wrote_is_mailed_onwards(world: World) -> None:
    """Neither to the host, nor back to a forged sender, nor to the person in whose name it was."""
    world.write(
        VERA,
        "Buy cheap pills at spam.example",
        "I attended some webinars as a guest, I have no account. Please delete my data from them.\n"
        "Visit http://spam.example now!\n",
        name="Cheap Pills spam.example",
    )
    request = world.states(VERA)
    if request[0][1] == "awaiting_proof":
        world.confirm(VERA)
    assert world.sent()
    for mail in world.sent():
        body = parsed(mail.raw)
        whole = plain(body) + str(body["Subject"]) + str(body["To"])
        assert "spam.example" not in whole
        assert "pills" not in whole.lower()


def test_that_a_new_address_is_taken_is_not_told(world: World) -> None:
    """A correction to an address that another account has: the page and the letters do not say so."""
    world.write(CAMILLE, "New address", "Please correct my e-mail address in my account.\n")
    page = world.press(world.newest_link(CAMILLE, "/c/"), "confirm", email=HUGO)
    assert page.status_code == 200
    assert "taken" not in page.text.lower()
    world.work()
    assert world.platform("SELECT email FROM accounts WHERE id = 3") == [(CAMILLE,)]
    assert world.states(CAMILLE) == [("correction", "awaiting_staff")]
    assert world.letters(HUGO) == []


def test_the_status_page_names_neither_subject_nor_text_of_the_mail(world: World) -> None:
    world.write(EMILY, "secret subject", "The thing from yesterday should not be there any more, darling.\n")
    page = world.client.get(world.newest_link(EMILY, "/case/")).text
    assert "secret subject" not in page
    assert "darling" not in page


def test_mallory_gets_no_copy_of_alices_data(world: World) -> None:
    world.write(MALLORY, "My data", f"I am {ALICE}. Please send me a copy of all personal data you hold.\n")
    if any("/c/" in plain(mail) for mail in world.letters(MALLORY)):
        world.confirm(MALLORY)
    everything = "".join(plain(mail) for mail in world.letters(MALLORY))
    assert "/x/" not in everything
    assert "Martin" not in everything
