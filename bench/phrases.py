"""What the generator's people write: requests of every kind, and the small talk around them. All invented."""
# ruff: noqa: E501  # a sentence stays on its line

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language's sentences. `wishes`: kind → (subject, sentences that ask it)."""

    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    wishes: dict[str, tuple[tuple[str, str], ...]]
    talk: tuple[str, ...]
    quoted_by: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


FRENCH = Tongue(
    greetings=("Bonjour,", "Madame, Monsieur,", "Bonjour à toute l'équipe,"),
    closings=("Cordialement,", "Bien à vous,", "Merci d'avance et bonne journée,"),
    wishes={
        "deletion": (
            ("Suppression de mon compte", "Je vous prie de supprimer mon compte et toutes mes données personnelles."),
            ("Fermeture de compte", "Merci de supprimer définitivement mon compte et les données qui vont avec."),
        ),
        "access": (
            ("Copie de mes données", "J'aimerais recevoir une copie de toutes les données personnelles que vous avez sur moi."),
            ("Droit d'accès", "Veuillez m'envoyer une copie de mes données personnelles, comme le prévoit l'article 15 du RGPD."),
        ),
        "correction": (
            ("Mon nom est mal écrit", "Mon nom est mal écrit dans mon profil. Je m'appelle {name}, merci de corriger mon nom."),
        ),
        "unsubscribe": (
            ("Désinscription", "Merci de me désinscrire de votre newsletter, je ne veux plus recevoir vos e-mails publicitaires."),
            ("Stop newsletter", "Je souhaite me désabonner de votre lettre d'information."),
        ),
        "unclear": (
            ("Le webinaire d'hier", "Je n'ai pas retrouvé ce dont nous avions parlé hier, pouvez-vous regarder de votre côté ?"),
            ("Une question", "Un collègue m'a dit de m'adresser à vous au sujet de notre dernière séance."),
        ),
    },
    talk=(
        "Nous avons organisé plusieurs séances cette année et tout s'est bien passé.",
        "La salle était pleine et les échanges avec les participants ont été très riches.",
        "Je travaille désormais dans une autre ville et mon emploi du temps a beaucoup changé.",
        "Le son coupait parfois, mais votre assistance a toujours répondu rapidement.",
        "Mes élèves apprécient surtout les exercices courts à la fin de chaque leçon.",
        "J'ai relu vos conditions pendant le week-end avec un café et beaucoup de patience.",
        "Il pleut sans arrêt ici depuis lundi, ce qui laisse du temps pour ranger ses papiers.",
        "Mon ancienne adresse professionnelle n'existe plus depuis le mois de mars.",
        "Je reste joignable le matin entre neuf heures et midi.",
        "Notre association prépare déjà le programme de l'automne prochain.",
    ),
    quoted_by="Le {day} à 09:41, MyOwnConference <news@myownconference.com> a écrit :",
    first_names=("Camille", "Hugo", "Chloé", "Louis", "Inès", "Théo", "Manon", "Jules", "Léa", "Éric"),
    last_names=("Durand", "Lefèvre", "Moreau", "Girard", "Rousseau", "Fontaine", "Chevalier", "Garnier"),
)  # fmt: skip

ENGLISH = Tongue(
    greetings=("Hello,", "Dear team,", "Good morning,"),
    closings=("Kind regards,", "Best wishes,", "Thank you in advance,"),
    wishes={
        "deletion": (
            ("Delete my account", "Please delete my account and all the personal data that belongs to it."),
            ("Account removal", "I would like you to permanently delete my account and erase my personal data."),
        ),
        "access": (
            ("What do you know about me?", "Please send me a copy of all the personal data you hold about me."),
            ("Subject access request", "Under Article 15 GDPR I request a copy of my personal data."),
        ),
        "correction": (
            ("My name is wrong", "My name is misspelled in my profile. Please correct my name to {name}."),
        ),
        "unsubscribe": (
            ("Unsubscribe", "Please unsubscribe me from your newsletter, I do not want any more of these emails."),
            ("Mailing list", "Please take me off your mailing list."),
        ),
        "unclear": (
            ("Yesterday's webinar", "The thing from yesterday should look different, my colleague said you might know more."),
            ("Question", "Who would be the right person to talk to about our last session?"),
        ),
    },
    talk=(
        "We ran several sessions this year and all of them went well.",
        "The room was full and the discussion with the audience was lively.",
        "I have moved to another town and my week looks very different now.",
        "The sound dropped now and then, but your support always answered quickly.",
        "My students like the short exercises at the end of every lesson best.",
        "I read your terms over the weekend with a coffee and a good deal of patience.",
        "It has been raining here since Monday, which leaves time to sort old papers.",
        "My former address at work has not existed since March.",
        "You can reach me in the morning between nine and noon.",
        "Our club is already preparing the programme for the coming autumn.",
    ),
    quoted_by="On {day} at 09:41, MyOwnConference <news@myownconference.com> wrote:",
    first_names=("Alice", "Oliver", "Emily", "George", "Ruth", "Thomas", "Grace", "Henry", "Nora", "Zoë"),
    last_names=("Bennett", "Carter", "Ellis", "Hughes", "Marsh", "Palmer", "Turner", "Whitfield"),
)  # fmt: skip

GERMAN = Tongue(
    greetings=("Guten Tag,", "Sehr geehrte Damen und Herren,", "Hallo zusammen,"),
    closings=("Mit freundlichen Grüßen", "Viele Grüße", "Besten Dank im Voraus"),
    wishes={
        "deletion": (
            ("Konto löschen", "Bitte löschen Sie mein Konto und alle meine personenbezogenen Daten."),
            ("Löschung meiner Daten", "Ich bitte Sie, mein Konto endgültig zu löschen und alle Daten zu entfernen."),
        ),
        "access": (
            ("Auskunft", "Bitte senden Sie mir eine Kopie aller personenbezogenen Daten, die Sie über mich gespeichert haben."),
            ("Auskunft nach Art. 15", "Ich bitte um Auskunft über meine personenbezogenen Daten nach Artikel 15 DSGVO."),
        ),
        "correction": (
            ("Name falsch geschrieben", "In meinem Profil steht mein Name falsch. Ich heiße {name}, bitte korrigieren Sie meinen Namen."),
        ),
        "unsubscribe": (
            ("Newsletter abbestellen", "Bitte tragen Sie mich aus Ihrem Newsletter aus, ich möchte keine Werbung mehr erhalten."),
            ("Abmeldung", "Hiermit möchte ich mich von Ihrem Newsletter abmelden."),
        ),
        "unclear": (
            ("Webinar gestern", "Die Sache von gestern sollte anders aussehen, mein Kollege meinte, Sie wüssten mehr."),
            ("Eine Frage", "Wer wäre für unsere letzte Veranstaltung der richtige Ansprechpartner?"),
        ),
    },
    talk=(
        "Wir haben in diesem Jahr mehrere Seminare veranstaltet, und alle liefen gut.",
        "Der Saal war voll, und das Gespräch mit den Teilnehmern war lebhaft.",
        "Ich bin in eine andere Stadt gezogen, und meine Woche sieht jetzt ganz anders aus.",
        "Der Ton fiel manchmal aus, aber Ihre Hilfe hat immer schnell geantwortet.",
        "Meine Schüler mögen die kurzen Übungen am Ende jeder Stunde am liebsten.",
        "Am Wochenende habe ich bei einem Kaffee in Ruhe Ihre Bedingungen gelesen.",
        "Hier regnet es seit Montag, da bleibt Zeit, alte Unterlagen zu sortieren.",
        "Meine frühere Adresse im Büro gibt es seit März nicht mehr.",
        "Sie erreichen mich vormittags zwischen neun und zwölf Uhr.",
        "Unser Verein bereitet schon das Programm für den kommenden Herbst vor.",
    ),
    quoted_by="Am {day} um 09:41 schrieb MyOwnConference <news@myownconference.com>:",
    first_names=("Jürgen", "Katharina", "Lukas", "Ingrid", "Jonas", "Mareike", "Björn", "Sabine", "Uwe", "Käthe"),
    last_names=("Vogel", "Brandt", "Schäfer", "Berger", "Krüger", "Neumann", "Öztürk", "Winkler"),
)  # fmt: skip

TONGUES = {"fr": FRENCH, "en": ENGLISH, "de": GERMAN}
