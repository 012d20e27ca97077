"""A real application's own schema, made by its own migrations, is drafted, checked, planned and deleted from.

The application is installed into a folder of its own for the time of the test, by pip.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, create_engine, insert
from sqlalchemy.engine import Engine

from mailbot.core.data_map import DataMap
from mailbot.core.plan import Deletion
from mailbot.platform.draft_text import draft_text
from mailbot.platform.interface import CheckStatus
from mailbot.platform.map_file import parse_data_map
from mailbot.platform.sql import drafted, open_platform

HELP_DESK = ("Django==5.2.19", "django-helpdesk==2.6.1", "django-bootstrap4-form", "packaging")
INSTALLS_WITHIN_SECONDS = 600
MIGRATE = """
import sys
import django
from django.conf import settings
from django.core.management import call_command
names = ("admin", "auth", "contenttypes", "sessions", "messages", "sites", "humanize", "staticfiles")
settings.configure(
    SECRET_KEY="x", USE_TZ=True, SITE_ID=1, STATIC_URL="s/", DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    INSTALLED_APPS=[*(f"django.contrib.{name}" for name in names), "bootstrap4form", "helpdesk"],
    HELPDESK_TEAMS_MODE_ENABLED=False, HELPDESK_TEAMS_MODEL="auth.Group",
    HELPDESK_TEAMS_MIGRATION_DEPENDENCIES=[], HELPDESK_KBITEM_TEAM_GETTER=lambda item: None,
)
django.setup()
call_command("migrate", verbosity=0)
"""


@pytest.fixture(scope="module")
def help_desk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of an empty help desk."""
    folder = tmp_path_factory.mktemp("application")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--target",
        str(folder / "packages"),
    ]
    run([*install, *HELP_DESK], folder)
    run([sys.executable, "-c", MIGRATE, str(folder / "desk.db")], folder)
    return f"sqlite:///{folder}/desk.db"


def run(command: list[str], folder: Path) -> None:
    environment = {"PYTHONPATH": str(folder / "packages"), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=INSTALLS_WITHIN_SECONDS,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"is PyPI reachable? {done.stderr[-2000:]}"


def add(engine: Engine, name: str, **values: object) -> None:
    """A row, with something in every column that must have something."""
    table = Table(name, MetaData(), autoload_with=engine)
    needed = [column for column in table.columns if not column.nullable and column.name not in values]
    filled = {column.name: filler(column.type.python_type) for column in needed if not column.primary_key}
    with engine.begin() as connection:
        connection.execute(insert(table).values({**filled, **values}))


def filler(kind: type[object]) -> object:
    return "" if kind is str else kind(2026, 1, 1) if kind.__module__ == "datetime" else kind()  # type: ignore[call-arg]  # dates


def test_a_draft_of_a_real_application_is_checked_planned_and_carried_out(help_desk: str) -> None:
    engine = create_engine(help_desk)
    add(engine, "auth_user", id=1, username="alice", email="alice@example.org", is_active=True)
    add(engine, "auth_user", id=2, username="stan", email="stan@example.org", is_active=True)
    add(engine, "helpdesk_queue", id=1, title="Support", slug="support")
    for number, submitter in enumerate(
        ["vera@example.net", "alice@example.org", "hugo@example.com"], start=1
    ):
        add(
            engine,
            "helpdesk_ticket",
            id=number,
            title="T",
            queue_id=1,
            assigned_to_id=1,
            submitter_email=submitter,
        )
        add(engine, "helpdesk_followup", id=number, ticket_id=number, user_id=1 + number % 2)
    add(engine, "helpdesk_usersettings", id=1, user_id=1)
    data_map = parse_data_map(draft_text(drafted(help_desk)))
    assert isinstance(data_map, DataMap), data_map
    assert data_map.user.table == "auth_user" and len(data_map.places) >= 15
    platform = open_platform(help_desk, data_map)
    assert [line for line in platform.check() if line.status is CheckStatus.FAILED] == []
    plan = platform.plan(Deletion(platform.find("alice@example.org")[0]))
    platform.apply(plan, "case-1")
    assert platform.read_back(plan.change, plan).ok
    platform.close()
    assert rows(engine, "auth_user", "email") == ["stan@example.org"]
    assert rows(engine, "helpdesk_ticket", "submitter_email") == [
        "vera@example.net",
        None,
        "hugo@example.com",
    ]
    assert rows(engine, "helpdesk_followup", "user_id") == [2, None, 2]
    engine.dispose()


def rows(engine: Engine, name: str, column: str) -> list[object]:
    table = Table(name, MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        query = table.select().with_only_columns(table.c[column]).order_by(*table.primary_key)
        return list(connection.execute(query).scalars())
