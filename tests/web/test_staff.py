"""The staff desk: who may in, what is seen, what may be done."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest

from mailbot.core.request import Capacity, FieldChange, Kind
from mailbot.core.workflow import Event, State
from mailbot.store import ledger, staff
from mailbot.web.staff.case import ACTIONS, possible_actions
from mailbot.web.staff.grant import GRANT_MINUTES
from tests.web.conftest import NOW, PASSWORD, World, add_case, add_quarantined, first_request

HOSTILE = (
    '<p onclick="alert(1)">Hi <b>there</b></p><script>alert(2)</script><img src="https://evil.example/pixel">'
    '<form action="https://evil.example"><input name="csrf"></form><a href="javascript:alert(3)">click</a>'
    '<iframe src="https://evil.example"></iframe><svg onload="alert(4)"></svg><div hx-get="/staff/">x</div>'
    '<style>body{display:none}</style><meta http-equiv="refresh" content="0;url=https://evil.example">'
)


def _open(world: World, reference: str) -> str:
    """Stan is logged in and opened the case; says the CSRF token."""
    csrf = world.log_in()
    world.client.post(f"/staff/case/{reference}/open", data={"csrf": csrf})
    world.deeds.done.clear()
    return csrf


def test_nobody_sees_staff_pages_without_a_login(world: World) -> None:
    reference = add_case(world.store)
    for path in ("/staff/", f"/staff/case/{reference}", "/staff"):
        answer = world.client.get(path)
        assert answer.url.path == "/staff/login"
        assert reference not in answer.text


@pytest.mark.parametrize(
    ("name", "password"),
    [("stan", "wrong"), ("nobody", PASSWORD), ("nora", PASSWORD), ("", ""), ("stan", "x" * 5000)],
)
def test_every_wrong_login_has_the_same_answer(world: World, name: str, password: str) -> None:
    """Nora's password is right, but she has not signed the confidentiality agreement (policy 8.7)."""
    answer = world.client.post("/staff/login", data={"name": name, "password": password})
    assert answer.status_code == 401
    assert "do not open an account" in answer.text
    assert not answer.cookies


def test_the_login_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    answer = world.client.post(
        "/staff/login", data={"name": "stan", "password": PASSWORD}, follow_redirects=False
    )
    cookie = answer.headers["set-cookie"]
    for word in ("__Host-mailbot=", "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word in cookie


def test_guessing_passwords_has_to_wait_whatever_the_name(world: World) -> None:
    for number in range(10):
        world.client.post("/staff/login", data={"name": f"n{number}", "password": "x"})
    answer = world.client.post("/staff/login", data={"name": "stan", "password": PASSWORD})
    assert answer.status_code == 429
    world.clock[0] += timedelta(minutes=16)
    assert world.log_in()


def test_a_login_sent_by_another_site_is_refused(world: World) -> None:
    answer = world.client.post(
        "/staff/login",
        data={"name": "stan", "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


def test_a_login_ends_by_itself_by_logging_out_and_when_the_account_is_disabled(world: World) -> None:
    csrf = world.log_in()
    world.client.post("/staff/logout", data={"csrf": csrf})
    assert world.client.get("/staff/").url.path == "/staff/login"
    world.log_in()
    world.clock[0] += timedelta(hours=13)
    assert world.client.get("/staff/").url.path == "/staff/login"
    world.log_in()
    with world.store.begin() as tx:
        staff.disable(tx, "stan", NOW)
    assert world.client.get("/staff/").url.path == "/staff/login"


def test_the_queue_masks_people_and_shows_what_matters(world: World) -> None:
    reference = add_case(world.store, due=date(2026, 11, 20), verdict="forged")
    world.log_in()
    page = world.client.get("/staff/").text
    for shown in (reference, "2 days overdue", "deletion", "forged", "the sender is not proven", "a…@….org"):
        assert shown in page
    for opinion in ("rules 96 %, second 88 %", "The person wants their account closed."):
        assert opinion in page
    for hidden in ("alice", "Alice", "delete my account", "My account"):
        assert hidden not in page


def test_authorities_come_first_then_the_most_urgent(world: World) -> None:
    later = add_case(world.store, due=date(2026, 12, 20))
    sooner = add_case(world.store, due=date(2026, 12, 1))
    authority = add_case(world.store, kind=Kind.AUTHORITY, due=date(2026, 12, 24))
    world.log_in()
    page = world.client.get("/staff/").text
    assert page.index(authority) < page.index(sooner) < page.index(later)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "AB"),
        ("?state=waiting&kind=deletion", "A"),
        ("?language=fr", "B"),
        ("?state=done", "C"),
        ("?state=", "ABC"),
        ("?state=<script>&kind=x&language=y&page=-1", "ABC"),
    ],
)
def test_the_queue_can_be_filtered(world: World, query: str, shown: str) -> None:
    cases = {
        "A": add_case(world.store),
        "B": add_case(world.store, kind=Kind.QUESTION, language="fr"),
        "C": add_case(world.store, state=State.DONE),
    }
    world.log_in()
    page = world.client.get(f"/staff/{query}").text
    assert {letter for letter, reference in cases.items() if reference in page} == set(shown)
    assert "<script>" not in page


def test_a_case_is_masked_until_it_is_opened_and_opening_is_recorded(world: World) -> None:
    """Policy 2.4, 8.7."""
    reference = add_case(world.store)
    csrf = world.log_in()
    sealed = world.client.get(f"/staff/case/{reference}").text
    assert reference in sealed
    for hidden in ("alice@", "Alice", "delete my account", "My account", "Approve"):
        assert hidden not in sealed
    assert world.deeds.done == []
    opened = world.client.post(f"/staff/case/{reference}/open", data={"csrf": csrf})
    assert "alice@example.org" in opened.text
    ((what, which, by, _),) = world.deeds.done
    assert (what, which) == ("opened", reference)
    with world.store.read() as tx:
        stan = staff.by_name(tx, "stan")
    assert stan
    assert by == str(stan.id)


def test_leave_to_see_a_case_ends_and_holds_for_one_case_and_one_login(world: World) -> None:
    one, other = add_case(world.store), add_case(world.store, address="bob@example.org", name="Bob")
    _open(world, one)
    assert "alice@" in world.client.get(f"/staff/case/{one}").text
    assert "bob@" not in world.client.get(f"/staff/case/{other}").text
    cookie = next(cookie for cookie in world.client.cookies.jar if cookie.name == "mailbot-opened")
    assert cookie.path == f"/staff/case/{one}"
    world.client.cookies.set("mailbot-opened", cookie.value or "", path=f"/staff/case/{other}")
    assert "bob@" not in world.client.get(f"/staff/case/{other}").text
    world.log_in()  # a new login: what the old one opened is masked again
    assert "alice@" not in world.client.get(f"/staff/case/{one}").text
    _open(world, one)
    world.clock[0] += timedelta(minutes=GRANT_MINUTES + 1)
    assert "alice@" not in world.client.get(f"/staff/case/{one}").text


@pytest.mark.parametrize("value", ["", "9", "9.9", "99999999999.00", "x.y", "9" * 50 + ".a", "²."])
def test_leave_cannot_be_made_up(world: World, value: str) -> None:
    reference = add_case(world.store)
    world.log_in()
    page = world.client.get(f"/staff/case/{reference}", headers={b"Cookie": _with(world, value)})
    assert page.status_code == 200
    assert "alice@" not in page.text


def _with(world: World, value: str) -> bytes:
    login = "; ".join(f"{cookie.name}={cookie.value}" for cookie in world.client.cookies.jar)
    return f"{login}; mailbot-opened={value}".encode()


def test_evidence_is_marked_with_its_rule(world: World) -> None:
    reference = add_case(world.store)
    _open(world, reference)
    page = world.client.get(f"/staff/case/{reference}").text
    assert "deletion.en.close_account: The person wants their account closed." in page
    assert ">delete my account</mark>" in page


def test_both_opinions_stand_beside_the_mail_with_what_they_weighed(world: World) -> None:
    reference = add_case(world.store)
    _open(world, reference)
    page = world.client.get(f"/staff/case/{reference}").text
    for shown in (
        "Rules: 96 %",
        "Second opinion: 88 %",
        "delete before account",
        "+1.21",
        "yesterday",
        "-0.07",
    ):
        assert shown in page


def test_a_hostile_mail_cannot_do_anything_on_our_page(world: World) -> None:
    evil = "</div><script>alert(1)</script> delete my account {{ 7*7 }}"
    reference = add_case(
        world.store,
        text=evil,
        html=HOSTILE,
        subject="<script>alert(0)</script>",
        name='"><img src=x onerror=1>',
    )
    _open(world, reference)
    page = world.client.get(f"/staff/case/{reference}").text
    body = page.partition("<main")[2]
    for gone in (
        "<script",
        "<img",
        "<iframe",
        "<svg",
        "<style",
        "<meta",
        "javascript:",
        "evil.example/pixel",
    ):
        assert gone not in body
    for attribute in ("onclick=", 'hx-get="/staff/">x', "onload="):
        assert attribute not in body
    assert "<b>there</b>" in body
    assert "&lt;script&gt;alert(1)" in body
    assert body.count('name="csrf"') == body.count("<form") - 0


def test_files_are_only_ever_saved_never_shown(world: World) -> None:
    reference = add_case(world.store)
    _open(world, reference)
    page = world.client.get(f"/staff/case/{reference}").text
    path = page.partition('<ul class="files">')[2].partition('href="')[2].partition('"')[0]
    file = world.client.get(path)
    assert file.content == b"<script>alert(1)</script>"
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''evil.html"
    assert "sandbox" in file.headers["content-security-policy"]
    whole = world.client.get(path.rpartition("/")[0] + "/mail")
    assert whole.content.startswith(b"From: ")
    for wrong in ("0", "2", "x", "9" * 30, "-1"):
        assert world.client.get(path.rpartition("/")[0] + "/" + wrong).status_code == 404


def test_files_of_a_case_that_was_not_opened_are_not_given(world: World) -> None:
    reference = add_case(world.store)
    _open(world, reference)
    page = world.client.get(f"/staff/case/{reference}").text
    path = page.partition('<ul class="files">')[2].partition('href="')[2].partition('"')[0]
    world.log_in()
    assert b"<script>alert" not in world.client.get(path).content


def test_only_what_the_workflow_allows_can_be_pressed(world: World) -> None:
    for kind, state in itertools.product((Kind.DELETION, Kind.RESTRICTION), State):
        reference = add_case(world.store, kind=kind, state=state)
        _open(world, reference)
        page = world.client.get(f"/staff/case/{reference}").text
        request = first_request(world.store, reference)
        offered = {name for name in ACTIONS if f"/{request.id}/{name}" in page}
        assert offered == set(possible_actions(kind, state))


def test_every_event_of_staff_has_a_button() -> None:
    ours = {event for events in ACTIONS.values() for event in events}
    assert ours == {event for event in Event if event.value.startswith("staff_")}


@pytest.mark.parametrize(
    ("action", "form", "deed"),
    [
        ("approve", {}, ("approve",)),
        ("ask-proof", {}, ("ask_proof",)),
        ("refuse", {"reason": "no\r\nreason"}, ("refuse", "no\nreason")),
        ("dismiss", {"reason": "spam"}, ("dismiss", "spam")),
        ("reply", {"text": "Hello", "then": "close"}, ("reply", "Hello", ("closes", True))),
        ("reply", {"text": "Hello", "then": "wait"}, ("reply", "Hello", ("closes", False))),
        (
            "reclassify",
            {
                "kind": "correction",
                "capacity": "user",
                "field0": "name",
                "new0": "Al",
                "field1": "",
                "new1": "x",
            },
            ("reclassify", Kind.CORRECTION, Capacity.USER, (FieldChange("name", None, "Al"),)),
        ),
        (
            "reclassify",
            {"kind": "question", "capacity": "visitor", "field0": "name", "new0": "Al"},
            ("reclassify", Kind.QUESTION, Capacity.VISITOR, ()),
        ),
    ],
)
def test_each_decision_reaches_the_desk(world: World, action: str, form: dict, deed: tuple) -> None:
    reference = add_case(world.store)
    csrf = _open(world, reference)
    request = first_request(world.store, reference)
    answer = world.client.post(f"/staff/case/{reference}/{request.id}/{action}", data={**form, "csrf": csrf})
    assert answer.status_code == 200
    with world.store.read() as tx:
        stan = staff.by_name(tx, "stan")
    assert stan
    ((name, which, *rest),) = world.deeds.done
    assert which == request.id
    assert str(stan.id) in rest
    assert NOW in rest
    assert (name, *(one for one in rest if one not in (str(stan.id), NOW))) == deed


def test_a_case_is_extended_with_its_reason(world: World) -> None:
    reference = add_case(world.store)
    csrf = _open(world, reference)
    world.client.post(f"/staff/case/{reference}/extend", data={"csrf": csrf, "reason": "many events"})
    assert world.deeds.done[0][:3] == ("extend", reference, "many events")


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("refuse", {"reason": " "}),
        ("reply", {}),
        ("reply", {"text": "x" * 30_000}),
        ("reclassify", {"kind": "x", "capacity": "user"}),
    ],
)
def test_an_incomplete_decision_changes_nothing_and_says_what_is_missing(
    world: World, action: str, form: dict
) -> None:
    reference = add_case(world.store)
    csrf = _open(world, reference)
    request = first_request(world.store, reference)
    answer = world.client.post(f"/staff/case/{reference}/{request.id}/{action}", data={**form, "csrf": csrf})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert world.deeds.done == []


def test_what_the_desk_cannot_do_is_said_on_the_page(world: World) -> None:
    reference = add_case(world.store)
    csrf = _open(world, reference)
    world.desk.trouble = "nothing is stored under this address"
    request = first_request(world.store, reference)
    answer = world.client.post(f"/staff/case/{reference}/{request.id}/approve", data={"csrf": csrf})
    assert answer.status_code == 422
    assert "nothing is stored under this address" in answer.text


def test_no_decision_without_csrf_token_or_from_another_site_or_unopened(world: World) -> None:
    reference = add_case(world.store)
    request = first_request(world.store, reference)
    path = f"/staff/case/{reference}/{request.id}/approve"
    csrf = world.log_in()
    world.client.post(path, data={"csrf": csrf})  # not opened
    _open(world, reference)
    csrf = _csrf(world)
    for form in ({"x": ""}, {"csrf": ""}, {"csrf": "x"}, {"csrf": "ß"}):
        assert world.client.post(path, data=form).status_code == 403
    elsewhere = {"Sec-Fetch-Site": "same-site"}
    assert world.client.post(path, data={"csrf": csrf}, headers=elsewhere).status_code == 403
    assert world.deeds.done == []


def _csrf(world: World) -> str:
    return world.client.get("/staff/").text.partition('name="csrf" value="')[2].partition('"')[0]


def test_a_request_of_another_case_cannot_be_decided_here(world: World) -> None:
    mine, other = add_case(world.store), add_case(world.store)
    csrf = _open(world, mine)
    request = first_request(world.store, other)
    answer = world.client.post(f"/staff/case/{mine}/{request.id}/approve", data={"csrf": csrf})
    assert answer.status_code == 404
    assert world.deeds.done == []


def test_a_quarantined_mail_is_listed_masked_and_opening_it_is_recorded(world: World) -> None:
    message_id = add_quarantined(world.store)
    csrf = world.log_in()
    assert "broken header" in world.client.get("/staff/").text
    assert "secret words" not in world.client.get(f"/staff/quarantine/{message_id}").text
    assert world.client.get(f"/staff/quarantine/{message_id}/file/mail").url.path.endswith(message_id)
    opened = world.client.post(f"/staff/quarantine/{message_id}/open", data={"csrf": csrf})
    assert "secret words" in opened.text
    assert world.client.get(f"/staff/quarantine/{message_id}/file/mail").content.startswith(b"Subject: odd")
    with world.store.read() as tx:
        assert [entry.action for entry in ledger.entries(tx)] == ["opened"]


@pytest.mark.parametrize("path", ["case/ZZZZ-ZZZZ", "quarantine/x", "quarantine/" + "0" * 32])
def test_what_is_not_there_is_404(world: World, path: str) -> None:
    csrf = world.log_in()
    assert world.client.get(f"/staff/{path}").status_code == 404
    assert world.client.post(f"/staff/{path}/open", data={"csrf": csrf}).status_code == 404
