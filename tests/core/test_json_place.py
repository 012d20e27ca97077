"""Values inside JSON documents are found and replaced, and nothing else of the document changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.json_place import Json, values_at, with_value

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
WAYS = st.lists(st.sampled_from(["a", "b", "c", "*"]), min_size=1, max_size=4)


def test_every_entry_of_a_list_is_meant_by_a_star() -> None:
    document: Json = {"to": [{"mail": "a@x.org", "n": 1}, {"mail": "b@x.org"}, "c@x.org"], "from": "d@x.org"}
    assert list(values_at(document, ("to", "*", "mail"))) == ["a@x.org", "b@x.org"]
    assert with_value(document, ("to", "*", "mail"), None) == {
        "to": [{"mail": None, "n": 1}, {"mail": None}, "c@x.org"],
        "from": "d@x.org",
    }


def test_where_there_is_no_such_place_nothing_is_written() -> None:
    assert with_value({"a": 1}, ("b", "c"), "x") == {"a": 1}
    assert with_value("text", ("a",), "x") == "text"


@given(DOCUMENTS, WAYS)
def test_what_is_written_is_what_is_found_and_writing_again_changes_nothing(
    document: Json, way: list[str]
) -> None:
    written = with_value(document, way, "new")
    assert all(value == "new" for value in values_at(written, way))
    assert with_value(written, way, "new") == written
    if not list(values_at(document, way)):
        assert written == document
