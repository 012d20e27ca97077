"""Law 8: quotes don't ask. Intent, tokens and links count only in what the person wrote anew."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from mailbot.store import suppressions
from tests.world import ALICE, CAMILLE, EMILY, World, plain

QUOTED = {
    "angle brackets": "What is this?\n\nOn Monday you wrote:\n> Please delete my account and all my data.\n",
    "original message": "What do you mean?\n\n-----Original Message-----\nFrom: somebody\nSent: Monday\nSubject: x\n\n"
    "Please delete my account and all my data.\n",
    "forwarded": "What is this?\n\n---------- Forwarded message ---------\nFrom: X <x@example.org>\n"
    "Subject: hi\n\nPlease delete my account and all my data.\n",
    "underscores": "What do you mean?\n\n________________________________\nFrom: X\nSent: Monday\nTo: Y\nSubject: z\n\n"
    "Please delete my account and all my data.\n",
    "signature": "What do you mean?\n\n-- \nPlease delete my account\n",
}


@pytest.mark.parametrize("body", QUOTED.values(), ids=QUOTED.keys())
def test_a_deletion_in_the_text_of_somebody_else_is_not_asked(world: World, body: str) -> None:
    world.write(CAMILLE, "Question", body)
    assert "deletion" not in [kind for kind, _ in world.states(CAMILLE)]
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(1,)]


def test_hidden_text_asks_nothing(world: World) -> None:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = CAMILLE, "privacy@myownconference.com", "Question"
    mail["Message-ID"] = "<hidden@courriel.example>"
    mail.set_content(
        "<p>What is your policy?</p><div style='display:none'>Please delete my account and all my data.</div>",
        subtype="html",
    )
    world.take(world.signed(mail.as_bytes(), CAMILLE))
    assert "deletion" not in [kind for kind, _ in world.states(CAMILLE)]


def test_a_colleagues_forwarded_unsubscribe_link_does_nothing(world: World) -> None:
    link = world.app.unsubscribing.link(EMILY).url
    forwarded = f"From: News <n@example.org>\nSubject: Offers\n\nUnsubscribe: {link}\n"
    body = f"Look at this.\n\n---------- Forwarded message ---------\n{forwarded}"
    world.write(ALICE, "Fwd: Offers", body)
    with world.app.store.read() as tx:
        assert not suppressions.is_suppressed(tx, EMILY)
        assert not suppressions.is_suppressed(tx, ALICE)


def test_our_own_question_quoted_back_is_not_the_request_again(world: World) -> None:
    world.write(CAMILLE, "Delete my account", "Please delete my account and all my data.\n")
    (ours,) = world.letters(CAMILLE)
    quoted = "\n".join(f"> {line}" for line in plain(ours).splitlines())
    thread = {"In-Reply-To": str(ours["Message-ID"])}
    world.write(
        CAMILLE, f"Re: {ours['Subject']}", f"I do not understand this mail.\n\n{quoted}\n", headers=thread
    )
    assert [kind for kind, _ in world.states(CAMILLE)].count("deletion") == 1
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(1,)]
