"""Transactions, keys, tokens, work, messages, exports and the suppression list, on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from mailbot.core.ledger import Broken, Entry
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.token import Purpose
from mailbot.core.workflow import State
from mailbot.store import cases, exports, ledger, messages, suppressions, tokens, works
from mailbot.store.database import Store, StoreTrouble, new_id
from mailbot.store.encryption import Destroyed, Keyring, KeyTrouble
from mailbot.store.messages import STRETCH_BYTES, Incoming, Place
from mailbot.store.tables import Case, Work
from mailbot.store.works import WorkKind
from tests.store.conftest import ALICE, MASTER, NOW, a_case

PLACE = Place("privacy", 7, 1)


def test_an_exception_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(RuntimeError), store.begin() as tx:
        a_case(tx)
        ledger.append(tx, Entry(NOW, "x", "mailbot", "", "", "", {}))
        raise RuntimeError
    with store.read() as tx:
        assert cases.count(tx) == 0
        assert ledger.check(tx) == 0


def test_what_was_sealed_comes_back_whole_and_in_utc(store: Store) -> None:
    with store.begin() as tx:
        case_id = a_case(tx).id
    with store.read() as tx:
        (case,) = cases.of_address(tx, ALICE.upper())
        assert case.id == case_id
        assert cases.person_of(tx, case).subject == "My data"
        assert case.opened_at == NOW
        assert case.opened_at.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="time zone"), store.begin() as tx:
        a_case(tx).closed_at = NOW.replace(tzinfo=None)


def test_another_master_key_opens_nothing_and_says_the_mend(store: Store) -> None:
    with store.begin() as tx:
        a_case(tx)
    other = Store(store.url, Keyring([bytes(32)]))
    with pytest.raises(KeyTrouble, match="add the old key"), other.read() as tx:
        cases.of_address(tx, ALICE)
    other.engine.dispose()


def test_a_master_key_can_be_replaced(store: Store) -> None:
    with store.begin() as tx:
        a_case(tx)
    newer = Store(store.url, Keyring([bytes(32), MASTER]))
    assert newer.rewrap() >= 1
    newer.engine.dispose()
    newest = Store(store.url, Keyring([bytes(32)]))
    with newest.read() as tx:
        (case,) = cases.of_address(tx, ALICE)
        assert cases.person_of(tx, case).address == ALICE
    newest.engine.dispose()


def test_a_destroyed_key_opens_nothing_for_ever(store: Store) -> None:
    with store.begin() as tx:
        case = a_case(tx)
        tx.session.flush()
        messages.destroy_after(tx, case.key_id, 1, NOW)
    with store.begin() as tx:
        assert messages.destroy_due_keys(tx, NOW.date()) == 0
        assert messages.destroy_due_keys(tx, NOW.date() + timedelta(days=1)) == 1
    with store.read() as tx, pytest.raises(Destroyed):
        cases.person_of(tx, cases.of_address(tx, ALICE)[0])


def test_a_token_is_found_once_for_its_purpose_and_time(store: Store) -> None:
    with store.begin() as tx:
        case = a_case(tx)
        token = tokens.mint(tx, Purpose.CONFIRM, case_id=case.id, address=ALICE, days=30, now=NOW)
    with store.begin() as tx:
        assert tokens.find(tx, token, Purpose.EXPORT, NOW) is None
        assert tokens.find(tx, token, Purpose.CONFIRM, NOW + timedelta(days=30)) is None
        taken = tokens.take(tx, token.upper(), Purpose.CONFIRM, NOW)
        assert taken is not None
        tokens.use(taken[0], NOW)
    with store.begin() as tx:
        assert tokens.take(tx, token, Purpose.CONFIRM, NOW) is None


def test_the_token_itself_is_nowhere_in_the_database(store: Store) -> None:
    with store.begin() as tx:
        token = tokens.mint(tx, Purpose.CONFIRM, case_id=a_case(tx).id, address=ALICE, days=30, now=NOW)
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM token")).all()
    assert token not in repr(rows)
    assert ALICE not in repr(rows)


def test_work_is_leased_to_one_at_a_time(store: Store) -> None:
    with store.begin() as tx:
        case = a_case(tx)
        for _ in range(40):
            works.add(tx, WorkKind.APPLY, case_id=case.id, now=NOW)
    claimed: list[str] = []
    barrier = threading.Barrier(4)

    def worker() -> None:
        barrier.wait(30)
        while True:
            with store.begin() as tx:
                mine = [str(work.id) for work in works.claim(tx, [WorkKind.APPLY], NOW, 3)]
            if not mine:
                return
            claimed.extend(mine)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(claimed) == len(set(claimed)) == 40
    with store.begin() as tx:
        after = NOW + timedelta(seconds=works.LEASE_SECONDS)
        assert len(works.claim(tx, [WorkKind.APPLY], after, 100)) == 40, "a dead worker's work is taken up"


@pytest.mark.parametrize("earlier", [Kind.CORRECTION, Kind.ACCESS, Kind.PORTABILITY])
def test_a_deletion_waits_for_what_must_come_before_it(store: Store, earlier: Kind) -> None:
    with store.begin() as tx:
        case = a_case(tx)
        first = cases.add_request(tx, case, Asked(earlier, Capacity.USER, 1.0), 0, NOW)
        last = cases.add_request(tx, case, Asked(Kind.DELETION, Capacity.USER, 1.0), 1, NOW)
        works.add(tx, WorkKind.APPLY, case_id=case.id, request_id=last.id, now=NOW)
    with store.begin() as tx:
        assert works.claim(tx, [WorkKind.APPLY], NOW, 10) == []
        tx.session.get_one(type(first), first.id).state = State.DONE
    with store.begin() as tx:
        assert len(works.claim(tx, [WorkKind.APPLY], NOW, 10)) == 1


def test_a_message_keeps_its_bytes_whatever_its_size(store: Store) -> None:
    for size in (0, 1, STRETCH_BYTES, STRETCH_BYTES + 1, 3 * STRETCH_BYTES):
        raw = bytes([size % 251]) * size
        with store.begin() as tx:
            key_id, _ = tx.new_key()
            incoming = Incoming(raw, NOW, "lmtp")
            saved = messages.save(
                tx, incoming, key_id=key_id, case=None, disposition="ignored", reason="", now=NOW
            )
        with store.read() as tx:
            assert messages.raw_of(tx, tx.session.get_one(type(saved), saved.id)) == raw


def test_the_same_bytes_are_stored_once(store: Store) -> None:
    def save() -> None:
        with store.begin() as tx:
            key_id, _ = tx.new_key()
            incoming = Incoming(b"x", NOW, "imap", Place("privacy", 7, new_id().int % 1000))
            messages.save(tx, incoming, key_id=key_id, case=None, disposition="ignored", reason="", now=NOW)

    save()
    with pytest.raises(Exception, match=r"(?i)unique"):
        save()


def test_what_is_known_of_a_place_names_the_bytes_that_stood_there(store: Store) -> None:
    incoming = Incoming(b"x", NOW, "imap", PLACE)
    with store.begin() as tx:
        key_id, _ = tx.new_key()
        messages.save(tx, incoming, key_id=key_id, case=None, disposition="quarantined", reason="", now=NOW)
    with store.read() as tx:
        known = messages.known_places(tx, [PLACE, Place("privacy", 8, 1)])
        assert known[PLACE].content_hash == incoming.content_hash
        assert known[PLACE].disposition == "quarantined"
        assert len(known) == 1


def test_the_ledger_has_one_order_whoever_writes(store: Store) -> None:
    barrier = threading.Barrier(4)

    def write() -> None:
        barrier.wait(30)
        for number in range(10):
            with store.begin() as tx:
                ledger.append(tx, Entry(NOW, "x", "mailbot", "", "", "", {"n": number}))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with store.read() as tx:
        assert ledger.check(tx) == 40


def test_several_that_start_at_once_on_a_new_database_agree_on_its_secret(store: Store) -> None:
    """Otherwise links and hashes of one process would mean nothing to another."""
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM secret"))
    stores = [Store(store.url, Keyring([MASTER])) for _ in range(6)]
    barrier, links = threading.Barrier(len(stores)), []

    def first_use(one: Store) -> None:
        barrier.wait(30)
        links.append(one.pseudonyms.link_token(ALICE))
        one.engine.dispose()

    threads = [threading.Thread(target=first_use, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(links) == len(stores)
    assert len(set(links)) == 1


def test_a_ledger_row_edited_in_the_database_is_found(store: Store) -> None:
    with store.begin() as tx:
        for number in range(5):
            ledger.append(tx, Entry(NOW, "x", "mailbot", "", "", "", {"n": number}))
    with store.begin() as tx:
        tx.session.connection().execute(text("UPDATE ledger SET actor = 'staff:1' WHERE sequence = 2"))
    with store.read() as tx:
        assert ledger.check(tx) == Broken(2)


def test_the_suppression_list_remembers_who_came_off_it(store: Store) -> None:
    with store.begin() as tx:
        assert suppressions.suppress(tx, ALICE, how="link", by="person", now=NOW)
        tx.session.flush()
        assert not suppressions.suppress(tx, ALICE.upper(), how="api", by="person", now=NOW)
        assert suppressions.lift(tx, ALICE, NOW + timedelta(days=1))
        assert not suppressions.lift(tx, ALICE, NOW + timedelta(days=2))
    with store.read() as tx:
        assert not suppressions.is_suppressed(tx, ALICE)
        row = suppressions.status(tx, ALICE)
        assert row is not None
        assert row.lifted_at == NOW + timedelta(days=1)


def export_work(store: Store) -> tuple[Case, Work]:
    """Work that makes an export, in hand."""
    with store.begin() as tx:
        case = a_case(tx)
        request = cases.add_request(tx, case, Asked(Kind.ACCESS, Capacity.USER, 1.0), 0, NOW)
        works.add(tx, WorkKind.APPLY, case_id=case.id, request_id=request.id, now=NOW)
    with store.begin() as tx:
        (work,) = works.claim(tx, [WorkKind.APPLY], NOW, 1)
    return case, work


def request_of(work: Work) -> UUID:
    assert work.request_id is not None
    return work.request_id


def test_an_export_is_sealed_in_stretches_and_gone_when_removed(store: Store) -> None:
    content = b"alice.martin" * 600_000
    case, work = export_work(store)
    writer = exports.ExportWriter(store, case, work, lambda: NOW)
    for start in range(0, len(content), 70_000):
        writer.write(content[start : start + 70_000])
    with store.read() as tx:
        assert exports.of_request(tx, request_of(work)) is None, "it counts when it is whole"
    writer.finish()
    with store.read() as tx:
        export = exports.of_request(tx, request_of(work))
        assert export is not None
        assert export.size == len(content)
        assert b"".join(exports.stretches(store, case.key_id, export.id)) == content
        assert (
            b"alice.martin"
            not in repr(
                tx.session.connection().execute(text("SELECT sealed FROM export_part")).all()
            ).encode()
        )
    with store.begin() as tx:
        exports.remove_made_before(tx, NOW)
    with store.read() as tx:
        assert exports.of_request(tx, request_of(work)) is None
        assert tx.session.connection().execute(text("SELECT count(*) FROM export_part")).scalar() == 0


def test_an_export_begun_twice_is_the_second_ones(store: Store) -> None:
    """A worker that was slower than its lease stops; what it wrote does not mix with the other's."""
    case, work = export_work(store)
    slow = exports.ExportWriter(store, case, work, lambda: NOW)
    slow.write(b"old")
    late = NOW + timedelta(seconds=works.LEASE_SECONDS)
    with store.begin() as tx:
        (again,) = works.claim(tx, [WorkKind.APPLY], late, 1)
    quick = exports.ExportWriter(store, case, again, lambda: late)
    quick.write(b"new")
    with pytest.raises(exports.LeaseLost):
        slow.finish()
    quick.finish()
    with store.read() as tx:
        export = exports.of_request(tx, request_of(work))
        assert export is not None
        assert b"".join(exports.stretches(store, case.key_id, export.id)) == b"new"


def test_writing_prolongs_the_lease(store: Store) -> None:
    case, work = export_work(store)
    later = NOW + timedelta(seconds=works.LEASE_SECONDS - 1)
    exports.ExportWriter(store, case, work, lambda: later)
    with store.begin() as tx:
        assert not works.claim(tx, [WorkKind.APPLY], NOW + timedelta(seconds=works.LEASE_SECONDS), 1)


def test_an_unsubscribe_link_is_the_same_for_ever_and_opens_for_us_only(store: Store) -> None:
    token = store.pseudonyms.link_token(ALICE)
    assert token == store.pseudonyms.link_token(f" {ALICE.upper()} ".strip())
    assert store.pseudonyms.address_in(token) == ALICE
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        assert store.pseudonyms.address_in(token[:place] + other + token[place + 1 :]) is None


def test_an_old_schema_is_refused_with_the_command_that_mends_it(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    again = Store(store.url, Keyring([MASTER]))
    with pytest.raises(StoreTrouble, match="db upgrade"):
        again.open()
    again.engine.dispose()
