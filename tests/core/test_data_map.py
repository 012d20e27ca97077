"""The data map is read whole or refused with every fault and its mend."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.core.data_map import DataMap, OnDeletion, Validator
from mailbot.core.data_map_reading import MapFaults, read_data_map
from mailbot.core.request import Capacity

EXAMPLE = tomllib.loads((Path(__file__).parents[2] / "rules" / "platform.toml").read_text())

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["version", "subjects", "places", "promotions", "limits", "journal_table", "other"])


def faults_of(document: dict[str, object]) -> str:
    result = read_data_map(document)
    assert isinstance(result, MapFaults)
    return "\n".join(str(fault) for fault in result.faults)


def broken(place: int, **changes: object) -> dict[str, object]:
    document = copy.deepcopy(EXAMPLE)
    document["places"][place].update(changes)
    return document


def test_the_delivered_example_is_a_whole_map() -> None:
    data_map = read_data_map(EXAMPLE)
    assert isinstance(data_map, DataMap)
    assert data_map.user.table == "accounts"
    assert {place.table for place in data_map.places_of(Capacity.VISITOR)} == {
        "registrations",
        "chat_messages",
    }
    payments = next(place for place in data_map.places if place.table == "payments")
    assert payments.on_deletion is OnDeletion.KEEP
    assert payments.keeping is not None and payments.keeping.years == 10


def test_password_ip_and_visit_log_can_never_be_corrected_in_the_example() -> None:
    data_map = read_data_map(EXAMPLE)
    assert isinstance(data_map, DataMap)
    changeable = {rule.name for place in data_map.places for rule in place.columns if rule.validator}
    assert not changeable & {"password_hash", "last_ip", "ip", "at", "last_visit", "x"}


def test_a_column_takes_category_and_access_of_its_place_unless_it_says_otherwise() -> None:
    data_map = read_data_map(EXAMPLE)
    assert isinstance(data_map, DataMap)
    columns = {rule.name: rule for rule in data_map.places[0].columns}
    assert columns["email"].category == "1" and columns["last_visit"].category == "1.5"
    assert columns["email"].validator is Validator.EMAIL and columns["email"].unique


@pytest.mark.parametrize(
    ("place", "changes", "expected"),
    [
        (0, {"colour": "red"}, "places[1] (accounts).colour: is not a key of the data map"),
        (
            0,
            {"access": "maybe"},
            'places[1] (accounts).access: "maybe" is not known. Write one of: show, mask',
        ),
        (0, {"table": 7}, "places[1].table: has the wrong type. Write a text"),
        (
            3,
            {"path": ["host_id -> accounts"]},
            '"host_id -> accounts" is no link. Write "column = other_table.column"',
        ),
        (3, {"path": ["company_id = companies.id"]}, 'path ends at "companies". End it at "accounts"'),
        (3, {"path": []}, "nothing leads to the person. Add path, match, or both"),
        (3, {"on_deletion": "keep"}, "keeps rows without a legal ground. Add keep"),
        (3, {"subject": "host"}, 'subject "host" is not described'),
        (0, {"columns": {"email": {"correct": "email"}}}, "columns.email.field: is missing"),
        (0, {"columns": {"email": {"on_deletion": "delete"}}}, '"delete" is for whole rows'),
    ],
)
def test_a_fault_names_table_key_and_mend(place: int, changes: dict[str, object], expected: str) -> None:
    assert expected in faults_of(broken(place, **changes))


def test_all_faults_are_told_at_once() -> None:
    document = broken(0, access="maybe")
    document["surprise"] = 1
    document["version"] = 9
    told = faults_of(document)
    assert "surprise" in told and "version" in told and "maybe" in told


def test_a_place_described_twice_is_a_fault() -> None:
    document = copy.deepcopy(EXAMPLE)
    document["places"].append(copy.deepcopy(document["places"][3]))
    assert "is described twice" in faults_of(document)


def test_a_visitor_place_matched_by_address_must_stay_with_one_host() -> None:
    document = copy.deepcopy(EXAMPLE)
    del document["places"][-1]["scope"]
    assert "match without scope" in faults_of(document)


UNHURRIED = settings(
    suppress_health_check=[HealthCheck.too_slow], deadline=None
)  # other work shares the machine


@UNHURRIED
@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_no_document_whatever_makes_it_raise(document: dict[str, object]) -> None:
    assert isinstance(read_data_map(document), DataMap | MapFaults)


@UNHURRIED
@given(st.integers(0, len(EXAMPLE["places"]) - 1), st.sampled_from(sorted(EXAMPLE["places"][0])), JSON)
def test_no_value_of_a_place_makes_it_raise(place: int, key: str, value: object) -> None:
    assert isinstance(read_data_map(broken(place, **{key: value})), DataMap | MapFaults)
