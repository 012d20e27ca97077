"""A mail with attachments becomes a case like any other; staff see what stands in which file."""

from __future__ import annotations

from email.message import EmailMessage

from mailbot.core.workflow import State
from mailbot.store import suppressions
from tests.attachments.builders import COVER, DELETION, UNSUBSCRIBE, pdf
from tests.world import CAMILLE, World, parsed

ODD_NAME = '"><img src=x onerror=alert(1)>.pdf'


def write(world: World, *files: tuple[bytes, str, str], body: str = COVER) -> None:
    """Camille writes a mail with files: content, name, type."""
    mail = parsed(world.letter(CAMILLE, "Hello", body, signed=False))
    for content, name, content_type in files:
        main, sub = content_type.split("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    world.take(world.signed(mail.as_bytes(), CAMILLE))
    world.work()


def page_of(world: World) -> str:
    """Camille's case, as Stan sees it after opening it."""
    world.staff(CAMILLE, "nothing")
    case, _ = world.requests(CAMILLE)[-1]
    return str(world.client.get(f"/staff/case/{case.reference}").text)


def test_a_deletion_in_a_pdf_is_done_once_control_is_proven_and_not_before(world: World) -> None:
    write(world, (pdf(DELETION), "letter.pdf", "application/pdf"))
    assert world.states(CAMILLE) == [("deletion", State.AWAITING_PROOF)]
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(1,)]
    world.confirm(CAMILLE)
    assert world.states(CAMILLE) == [("deletion", State.DONE)]
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(0,)]


def test_an_unsubscription_in_a_pdf_waits_for_staff(world: World) -> None:
    write(world, (pdf(UNSUBSCRIBE), "letter.pdf", "application/pdf"))
    assert world.states(CAMILLE) == [("unsubscribe", State.AWAITING_STAFF)]
    assert "attached file" in world.the_request(CAMILLE).reason
    with world.app.store.read() as tx:
        assert not suppressions.is_suppressed(tx, CAMILLE)


def test_a_broken_file_is_a_case_with_the_reason(world: World) -> None:
    write(world, (b"%PDF-1.7 broken", "letter.pdf", "application/pdf"))
    ((_, state),) = world.states(CAMILLE)
    assert state == State.AWAITING_STAFF
    assert "it is broken" in world.the_request(CAMILLE).reason


def test_staff_see_in_which_file_the_words_stand_and_no_name_of_a_file_acts(world: World) -> None:
    write(world, (pdf(UNSUBSCRIBE), ODD_NAME, "application/pdf"))
    page = page_of(world)
    assert "only in the attached file" in page
    assert "What stands in the attached file" in page
    assert "<mark" in page.partition("What stands in the attached file")[2].partition("</details>")[0]
    assert "<img" not in page
    queue = world.client.get("/staff/?state=").text
    assert "in an attached file" in queue


def test_files_that_nobody_reads_are_shown_with_name_type_and_size(world: World) -> None:
    write(
        world,
        (b"\x78\x9f\x3e\x22" + bytes(2_044), "winmail.dat", "application/ms-tnef"),
        (b"\x89PNG" + bytes(1_000), '<b onmouseover="x()">.png', "image/png"),
        (b"ID3" + bytes(1_000), "voice.mp3", "audio/mpeg"),
    )
    listed = page_of(world).partition('<ul class="files">')[2].partition("</ul>")[0]
    for shown in ("winmail.dat", "application/ms-tnef", "2.0 kB", "image/png", "voice.mp3", "audio/mpeg"):
        assert shown in listed
    assert "<b" not in listed


def test_no_name_and_no_word_of_a_file_stands_in_ledger_or_reason(world: World) -> None:
    write(world, (pdf(DELETION), "Camille-Durand.pdf", "application/pdf"))
    for table, rows in world.dump().items():
        assert "Camille-Durand" not in repr(rows), table


def test_a_letter_cannot_be_confirmed_by_a_file(world: World) -> None:
    write(world, (pdf(DELETION), "letter.pdf", "application/pdf"))
    (question,) = world.letters(CAMILLE)
    answer: EmailMessage = parsed(
        world.letter(CAMILLE, f"Re: {question['Subject']}", "\n", to=str(question["Reply-To"]), signed=False)
    )
    answer.add_attachment(b"Yes.", maintype="text", subtype="plain", filename="yes.txt")
    world.take(world.signed(answer.as_bytes(), CAMILLE))
    world.work()
    assert ("deletion", State.DONE) not in world.states(CAMILLE)
