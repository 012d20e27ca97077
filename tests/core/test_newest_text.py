"""Quotes don't ask: only what the person wrote anew comes out."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.invariants import newest_text_only_leaves_out
from mailbot.core.message import ParsedMail
from mailbot.core.newest_text import newest_text
from mailbot.core.parse import parse

GOLDEN = Path(__file__).parent / "golden" / "replies"
CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpora" / "raw"
MAX_SECONDS_PER_MEBIBYTE = 15.0
"""Quadratic time takes minutes; the rest is room for a busy machine."""


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.eml")), ids=lambda path: path.stem)
def test_a_reply_loses_its_history_in_every_language(path: Path) -> None:
    mail = parse(path.read_bytes())
    assert isinstance(mail, ParsedMail)
    assert newest_text(mail.text) == path.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize(
    "letter",
    [
        "Please delete my account.\n\nAlice",
        "Name: Alice\nEmail: alice@example.org\nDate: 6 January 2026\nPhone: 555\n\nPlease correct these:\n- name",
        "Please change my address:\nFrom: old@example.org\nTo: new@example.org\nThanks",
        "I was sent from my phone shop to you, please delete my number.",
        "Here it is\n\nSent from my desk, is much easier than my mobile phone.",
        "On 5 May I wrote:\nplease delete my account\nand nobody answered.",
        "Two things:\n--- first ---\ndelete my account\n--- second ---\nno newsletter",
        "This message is for the data protection officer: delete all confidential data about me at once, "
        "and stop unauthorised copies as I asked before. I await your answer within a month.",
    ],
)
def test_a_letter_without_quotes_comes_back_untouched(letter: str) -> None:
    assert newest_text(letter) == letter


@pytest.mark.parametrize(
    "note",
    [
        "Sent from my iPhone",
        "Envoyé de mon iPhone",
        "Von meinem iPhone gesendet",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Enviado do meu iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Wysłane z iPhone'a",
        "Išsiųsta iš mano „iPhone“",
        "Надіслано з iPhone",
        "Отправлено с iPhone",
        "Get Outlook for iOS<https://aka.ms/x>",
        "Gesendet mit der GMX Mail App",
        "Отправлено из мобильной Почты Mail.ru",
        "Sent from Outlook for Android",
        "Envoyé depuis mon téléphone Orange",
    ],
)
def test_what_a_phone_adds_is_left_out(note: str) -> None:
    assert newest_text(f"Delete my account.\n\n{note}\n") == "Delete my account."


@pytest.mark.parametrize(
    "separator",
    [
        "-----Original Message-----",
        "-------- Message original --------",
        "-----Ursprüngliche Nachricht-----",
        "-----Mensaje original-----",
        "-----Messaggio originale-----",
        "---------- Forwarded message ---------",
        "-------- Weitergeleitete Nachricht --------",
        "-----Oorspronkelijk bericht-----",
        "---------- Пересланное сообщение ---------",
        "-----Wiadomość oryginalna-----",
        "-----Исходное сообщение-----",
        "---------- Forwarded message ----------",
    ],
)
def test_a_separator_begins_the_history(separator: str) -> None:
    assert newest_text(f"Yes.\n\n{separator}\nDelete my account?\n") == "Yes."


@pytest.mark.parametrize(
    "text",
    [
        "> only\n> a quote",
        "---------- Forwarded message ---------\nFrom: Mallory <m@example.org>\nDate: "
        "x\nSubject: y\n\ndelete my account",
        "Begin forwarded message:\n\nFrom: Mallory <m@example.org>\nSubject: y\nDate: 1 May 2026\n\ndelete my account",
        "",
    ],
)
def test_a_mail_that_is_only_history_says_nothing_new(text: str) -> None:
    assert newest_text(text) == ""


def test_a_company_disclaimer_is_left_out() -> None:
    disclaimer = (
        "This e-mail is confidential and intended only for the named recipient. If you are not the intended recipient, "
        "delete this message; any copying is strictly prohibited."
    )
    assert newest_text(f"Delete my account.\n\nDisclaimer\n\n{disclaimer}\n") == "Delete my account."


def test_a_wrapped_end_of_a_quoted_line_is_part_of_the_quote() -> None:
    text = "Yes.\n\nOn 6 Jan 2026 Bob wrote:\n> " + "word " * 15 + "and then\nit goes on\n> end"
    assert newest_text(text) == "Yes."


@given(st.text(alphabet=st.sampled_from("ab>:\n -_<@.1Fromw"), max_size=300) | st.text(max_size=300))
def test_every_line_returned_is_a_line_of_the_letter(text: str) -> None:
    newest_text_only_leaves_out(text)


@pytest.mark.parametrize(
    "unit",
    [
        "\n",
        ">\n",
        ">\na:\n",
        "From: a\n",
        "-- \n",
        "a\n--\nb\n",
        "1" * 300 + ":\n\n>\n",
        "sent from a a a a a a\n",
        "a@",
        "-",
        "_ ",
        "on 1 ",
    ],
)
def test_a_mebibyte_of_anything_is_read_in_linear_time(unit: str) -> None:
    text = (unit * ((1 << 20) // len(unit) + 1))[: 1 << 20]
    start = time.perf_counter()
    newest_text(text)
    assert time.perf_counter() - start < MAX_SECONDS_PER_MEBIBYTE


def test_no_reply_of_the_development_corpus_is_emptied_or_keeps_a_quote_mark() -> None:
    for path in sorted((CORPUS / "github-email-reply-parser").rglob("email_*.txt")):
        kept = newest_text(path.read_text(encoding="utf-8"))
        assert kept, path.name
        assert not any(line.startswith(">") for line in kept.split("\n")), path.name
