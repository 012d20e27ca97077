"""After a restored backup the deleted are deleted again and the unsubscribed unsubscribed, by keyed hashes alone.

Everybody on the platform is looked at, a batch at a time; each deletion goes the way of any other: plan, change,
read-back, ledger. Doing it again finds only what is left, so a run that was cut off is simply run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from mailbot.advance import MAILBOT
from mailbot.alarms import Alarm, Alarms
from mailbot.core.ledger import Entry
from mailbot.core.plan import Change, Deletion, Plan, PlatformTrouble, Subject, Unsubscribe
from mailbot.core.replay import Judged, Verdict, judge
from mailbot.platform.interface import WalkedPlatform
from mailbot.store import cases, ledger, suppressions
from mailbot.store.database import Store

FEW = 10
"""So many deletions are never too many, however small the platform."""
CHANNEL = "replay"
"""Of the cases that say who was left to staff."""
_GROUNDS = "a backup was restored"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run stops itself: beyond this share of all accounts, unless exactly so many are agreed to. With
    `despite_vetoes` what the data map wants staff to see first is deleted, too."""

    most_percent: float = 5
    agreed: int | None = None
    despite_vetoes: bool = False


@dataclass(frozen=True, slots=True)
class LeftToStaff:
    """Somebody whom a person must look at: the platform's key, which is no personal data, and why."""

    key: str
    why: str


@dataclass(slots=True)
class Replayed:
    """What a run found and did. `to_delete` and `to_unsubscribe` are counts of what was found."""

    addresses: int = 0
    accounts: int = 0
    to_delete: int = 0
    deleted: int = 0
    to_unsubscribe: int = 0
    unsubscribed: int = 0
    registered_again: int = 0
    stopped: str = ""
    left: list[LeftToStaff] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing is left for anybody to do."""
        return not self.stopped and not self.left


class Replaying:
    """Cleans a platform that was restored. `tell` hears how many addresses were looked at so far."""

    def __init__(
        self,
        store: Store,
        platform: WalkedPlatform,
        clock: Callable[[], datetime],
        alarms: Alarms,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._platform = platform
        self._clock = clock
        self._alarms = alarms
        self._tell = tell

    def run(self, limits: Limits, *, dry: bool) -> Replayed:
        """What was found, and done unless `dry`. Raises PlatformTrouble when the platform cannot be read."""
        done = Replayed(accounts=self._platform.count_people())
        found = self._find(done)
        done.to_delete = len(found)
        done.stopped = _too_many(done, limits)
        if done.stopped:
            return done
        if not dry:
            self._platform.finish_open()
            for subject, judged in found:
                self._delete(subject, judged, limits, done)
        self._unsubscribe_all(done, dry=dry)
        if not dry:
            self._tell_staff(done)
        return done

    def unsubscribe(self) -> Replayed:
        """Whoever is on the suppression list gets no mail from the platform. Raises PlatformTrouble."""
        done = Replayed()
        self._unsubscribe_all(done, dry=False)
        self._tell_staff(done)
        return done

    def _tell_staff(self, done: Replayed) -> None:
        """Whoever is left to staff is a line of their queue, once: whom it is about is sealed in it."""
        if not done.left:
            return
        reason = _reason(done.left)
        note = "\n".join(f"{one.key}: {one.why}" for one in done.left)
        with self._store.begin() as tx:
            if reason not in cases.open_reasons(tx, CHANNEL):
                self._alarms.raise_one(tx, Alarm(CHANNEL, CHANNEL, reason, note), self._clock(), by=MAILBOT)

    def _find(self, done: Replayed) -> list[tuple[Subject, Judged]]:
        """Everybody to be deleted again. Held in memory: they are no more than were ever deleted."""
        found: dict[str, tuple[Subject, Judged]] = {}
        seen: set[str] = set()
        for batch in self._platform.people():
            self._count(batch, done)
            with self._store.read() as tx:
                erased = suppressions.erasures_of(tx, batch)
            for address, deletions in erased.items():
                for subject in self._platform.find(address):
                    judged = judge(subject, self._platform.created(subject), deletions)
                    if judged is not None and subject.key not in found:
                        self._note(subject, judged, seen, found, done)
        return list(found.values())

    def _note(
        self,
        subject: Subject,
        judged: Judged,
        seen: set[str],
        found: dict[str, tuple[Subject, Judged]],
        done: Replayed,
    ) -> None:
        match judged.verdict:
            case Verdict.DELETE:
                found[subject.key] = subject, judged
            case Verdict.REGISTERED_AGAIN if subject.key not in seen:
                done.registered_again += 1
            case Verdict.STAFF if subject.key not in seen:
                done.left.append(LeftToStaff(subject.key, judged.why))
        seen.add(subject.key)

    def _delete(self, subject: Subject, judged: Judged, limits: Limits, done: Replayed) -> None:
        change = Deletion(subject)
        plan = self._platform.plan(change)
        if plan.vetoes and not limits.despite_vetoes:
            done.left.append(LeftToStaff(subject.key, "; ".join(plan.vetoes)))
            return
        why = self._change(change, plan)
        if why:
            done.left.append(LeftToStaff(subject.key, why))
            return
        done.deleted += 1
        details: dict[str, str | int] = {"subject": subject.key, "rows": plan.rows, "files": len(plan.files)}
        with self._store.begin() as tx:
            suppressions.remember_erasure(tx, plan.identifiers, subject.key, judged.at)
            ledger.append(tx, Entry(self._clock(), "deleted_again", MAILBOT, "", "", _GROUNDS, details))

    def _unsubscribe_all(self, done: Replayed, *, dry: bool) -> None:
        for batch in self._platform.promoted():
            self._count(batch, done)
            with self._store.read() as tx:
                listed = suppressions.listed(tx, batch)
            for address in listed:
                self._unsubscribe(address, done, dry=dry)
        if done.unsubscribed:
            details: dict[str, str | int] = {"addresses": done.unsubscribed}
            with self._store.begin() as tx:
                ledger.append(
                    tx, Entry(self._clock(), "unsubscribed_again", MAILBOT, "", "", _GROUNDS, details)
                )

    def _unsubscribe(self, address: str, done: Replayed, *, dry: bool) -> None:
        change = Unsubscribe(address)
        plan = self._platform.plan(change)
        if not plan.rows:
            return
        done.to_unsubscribe += 1
        if dry:
            return
        why = self._change(change, plan)
        if why:
            done.left.append(LeftToStaff("promotional mail", why))
        else:
            done.unsubscribed += 1

    def _change(self, change: Change, plan: Plan) -> str:
        """The change is made and read back; else why not. Its key is new: a restored platform knows the old ones."""
        try:
            self._platform.apply(plan, str(uuid4()))
            return self._platform.read_back(change, plan).reason
        except PlatformTrouble as trouble:
            return str(trouble)

    def _count(self, batch: Sequence[str], done: Replayed) -> None:
        done.addresses += len(batch)
        self._tell(done.addresses)


def _reason(left: Sequence[LeftToStaff]) -> str:
    """How many there are, and how many for each reason."""
    whys = "; ".join(f"{count} because: {why}" for why, count in Counter(one.why for one in left).items())
    return f"after a restored backup {len(left)} could not be cleaned without a person: {whys}"


def _too_many(done: Replayed, limits: Limits) -> str:
    most = max(FEW, int(done.accounts * limits.most_percent / 100))
    if done.to_delete <= most or done.to_delete == limits.agreed:
        return ""
    return (
        f"{done.to_delete} deletions are more than {limits.most_percent:g} % of {done.accounts} accounts: nothing was "
        f"changed. Look whether this is the right platform and ledger; then --yes-delete-all {done.to_delete}"
    )
