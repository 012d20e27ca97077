"""Who asks: senders not yet known, accounts named from elsewhere, raised proof, floods. Over a whole mailbot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from mailbot.core.address import domain_of
from mailbot.core.policy import Caps, Policy, Proof, RaisedProof
from mailbot.core.request import Kind
from mailbot.demo.stub_dns import SERVFAIL
from mailbot.store import cases, messages, suppressions
from mailbot.store.tables import Case, Message, StaffSession, Work
from mailbot.store.works import WorkKind
from mailbot.web.staff.reading import reading_of
from tests.world import ALICE, CAMILLE, DELETE_EN, EMILY, MALLORY, Builder, World, opened, plain

KEY = f"demo._domainkey.{domain_of(CAMILLE)}"
UNSUBSCRIBE = "Please unsubscribe me from your newsletter.\n"


@contextmanager
def restarted(world: World, builder: Builder) -> Iterator[World]:
    """A second process over the same files, which remembers no DNS answer."""
    with opened(world.folder, world.config_data, world.clock, builder) as app:
        yield World(world.folder, world.config_data, app, world.clock, world.smtp, world.dns, None)


@contextmanager
def ruled(builder: Builder, folder: Path, **changes: Any) -> Iterator[World]:
    """A mailbot whose policy differs in these tables; the builder is left as it was."""
    builder.smtp.clear()
    with builder.world(folder):
        pass
    known = builder.knowledge
    assert known is not None
    policy = Policy.model_validate(known.policy.model_copy(update=changes).model_dump())
    other = replace(builder, knowledge=replace(known, policy=policy))
    with other.world(folder) as made:
        yield made


def unsubscribing_needs(proof: Proof, builder: Builder) -> dict[str, Any]:
    """The kinds of the shipped policy, but with this proof for an unsubscription."""
    assert builder.knowledge is not None
    kinds = dict(builder.knowledge.policy.kinds)
    kinds[Kind.UNSUBSCRIBE] = kinds[Kind.UNSUBSCRIBE].model_copy(update={"proof": proof})
    return {"kinds": kinds}


@contextmanager
def failing_dns(world: World, name: str = KEY) -> Iterator[None]:
    """The key's name servers fail."""
    known = world.dns.zone[name]
    world.dns.zone[name] = SERVFAIL
    try:
        yield
    finally:
        world.dns.zone[name] = known


def verdict_shown(world: World, address: str) -> str:
    """What staff see of the sender of the last case of an address."""
    with world.app.store.read() as tx:
        case = cases.of_address(tx, address)[-1]
        message = tx.session.exec(select(Message).where(Message.case_id == case.id)).one()
        return reading_of(tx, message).verdict


def works_due(world: World, kind: WorkKind) -> list[Work]:
    """Work of a kind that is not done."""
    with world.app.store.read() as tx:
        return [one for one in tx.session.exec(select(Work)) if one.kind == kind and one.due_at is not None]


# ---- not yet known ----------------------------------------------------------------------------------


def test_a_sender_dns_could_not_tell_is_looked_up_again_also_after_a_restart(
    world: World, builder: Builder
) -> None:
    """The writer is asked for proof as always; meanwhile staff see that the sender is not yet known."""
    with failing_dns(world):
        world.write(CAMILLE, "Delete my account", DELETE_EN)
        assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
        assert len(world.letters(CAMILLE)) == 1
        assert verdict_shown(world, CAMILLE) == "not yet known"
    world.clock.forward(minutes=5)
    with restarted(world, builder) as again:
        again.work()
        assert verdict_shown(again, CAMILLE) == "proven"
        assert again.the_request(CAMILLE).proof == "sender"
        assert works_due(again, WorkKind.JUDGE) == []
    assert len(world.letters(CAMILLE)) == 1


def test_a_sender_that_stays_unknown_is_unproven_in_the_end(world: World, builder: Builder) -> None:
    """Tried again with growing pauses, for two days; never proven."""
    with failing_dns(world):
        world.write(CAMILLE, "Delete my account", DELETE_EN)
        for hours in (1, 5, 20, 20, 20):
            world.clock.forward(hours=hours)
            with restarted(world, builder) as again:
                again.work()
        assert verdict_shown(world, CAMILLE) == "unproven"
        assert works_due(world, WorkKind.JUDGE) == []
        assert world.the_request(CAMILLE).proof == "none"


def test_what_needs_the_senders_proof_waits_for_it(builder: Builder, world: World, tmp_path: Path) -> None:
    """Told that it came, done once the sender is proven; nothing is done before."""
    with ruled(builder, tmp_path / "x", **unsubscribing_needs(Proof.SENDER, builder)) as ours:
        with failing_dns(ours):
            ours.write(CAMILLE, "Newsletter", UNSUBSCRIBE)
        assert ours.states(CAMILLE) == [("unsubscribe", "awaiting_sender")]
        assert len(ours.letters(CAMILLE)) == 1
        with ours.app.store.read() as tx:
            assert not suppressions.is_suppressed(tx, CAMILLE)
        ours.clock.forward(minutes=5)
        with restarted(ours, replace(builder, knowledge=ours.app.knowledge)) as again:
            again.work()
        assert ours.states(CAMILLE) == [("unsubscribe", "done")]


def test_who_cannot_be_proven_is_asked(builder: Builder, world: World, tmp_path: Path) -> None:
    """Where an unsubscription needs its sender's proof, control of the address does as well."""
    with ruled(builder, tmp_path / "x", **unsubscribing_needs(Proof.SENDER, builder)) as ours:
        ours.write(MALLORY, "Newsletter", UNSUBSCRIBE, signed=False)
        assert ours.states(MALLORY) == [("unsubscribe", "awaiting_proof")]
        ours.confirm(MALLORY)
        assert ours.states(MALLORY) == [("unsubscribe", "done")]


def test_who_turns_out_to_be_forged_is_neither_served_nor_reminded(world: World, builder: Builder) -> None:
    """While DNS failed it went the way of an unproven mail; from now on Camille is left in peace."""
    policy = f"_dmarc.{domain_of(CAMILLE)}"
    with failing_dns(world, policy):
        world.write(CAMILLE, "Delete my account", DELETE_EN, signed=False)
        assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
    world.clock.forward(minutes=5)
    with restarted(world, builder) as again:
        again.work()
        assert again.states(CAMILLE) == [("deletion", "awaiting_staff")]
        again.clock.forward(days=31)
        again.work()
    assert len(world.letters(CAMILLE)) == 1


def test_a_withdrawal_waits_for_its_sender(world: World, builder: Builder) -> None:
    """Mallory must not stop Camille's deletion with a mail that nobody could judge."""
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    thread = {"In-Reply-To": str(world.letters(CAMILLE)[0]["Message-ID"])}
    keep = "I have changed my mind. Please do not delete my account, I want to keep it.\n"
    with restarted(world, builder) as again, failing_dns(again):
        again.write(CAMILLE, "Re: deletion", keep, headers=thread)
        assert again.states(CAMILLE) == [("deletion", "awaiting_proof")]
    world.clock.forward(minutes=5)
    with restarted(world, builder) as again:
        again.work()
        assert again.states(CAMILLE) == [("deletion", "withdrawn")]


# ---- the address on file ----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["confirm", "cancel", "deny"])
def test_an_account_named_from_another_address_is_asked_at_its_own(world: World, answer: str) -> None:
    """The writer hears that the letter came, and nothing more whatever the address on file says."""
    world.write(MALLORY, "Delete my account", f"Please delete my account, it is under {CAMILLE}.\n")
    assert len(world.letters(CAMILLE)) == 1
    ours = world.letters(MALLORY)
    status = world.client.get(world.newest_link(MALLORY, "/case/")).text
    assert len(ours) == 1
    assert "/c/" not in plain(ours[0])
    assert CAMILLE not in plain(ours[0])
    page = world.press(world.newest_link(CAMILLE, "/c/"), answer)
    assert page.status_code == 200
    world.work()
    gone = world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(0,)]
    assert gone is (answer == "confirm")
    assert len(world.letters(MALLORY)) == 1
    if answer != "confirm":
        assert world.client.get(world.newest_link(MALLORY, "/case/")).text == status


def test_the_writer_cannot_tell_an_account_from_none(world: World) -> None:
    """The same letter, the same status page, no reminder, the same end, whether or not there is such an account."""
    heard = []
    for named, writer in ((CAMILLE, "m1@forge.example"), ("nobody@nowhere.example", "m2@forge.example")):
        world.write(writer, "Delete my account", f"Please delete my account, it is under {named}.\n")
        world.clock.forward(days=4)
        world.work()
        ((case, _),) = world.requests(writer)
        page = world.client.get(world.newest_link(writer, "/case/")).text.replace(case.reference, "")
        world.clock.forward(days=27)
        world.work()
        heard.append(
            ([str(mail["Subject"]).replace(case.reference, "") for mail in world.letters(writer)], page)
        )
    assert heard[0][0] == heard[1][0]
    assert len(heard[0][0]) == 2
    assert world.letters("nobody@nowhere.example") == []
    assert len(world.letters(CAMILLE)) > 1


def test_a_reminder_goes_to_whom_was_asked(world: World) -> None:
    world.write(MALLORY, "Delete my account", f"Please delete my account, it is under {CAMILLE}.\n")
    world.clock.forward(days=4)
    world.work()
    assert len(world.letters(CAMILLE)) == 2
    world.confirm(CAMILLE)
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(0,)]


def test_who_writes_from_the_address_on_file_may_name_others(world: World) -> None:
    """Camille's own account is meant; the address she mentions gets nothing."""
    world.write(CAMILLE, "Delete my account", f"Please delete my account. I used to write to {ALICE}.\n")
    assert world.letters(ALICE) == []
    world.confirm(CAMILLE)
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(0,)]


def test_an_address_that_imitates_the_named_one_goes_to_staff(world: World) -> None:
    """The reason names the likeness; nobody is asked."""
    local, _, domain = CAMILLE.partition("@")
    twin = f"{local}@{domain.replace('i', '1')}"
    world.write(twin, "Delete my account", f"Please delete my account, it is under {CAMILLE}.\n")
    assert world.states(twin) == [("deletion", "awaiting_staff")]
    assert "looks like" in world.the_request(twin).reason
    assert world.letters(CAMILLE) == []


# ---- raised proof -----------------------------------------------------------------------------------


def test_an_address_that_changed_a_short_time_ago_needs_staff(world: World) -> None:
    """Whoever took the account over may have put the address there."""
    changed = world.clock.now - timedelta(days=3)
    world.platform(
        "UPDATE accounts SET email_changed_at = :t WHERE email = :a", t=f"{changed:%F %T}", a=CAMILLE
    )
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)
    assert world.states(CAMILLE) == [("deletion", "awaiting_staff")]
    assert "was changed in the last 14 days" in world.the_request(CAMILLE).reason


def test_an_address_that_changed_long_ago_does_not(world: World) -> None:
    changed = world.clock.now - timedelta(days=15)
    world.platform(
        "UPDATE accounts SET email_changed_at = :t WHERE email = :a", t=f"{changed:%F %T}", a=CAMILLE
    )
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)
    assert world.states(CAMILLE) == [("deletion", "done")]


def test_an_address_that_mailbot_itself_put_there_counts_as_changed(world: World) -> None:
    """Also where the platform does not note when an address changed."""
    new = "camille.new@courriel.example"
    world.write(CAMILLE, "New address", "Please correct my e-mail address in my account.\n")
    world.confirm(CAMILLE, email=new)
    world.confirm(new)
    assert world.states(CAMILLE) == [("correction", "done")]
    world.platform("UPDATE accounts SET email_changed_at = NULL")
    world.platform("DELETE FROM former_emails")
    world.clock.forward(days=2)
    world.write(new, "Delete my account", DELETE_EN)
    world.confirm(new)
    assert world.states(new) == [("deletion", "awaiting_staff")]


def test_a_freemail_sender_needs_what_the_policy_says(builder: Builder, world: World, tmp_path: Path) -> None:
    """Here: a person's look at what changes anything, and at an unsubscription too."""
    raised = RaisedProof(freemail=Proof.STAFF, freemail_domains=frozenset({domain_of(CAMILLE)}))
    with ruled(builder, tmp_path / "x", raised_proof=raised) as ours:
        ours.write(CAMILLE, "Delete my account", DELETE_EN)
        ours.confirm(CAMILLE)
        assert ours.states(CAMILLE) == [("deletion", "awaiting_staff")]
        ours.write(EMILY, "Newsletter", UNSUBSCRIBE)
        assert ours.states(EMILY) == [("unsubscribe", "done")]


# ---- replies to tokens ------------------------------------------------------------------------------


def test_that_was_not_me_by_mail_stops_it_and_is_marked_for_staff(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    to = parseaddr(str(world.letters(CAMILLE)[0]["Reply-To"]))[1]
    world.write(CAMILLE, "Re: confirm", "No, that wasn't me.\n", to=to)
    assert world.states(CAMILLE) == [("deletion", "awaiting_staff")]
    assert "did not ask for this" in world.the_request(CAMILLE).reason
    world.staff(CAMILLE, "nothing")
    assert "Look first." in world.client.get("/staff/").text


def test_a_forwarded_yes_confirms_nothing(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    to = parseaddr(str(world.letters(CAMILLE)[0]["Reply-To"]))[1]
    inner = f"From: Camille <{CAMILLE}>\nSubject: Re: confirm\n\nYes\n"
    world.write(CAMILLE, "Fwd: confirm", f"---------- Forwarded message ---------\n{inner}", to=to)
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(1,)]


# ---- floods -----------------------------------------------------------------------------------------

SMALL = Caps(forged_mails_of_one_domain_an_hour=2, staff_mails_of_one_domain_an_hour=3)


@pytest.fixture
def flooded(builder: Builder, world: World, tmp_path: Path) -> Iterator[World]:
    """Mallory has forged seven mails of Camille's domain where two an hour are too many already."""
    with ruled(builder, tmp_path / "x", caps=SMALL) as ours:
        domain = domain_of(CAMILLE)
        for number in range(7):
            ours.take(ours.letter(f"c{number}@{domain}", "Delete", DELETE_EN, signed=False))
        ours.work()
        yield ours


def flood_of(world: World) -> Case:
    """The one case of a flood."""
    with world.app.store.read() as tx:
        return tx.session.exec(select(Case).where(Case.channel == "flood")).one()


def waiting(world: World) -> list[str]:
    """Why each line of the queue stands there."""
    with world.app.store.read() as tx:
        return [request.reason for request, _ in cases.waiting_for_staff(tx)]


def test_a_flood_is_one_line_and_nothing_is_lost_or_answered(flooded: World) -> None:
    assert len(waiting(flooded)) == 3
    assert any(reason.startswith("a flood: 5 mails from one domain") for reason in waiting(flooded))
    with flooded.app.store.read() as tx:
        kept = tx.session.exec(select(Message)).all()
    assert len(kept) == 7
    assert {one.disposition for one in kept} == {"case"}
    assert flooded.sent() == []


def test_staff_let_a_flood_in_as_a_whole(flooded: World) -> None:
    """By one button. Each mail then has its own case, from the day it came; the line is gone."""
    case = flood_of(flooded)
    flooded.staff(f"c0@{domain_of(CAMILLE)}", "nothing")
    with flooded.app.store.read() as tx:
        (request,) = cases.requests_of(tx, case.id)
        csrf = tx.session.exec(select(StaffSession)).one().csrf
    path = f"/staff/case/{case.reference}"
    flooded.client.post(f"{path}/open", data={"csrf": csrf})
    assert f"{path}/{request.id}/let-in" in flooded.client.get(path).text
    assert flooded.client.post(f"{path}/{request.id}/let-in", data={"csrf": csrf}).status_code == 303
    flooded.work()
    assert len(waiting(flooded)) == 7
    assert not any("flood" in reason for reason in waiting(flooded))
    with flooded.app.store.read() as tx:
        owners = [one.case_id for one in tx.session.exec(select(Message))]
        assert all(
            messages.raw_of(tx, one).startswith(b"From: c") for one in tx.session.exec(select(Message))
        )
    assert len(set(owners)) == 7
    assert case.id not in owners


def test_staff_close_a_flood_as_a_whole(flooded: World) -> None:
    case = flood_of(flooded)
    with flooded.app.store.read() as tx:
        (request,) = cases.requests_of(tx, case.id)
    flooded.app.desk.dismiss(request.id, "spam", "stan", flooded.clock.now)
    assert len(waiting(flooded)) == 2


def test_what_mailbot_does_by_itself_is_never_held_as_a_flood(
    builder: Builder, world: World, tmp_path: Path
) -> None:
    """However many of one domain ask at once: each is asked for proof, or served."""
    with ruled(builder, tmp_path / "x", caps=SMALL) as ours:
        people = [f"p{number}@{domain_of(CAMILLE)}" for number in range(6)]
        ours.take(*[ours.letter(one, "Delete my account", DELETE_EN) for one in people])
        assert [ours.states(one) for one in people] == [[("deletion", "awaiting_proof")]] * 6
