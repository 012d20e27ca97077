"""`mailbot demo`: a whole working system on this machine, its mails played through, and a table of what happened."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mailbot.app import App, build_app, utc_now
from mailbot.core.workflow import State
from mailbot.demo.files import write_demo_files
from mailbot.demo.people_at_work import Plays
from mailbot.demo.samples import SAMPLES, Part, Sample
from mailbot.demo.world import World, start_world
from mailbot.service import Service
from mailbot.store import cases, letters, messages, staff, suppressions
from mailbot.store.database import Transaction
from mailbot.store.tables import Case, Request
from mailbot.web.server import create_server
from mailbot.web.site import create_site

_WAIT_SECONDS = 40
_POLL_SECONDS = 0.05
STAFF_NAME = "stan"


@dataclass(frozen=True, slots=True)
class Ended:
    """How one sample mail ended; a row of the table and of the JSON."""

    sample: str
    sender: str
    understood: tuple[str, ...]
    proof: str
    done: str
    answered: tuple[str, ...]
    state: str
    seconds: float
    ok: bool

    def as_json(self) -> dict[str, object]:
        """As in CONTRACTS: the sender is called `from`."""
        row = asdict(self)
        row["from"] = row.pop("sender")
        return row


def run_demo(once: bool, port: int | None, json_output: bool, files: Path | None) -> int:
    """The demo's exit code: 0 when every sample mail ended as it should."""
    say = Console(stderr=json_output)
    if files is not None:
        write_demo_files(files, utc_now())
        say.print(f"Written to [bold]{files}[/]. Put your servers into {files / 'config.toml'}, then run:")
        say.print(f"  mailbot run --config {files / 'config.toml'}")
        return 0
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbot-demo-")))
        say.print("Starting DNS, IMAP, SMTP, the demo platform and mailbot on this machine …")
        world = start_world(folder, stack, utc_now())
        app, password = start_mailbot(world, port, stack)
        ended = play_all(world, app, say)
        seconds = round(time.monotonic() - started, 3)
        is_ok = all(one.ok for one in ended)
        if json_output:
            print(
                json.dumps(
                    {"ok": is_ok, "seconds": seconds, "mails": [one.as_json() for one in ended]},
                    ensure_ascii=False,
                )
            )
            sys.stdout.flush()
        else:
            say.print(table(ended, seconds))
        if not once:
            _keep_serving(app, password, say)
        return 0 if is_ok else 1


def start_mailbot(world: World, port: int | None, stack: ExitStack) -> tuple[App, str]:
    """Mailbot runs as `mailbot run` would run it, with a member of staff who can log in."""
    chosen = port if port is not None else _free_port()
    listen = f"127.0.0.1:{chosen}"
    web = world.config.web.model_copy(
        update={
            "listen": listen,
            "public_url": f"http://{listen}",
            "api_key_file": "api.key",
            "secure_cookies": False,
        }
    )
    app = build_app(world.config.model_copy(update={"web": web}))
    app.store.open()
    stack.callback(app.store.engine.dispose)
    stack.callback(app.platform.close)
    password = secrets.token_urlsafe(9)
    with app.store.begin() as tx:
        staff.add(tx, STAFF_NAME, password, role="admin", agreement=date.today(), now=app.clock())
    service = Service(app)
    server = create_server(create_site(app.parts(service.health)), app.config)
    serving = threading.Thread(target=server.run, name="web", daemon=True)
    serving.start()
    stack.callback(serving.join, 10)
    stack.callback(setattr, server, "should_exit", True)
    _wait(lambda: server.started, "the web pages did not start")
    service.start(("mail", "schedule"), stack)
    return app, password


def play_all(world: World, app: App, say: Console) -> list[Ended]:
    """Every sample is written, as mail comes in the morning; everybody plays their part, all at once."""
    plays = Plays(world, app)

    def one(sample: Sample) -> Ended:
        written = time.monotonic()
        plays.write(sample)
        return _play(plays, app, world, sample, written, say)

    with ThreadPoolExecutor(max_workers=len(SAMPLES)) as everybody:
        return list(everybody.map(one, SAMPLES))


def _play(plays: Plays, app: App, world: World, sample: Sample, written: float, say: Console) -> Ended:
    trouble = ""
    try:
        plays.play(sample)
        _wait(lambda: _has_ended(app, sample), "it did not end in time")
    except Exception as error:  # noqa: BLE001  # whatever goes wrong with one sample, the others are still shown
        trouble = f"{type(error).__name__}: {error}"
        say.print(f"[red]{sample.name}: {trouble}[/]")
    return _ended(app, world, sample, round(time.monotonic() - written, 3), trouble)


def _has_ended(app: App, sample: Sample) -> bool:
    """Every request of the sample is where it should be, and its letters are out."""
    with app.store.read() as tx:
        if sample.requests is None:
            return _ignored(tx, sample)
        found = _requests(tx, sample)
        states = [(request.kind, request.state) for _, request in found]
        written = [letter for case, _ in found for letter in letters.of_case(tx, case.id)]
    return bool(states) and _as_wanted(sample, states) and not any(one.state == "queued" for one in written)


def _as_wanted(sample: Sample, states: Sequence[tuple[str, str]]) -> bool:
    wanted = sample.requests or {}
    kinds = {kind for kind, _ in states}
    if "*" in wanted:
        return all(state == wanted["*"] for _, state in states)
    return kinds == set(wanted) and all(state == wanted[kind] for kind, state in states)


def _requests(tx: Transaction, sample: Sample) -> list[tuple[Case, Request]]:
    found = cases.of_address(tx, sample.person.address)
    return [(case, request) for case in found for request in cases.requests_of(tx, case.id)]


def _ignored(tx: Transaction, sample: Sample) -> bool:
    return messages.why_ignored(tx, sample.person.address) is not None


def _ended(app: App, world: World, sample: Sample, seconds: float, trouble: str) -> Ended:
    with app.store.read() as tx:
        found = _requests(tx, sample)
        kinds = tuple(dict.fromkeys(request.kind for _, request in found))
        proofs = [request.proof for _, request in found]
        states = tuple(dict.fromkeys(request.state for _, request in found))
        ignored = messages.why_ignored(tx, sample.person.address)
        subjects = tuple(_subjects(world, sample))
        is_suppressed = suppressions.is_suppressed(tx, sample.person.address)
        done = _done(tx, found, ignored, is_suppressed=is_suppressed)
    is_ok = not trouble and _has_ended(app, sample) and _is_truly_done(app, sample)
    proof = max(proofs, key=("none", "sender", "control", "staff").index, default="none")
    if sample.part is Part.ONE_CLICK:
        proof = "signed link"
    state = ", ".join(states) or ("ignored" if ignored else "")
    return Ended(sample.name, sample.person.address, kinds, proof, done, subjects, state, seconds, is_ok)


def _done(
    tx: Transaction, found: Sequence[tuple[Case, Request]], ignored: str | None, *, is_suppressed: bool
) -> str:
    """What was done, in a few words."""
    if ignored:
        return f"recorded, not answered ({ignored})"
    said = []
    for case, request in found:
        result = cases.result_of(tx, case, request)
        match request.state:
            case State.DONE if request.kind == "unsubscribe" and is_suppressed:
                said.append("on the suppression list")
            case State.DONE if request.kind == "access":
                said.append("copy fetched")
            case State.DONE if result.changes:
                said += [f"{one.field}: {one.before} → {one.after}" for one in result.changes]
            case State.DONE:
                said.append(f"{result.rows} rows, {result.files} files gone, read back")
            case State.AWAITING_STAFF | State.UNREACHABLE:
                said.append(f"staff: {request.reason}")
            case _:
                said.append(request.state)
    return "; ".join(dict.fromkeys(said))


def _is_truly_done(app: App, sample: Sample) -> bool:
    """The platform, asked anew, agrees: the deleted are gone, the corrected is right, the suspect untouched."""
    address, wanted = sample.person.address, sample.requests or {}
    found = app.platform.find(address)
    if sample.name == "correction-de":
        return any(subject.name == "Jürgen Müller" for subject in found)
    if wanted.get("deletion") == State.DONE:
        return not any(subject.address.lower() == address for subject in found)
    if wanted.get("unsubscribe") == State.DONE:
        with app.store.read() as tx:
            return suppressions.is_suppressed(tx, address)
    return bool(found)


def _subjects(world: World, sample: Sample) -> list[str]:
    mails = world.smtp.mails_for(sample.person.address)
    return [str(message_from_bytes(mail.raw, policy=policy.default)["Subject"]) for mail in mails]


def table(ended: Sequence[Ended], seconds: float) -> Table:
    failed = sum(not one.ok for one in ended)
    title = (
        f"{len(ended)} mails in {seconds:.1f} s, {failed} not as they should be"
        if failed
        else f"{len(ended)} mails, all as they should be, in {seconds:.1f} s"
    )
    rows = Table(title=title, show_lines=True)
    for column in ("mail", "understood", "proof", "done", "answered", "state", "seconds"):
        rows.add_column(column, overflow="fold", justify="right" if column == "seconds" else "left")
    for one in ended:
        mark = "" if one.ok else "[red]✗ [/]"
        rows.add_row(
            mark + one.sample,
            ", ".join(one.understood) or "—",
            one.proof,
            one.done,
            "\n".join(f"• {subject}" for subject in one.answered) or "—",
            one.state,
            f"{one.seconds:.1f}",
        )
    return rows


def _keep_serving(app: App, password: str, say: Console) -> None:
    web = app.config.web.public_url
    say.print(
        f"\nStaff queue:  [bold]{web}/staff/[/]   log in as [bold]{STAFF_NAME}[/] with [bold]{password}[/]"
    )
    say.print("Ctrl-C ends the demo; everything it made is removed.")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()


def _wait(condition: Callable[[], bool], failure: str) -> None:
    until = time.monotonic() + _WAIT_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(failure)
        time.sleep(_POLL_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
