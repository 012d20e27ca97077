"""rules/policy.toml: the shipped one keeps the laws, and a wrong one is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from mailbot.core.policy import Handling, KindPolicy, Policy, Proof, RaisedProof
from mailbot.core.request import Kind

FILE = Path(__file__).parents[2] / "rules" / "policy.toml"
POLICY = Policy.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))

DELETION = {
    "handling": "confirm",
    "proof": "control",
    "minimum_confidence": 0.7,
    "minimum_confidence_alone": 0.9,
}
WRONG_LANGUAGES = (
    {"russian": {"handling": "staff"}},
    {"ru": {"handling": "act"}},
    {"ru": {"handling": "perhaps"}},
    {"ru": {"minimum_confidence": 2}},
    {"ru": {"proof": "none"}},
)


def test_every_kind_has_its_policy() -> None:
    assert set(POLICY.kinds) == set(Kind)


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.UNSUBSCRIBE}))
def test_nothing_but_an_unsubscription_is_done_without_asking(kind: Kind) -> None:
    assert POLICY.kinds[kind].handling != Handling.ACT


@pytest.mark.parametrize("kind", [Kind.DELETION, Kind.CORRECTION, Kind.ACCESS, Kind.PORTABILITY])
def test_what_touches_or_shows_data_needs_control(kind: Kind) -> None:
    assert POLICY.kinds[kind].proof == Proof.CONTROL
    assert POLICY.kinds[kind].handling == Handling.CONFIRM


@pytest.mark.parametrize("kind", [Kind.AUTHORITY, Kind.COMPLAINT, Kind.QUESTION, Kind.OTHER])
def test_what_a_machine_cannot_answer_goes_to_staff(kind: Kind) -> None:
    assert POLICY.kinds[kind].handling == Handling.STAFF


@pytest.mark.parametrize(
    ("freemail", "domain", "needed"),
    [
        (Proof.NONE, "gmail.com", Proof.NONE),
        (Proof.SENDER, "gmail.com", Proof.SENDER),
        (Proof.SENDER, "mail.own.example", Proof.SENDER),
        (Proof.SENDER, "example.org", Proof.NONE),
        (Proof.SENDER, None, Proof.NONE),
    ],
)
def test_a_freemail_sender_raises_the_proof_needed(
    freemail: Proof, domain: str | None, needed: Proof
) -> None:
    raised = RaisedProof(freemail=freemail, freemail_domains=frozenset({"own.example"}))
    policy = POLICY.model_copy(update={"raised_proof": raised})
    assert policy.needed(Kind.UNSUBSCRIBE, domain) == needed
    assert policy.needed(Kind.DELETION, domain) == Proof.CONTROL


def test_people_are_waited_for_as_designed() -> None:
    patience = POLICY.patience
    assert patience.proof_reminders_days == (3, 10)
    assert patience.proof_gives_up_days == 30
    assert patience.host_gives_up_days < 30, "the host's time must fit into the legal month"


@pytest.mark.parametrize(
    "change",
    [
        {"caps": {"letters_to_one_address_a_day": 0}},
        {"caps": {"letters": 5}},
        {"retention": {"closed_case_days": 0}},
        {"kinds": {"deletion": {"handling": "maybe", "proof": "control", "minimum_confidence": 0.5}}},
        {"kinds": {"deletion": {"handling": "act", "proof": "control", "minimum_confidence": 1.5}}},
        {"raised_proof": {"freemail": "much"}},
        {"raised_proof": {"address_changed_days": -1}},
        {"caps": {"forged_mails_of_one_domain_an_hour": 0}},
        {"surprise": 1},
        *({"kinds": {"deletion": {**DELETION, "languages": languages}}} for languages in WRONG_LANGUAGES),
    ],
)
def test_a_wrong_policy_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate({**tomllib.loads(FILE.read_text(encoding="utf-8")), **change})


def test_a_language_differs_only_in_what_is_said_of_it() -> None:
    deletion = KindPolicy.model_validate({**DELETION, "languages": {"ru": {"minimum_confidence": 0.8}}})
    assert deletion.in_language("ru").minimum_confidence == 0.8
    assert deletion.in_language("ru").minimum_confidence_alone == 0.9
    assert deletion.in_language("ru").handling is Handling.CONFIRM
    assert deletion.in_language("fr").minimum_confidence == 0.7


def test_an_unsure_language_gets_the_most_careful_of_all() -> None:
    languages = {
        "ru": {"handling": "staff"},
        "fr": {"minimum_confidence": 0.95, "minimum_confidence_alone": 0.5},
    }
    unsure = KindPolicy.model_validate({**DELETION, "languages": languages}).in_language(None)
    assert (unsure.handling, unsure.minimum_confidence) == (Handling.STAFF, 0.95)
    assert unsure.minimum_confidence_alone == 0.9


def test_automation_can_be_switched_on_for_one_language() -> None:
    kinds = {**POLICY.model_dump()["kinds"], "deletion": {**DELETION, "handling": "staff"}}
    kinds["deletion"]["languages"] = {"fr": {"handling": "confirm"}}
    policy = Policy.model_validate({"kinds": kinds})
    handled = {one: policy.in_language(one).kinds[Kind.DELETION].handling for one in ("fr", "de", None)}
    assert handled == {"fr": Handling.CONFIRM, "de": Handling.STAFF, None: Handling.STAFF}
