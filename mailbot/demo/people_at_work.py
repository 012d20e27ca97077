"""The people of the demo, played: they read the mail that was really sent, open its link, press its button."""

from __future__ import annotations

import smtplib
import urllib.error
import urllib.parse
import urllib.request
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mailbot.app import App
from mailbot.core.address import domain_of
from mailbot.demo.samples import Part, Sample
from mailbot.demo.smtp_sink import SinkMail
from mailbot.demo.world import PRIVACY, World

_WAIT_SECONDS = 30


class Plays:
    """Plays the part of whoever wrote a sample mail."""

    def __init__(self, world: World, app: App) -> None:
        self._world = world
        self._app = app

    def write(self, sample: Sample) -> None:
        """The sample's mail is delivered by SMTP; the one-click sample presses the mail program's button."""
        if sample.part is Part.ONE_CLICK:
            url = self._app.unsubscribing.link(sample.person.address).url
            self._post(url, {"List-Unsubscribe": "One-Click"})
        else:
            self._deliver(sample.person.address, PRIVACY, self._world.letter(sample, self._app.clock()))

    def play(self, sample: Sample) -> None:
        """What the person does once the answer has come."""
        address = sample.person.address
        match sample.part:
            case Part.PRESS_BUTTON:
                self._press(self.link(self.answer_to(address), "/c/"))
                self._fetch_export(sample)
                self._hosts_agree(sample)
            case Part.ANSWER_YES:
                self._say_yes(address, self.answer_to(address))
                self._fetch_export(sample)
            case Part.MAIL_BOUNCES:
                self._bounce(address, self.answer_to(address))
            case Part.NOTHING | Part.ONE_CLICK:
                pass

    def answer_to(self, address: str, count: int = 1) -> SinkMail:
        """The mail of this number that came for `address`, once it is there."""
        return self._world.smtp.wait_for(address, count, _WAIT_SECONDS)[count - 1]

    def _fetch_export(self, sample: Sample) -> None:
        """The link to the copy is opened, and its file taken."""
        if sample.requests and "access" in sample.requests:
            page = self.link(self.answer_to(sample.person.address, 2), "/x/")
            self._press(page)

    def _hosts_agree(self, sample: Sample) -> None:
        """The host who wants to be asked reads the question and agrees."""
        if sample.role == "visitor":
            question = self.answer_to("ingrid.schaefer@seminare.example")
            self._press(self.link(question, "/h/"))

    def link(self, mail: SinkMail, path: str) -> str:
        """The first link of the mail's plain text that leads to one of our pages of this kind."""
        text = _plain_text(mail.raw)
        start = self._app.config.web.public_url + path
        return next(word for word in text.split() if word.startswith(start))

    def _press(self, url: str) -> None:
        """The page is opened and the first button of its form pressed, with the fields as they stand."""
        with urllib.request.urlopen(url, timeout=_WAIT_SECONDS) as answer:  # noqa: S310  # our own page, http
            form = LexborHTMLParser(answer.read().decode()).css_first("main form")
        if form is None:
            raise RuntimeError("the page has no form")
        target = urllib.parse.urljoin(url, form.attributes.get("action") or url)
        self._post(target, _filled(form))

    def _post(self, url: str, form: dict[str, str]) -> None:
        body = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(url, body, timeout=_WAIT_SECONDS) as answer:  # noqa: S310  # as above
            answer.read()

    def _say_yes(self, address: str, challenge: SinkMail) -> None:
        """An answer by mail to the address that carries the token."""
        asked = message_from_bytes(challenge.raw, policy=policy.default)
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"], mail["To"] = address, str(asked["Reply-To"])
        mail["Subject"] = f"Re: {asked['Subject']}"
        mail["Date"] = format_datetime(self._app.clock())
        mail["Message-ID"] = make_msgid(domain=domain_of(address))
        mail["In-Reply-To"] = str(asked["Message-ID"])
        quoted = "\n".join(f"> {line}" for line in _plain_text(challenge.raw).splitlines()[:8])
        mail.set_content(f"Yes, please.\n\n{asked['Date']}, {PRIVACY} wrote:\n{quoted}\n")
        self._deliver(address, str(asked["Reply-To"]), self._world.signed(mail.as_bytes(), address))

    def _bounce(self, address: str, sent: SinkMail) -> None:
        """The mail server of the address says that there is nobody of that name (RFC 3464)."""
        domain = domain_of(address)
        raw = (
            f"From: Mail Delivery System <MAILER-DAEMON@{domain}>\r\nTo: {sent.envelope_from}\r\n"
            f"Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
            f"Date: {format_datetime(self._app.clock())}\r\nMessage-ID: {make_msgid(domain=domain)}\r\n"
            "MIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nThe mail could not be delivered.\r\n"
            f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.{domain}\r\n\r\n"
            f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
        )
        self._deliver("", sent.envelope_from, raw.encode())

    def _deliver(self, envelope_from: str, recipient: str, raw: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self._world.smtp.port, timeout=_WAIT_SECONDS) as smtp:
            smtp.sendmail(envelope_from, [recipient], raw)


def _plain_text(raw: bytes) -> str:
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    return str(body.get_content()) if body else ""


def _filled(form: LexborNode) -> dict[str, str]:
    """What a browser sends when the first button that can be pressed is pressed."""
    inputs = {
        name: node.attributes.get("value") or ""
        for node in form.css("input")
        if (name := node.attributes.get("name")) and "disabled" not in node.attributes
    }
    pressed = next((node for node in form.css("button[name]") if "disabled" not in node.attributes), None)
    if pressed is not None:
        inputs[pressed.attributes["name"] or ""] = pressed.attributes.get("value") or ""
    return inputs
