"""The demo's mails and how each should end: what people write, and the part they play afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from mailbot.demo.people import PERSONAS, Persona


class Part(StrEnum):
    """What the person does after writing."""

    PRESS_BUTTON = "press_button"
    ANSWER_YES = "answer_yes"
    NOTHING = "nothing"
    ONE_CLICK = "one_click"
    MAIL_BOUNCES = "mail_bounces"


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail of the demo. `requests` is kind → state in which it should end; None: no case at all."""

    name: str
    role: str
    part: Part
    subject: str
    text: str
    requests: dict[str, str] | None
    signed: bool = True
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def person(self) -> Persona:
        """Who writes."""
        return PERSONAS[self.role]

    def written_by(self, role: str) -> Sample:
        """The same words from somebody else."""
        return replace(self, role=role)


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "deletion-fr",
        "delete_account",
        Part.PRESS_BUTTON,
        "Suppression de mon compte",
        "Bonjour,\n\nje n'utilise plus la plateforme depuis des mois. Merci de supprimer mon compte "
        "et toutes les données qui vont avec.\n\nBonne journée,\nCamille Durand\n",
        {"deletion": "done"},
    ),
    Sample(
        "correction-de",
        "correct_name",
        Part.PRESS_BUTTON,
        "Mein Name ist falsch geschrieben",
        "Guten Tag,\n\nin meinem Profil steht mein Name falsch. Ich heiße Jürgen Müller, nicht Müler. "
        "Bitte korrigieren Sie das.\n\nMit freundlichen Grüßen\nJürgen Müller\n",
        {"correction": "done"},
    ),
    Sample(
        "unsubscribe-en",
        "newsletter",
        Part.NOTHING,
        "enough",
        "Hi, please take me off your newsletter, I don't want any more of these emails.\n\nEmily\n",
        {"unsubscribe": "done"},
    ),
    Sample("one-click-en", "one_click", Part.ONE_CLICK, "", "", {"unsubscribe": "done"}),
    Sample(
        "visitor-deletion-en",
        "visitor",
        Part.PRESS_BUTTON,
        "My data from your webinars",
        "Hello,\n\nI attended some webinars on your platform as a guest, I have no account. Please delete "
        "the personal data I left when I registered for these webinars.\n\nThanks\nVera Novák\n",
        {"deletion": "done"},
    ),
    Sample(
        "two-things-fr",
        "two_things",
        Part.PRESS_BUTTON,
        "Copie de mes données puis suppression",
        "Bonjour,\n\nj'aimerais d'abord recevoir une copie de toutes mes données personnelles. "
        "Ensuite, veuillez supprimer définitivement mon compte.\n\nCordialement,\nSophie Lambert\n",
        {"access": "done", "deletion": "done"},
    ),
    Sample(
        "access-by-mail-en",
        "user_and_visitor",
        Part.ANSWER_YES,
        "What do you know about me?",
        "Dear team,\n\nplease send me a copy of all the personal data you hold about me (Art. 15 GDPR).\n\n"
        "Kind regards\nAlice Martin\n",
        {"access": "done"},
    ),
    Sample(
        "ambiguous-en",
        "ambiguous",
        Part.NOTHING,
        "webinar yesterday",
        "Hi there,\n\nthe thing from yesterday should not be there any more, my colleague said you could do "
        "something about it? Not sure who to ask.\n\nMargaret\n",
        {"*": "awaiting_staff"},
    ),
    Sample(
        "forged-deletion-de",
        "forged",
        Part.NOTHING,
        "Konto löschen",
        "Bitte löschen Sie mein Konto und alle meine Daten sofort.\n\nKatharina Vogel\n",
        {"deletion": "awaiting_staff"},
        signed=False,
    ),
    Sample(
        "out-of-office-fr",
        "away",
        Part.NOTHING,
        "Réponse automatique : Nouvelles conditions",
        "Bonjour,\n\nje suis absent du bureau jusqu'au 7 et sans accès à mes mails. Merci de supprimer "
        "cette conversation.\n\nAntoine Lefèvre\n",
        None,
        headers=(("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes")),
    ),
    Sample(
        "bounce-en",
        "bounce",
        Part.MAIL_BOUNCES,
        "delete my account",
        "Please delete my account. Thank you, Paul Winter\n",
        {"deletion": "unreachable"},
    ),
)
