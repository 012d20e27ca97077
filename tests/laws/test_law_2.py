"""Law 2: nothing without proof. Control is proven by a token sent to the address on file, and by nothing else."""

from __future__ import annotations

from email.utils import parseaddr

import pytest

from mailbot.core.token import spell, token_in
from mailbot.demo.world import PRIVACY
from tests.world import ALICE, CAMILLE, DELETE_EN, MALLORY, VERA, World, plain


@pytest.fixture
def asked(world: World) -> World:
    """Camille's deletion waits for her proof."""
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    return world


def reply_to(world: World) -> str:
    """The address that carries Camille's token."""
    return parseaddr(str(world.letters(CAMILLE)[0]["Reply-To"]))[1]


def unchanged(world: World) -> bool:
    """Camille's account is there, and nobody's deletion is under way."""
    is_there = world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(1,)]
    return is_there and world.states(CAMILLE)[0][1] in ("awaiting_proof", "awaiting_staff", "expired")


def test_the_question_goes_to_the_address_on_file_whatever_reply_to_says(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN, headers={"Reply-To": MALLORY})
    assert [mail.recipients for mail in world.sent()] == [(CAMILLE,)]


def test_a_yes_from_another_sender_confirms_nothing(asked: World) -> None:
    asked.write(MALLORY, "Re: confirm", "Yes\n", to=reply_to(asked))
    assert unchanged(asked)
    assert asked.letters(MALLORY) == []


def test_a_yes_from_a_forged_sender_confirms_nothing(asked: World) -> None:
    asked.write(CAMILLE, "Re: confirm", "Yes\n", to=reply_to(asked), signed=False)
    assert unchanged(asked)


def test_a_yes_of_a_machine_confirms_nothing(asked: World) -> None:
    asked.write(
        CAMILLE, "Automatic reply", "Yes\n", to=reply_to(asked), headers={"Auto-Submitted": "auto-replied"}
    )
    assert asked.states(CAMILLE) == [("deletion", "awaiting_proof")]


def test_a_yes_in_the_quoted_text_confirms_nothing(asked: World) -> None:
    asked.write(CAMILLE, "Re: confirm", "Who are you?\n\n> Yes\n> Yes, please.\n", to=reply_to(asked))
    assert unchanged(asked)


def test_a_yes_with_a_condition_confirms_nothing(asked: World) -> None:
    asked.write(CAMILLE, "Re: confirm", "Yes, but keep my webinars please.\n", to=reply_to(asked))
    assert asked.states(CAMILLE)[0] == ("deletion", "awaiting_staff")


def test_a_no_withdraws(asked: World) -> None:
    asked.write(CAMILLE, "Re: confirm", "No\n", to=reply_to(asked))
    assert asked.states(CAMILLE) == [("deletion", "withdrawn")]


def test_a_token_that_has_ended_opens_nothing(asked: World) -> None:
    path = asked.newest_link(CAMILLE, "/c/")
    asked.clock.forward(days=30, seconds=1)
    assert asked.client.post(path, data={"action": "confirm"}).status_code == 404
    asked.write(CAMILLE, "Re: confirm", "Yes\n", to=reply_to(asked))
    assert asked.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(1,)]


def test_a_token_opens_once(asked: World) -> None:
    path = asked.newest_link(CAMILLE, "/c/")
    asked.press(path, "cancel")
    assert asked.client.post(path, data={"action": "confirm"}).status_code == 404
    assert asked.states(CAMILLE) == [("deletion", "withdrawn")]


def test_a_token_of_another_purpose_opens_nothing(asked: World) -> None:
    """The token of the status page, and the one of our envelope, are no proof of anything."""
    asked.write(ALICE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
    status = asked.newest_link(ALICE, "/case/").rpartition("/")[2]
    envelope = token_in(asked.sent()[0].envelope_from, "bounces@myownconference.com")
    assert envelope is not None
    for token in (status, envelope, spell(bytes(20)), "a" * 32, "../../etc"):
        for kind, action in (("c", "confirm"), ("h", "agree"), ("x", "download")):
            assert asked.client.post(f"/{kind}/{token}", data={"action": action}).status_code == 404
        local, _, domain = PRIVACY.partition("@")
        asked.write(CAMILLE, "Re: confirm", "Yes\n", to=f"{local}+{token.replace('/', '')}@{domain}")
    assert unchanged(asked)


def test_the_case_reference_proves_nothing(asked: World) -> None:
    ((case, _),) = asked.requests(CAMILLE)
    asked.write(CAMILLE, f"Re: Please confirm [{case.reference}]", "Yes\n")
    assert unchanged(asked)


def test_who_says_it_was_not_them_stops_it_and_staff_are_told(asked: World) -> None:
    path = asked.newest_link(CAMILLE, "/c/")
    asked.press(path, "deny")
    assert asked.states(CAMILLE) == [("deletion", "awaiting_staff")]
    assert asked.client.post(path, data={"action": "confirm"}).status_code == 404


def test_an_address_that_is_not_on_file_gets_nothing_of_whom_it_leads_to(world: World) -> None:
    """From a former address of Alice's: her present one is asked, and the writer sees no field of hers."""
    former = "alice@example.com"
    world.write(former, "Delete my account", DELETE_EN)
    page = world.client.get(world.newest_link(former, "/c/")).text
    assert "Alice" not in page
    assert "visits" not in page
    world.confirm(former)
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=ALICE) == [(1,)]
    assert "/c/" in plain(world.letters(ALICE)[0])


def test_a_visitor_cannot_delete_the_account_of_a_host(world: World) -> None:
    world.write(
        VERA,
        "My data from your webinars",
        "I attended some webinars as a guest, I have no account. Please delete my personal data from them.\n",
    )
    world.confirm(VERA)
    assert world.platform("SELECT count(*) FROM accounts") == [(16,)]
