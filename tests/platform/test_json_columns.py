"""A value inside a JSON column is shown, corrected and emptied like one in a column of its own."""

from __future__ import annotations

import json
import tomllib
from io import BytesIO
from zipfile import ZipFile

from sqlalchemy import text

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import read_data_map
from mailbot.core.plan import Correction, Deletion
from mailbot.core.request import FieldChange
from mailbot.core.wording import Wording
from mailbot.platform.sql import SqlPlatform, open_platform
from tests.platform.worlds import EXAMPLE_MAP, NOW, ON_EVERY_SERVER, World

PLACE = """
[[places]]
table = "profiles"
subject = "user"
path = ["account_id = accounts.id"]
category = "1"
purpose = "what the user says of themself"
retention = "as long as the account"
on_deletion = "anonymise"
[places.columns]
"data.contact.nickname" = { field = "nickname", correct = "name", on_deletion = "null" }
"data.friends.*" = { access = "leave_out", on_deletion = "anonymise", replacement = "somebody" }
"""


def opened(world: World) -> SqlPlatform:
    """Camille (3) and Jürgen (4) have profiles, in JSON."""
    with world.engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE profiles (id integer primary key, account_id integer, data json)")
        )
        for number in (3, 4):
            data = {
                "contact": {"nickname": f"Nick{number}", "since": 2020},
                "friends": ["Ida", "Bo"],
                "theme": "ü",
            }
            row = {"id": number, "data": json.dumps(data)}
            connection.execute(text("INSERT INTO profiles VALUES (:id, :id, :data)"), row)
    data_map = read_data_map(tomllib.loads(EXAMPLE_MAP.read_text() + PLACE))
    assert isinstance(data_map, DataMap), data_map
    return open_platform(world.url, data_map, world.files, lambda: NOW)


def profile(world: World, number: int) -> object:
    found = world.dump()["profiles"][number]["data"]
    return json.loads(found) if isinstance(found, str) else found


@ON_EVERY_SERVER
def test_a_value_inside_is_shown_corrected_read_back_and_emptied(world: World) -> None:
    platform = opened(world)
    subject = world.user("delete_account")
    assert {view.name: view.value for view in platform.fields(subject)}["nickname"] == "Nick3"
    change = Correction(subject, (FieldChange("nickname", None, "Cami"),))
    plan = platform.plan(change)
    assert (plan.steps[0].fields[0].old, plan.steps[0].fields[0].new) == ("Nick3", "Cami")
    platform.apply(plan, "case-1")
    assert platform.read_back(change, plan).ok
    assert profile(world, 3) == {
        "contact": {"nickname": "Cami", "since": 2020}, "friends": ["Ida", "Bo"], "theme": "ü"
    }  # fmt: skip
    out = BytesIO()
    platform.export((subject,), out, Wording())
    exported = ZipFile(out).read("data.json").decode()
    assert '"Cami"' in exported and "Ida" not in exported
    before = profile(world, 4)
    gone = platform.plan(Deletion(subject))
    platform.apply(gone, "case-2")
    assert platform.read_back(gone.change, gone).ok
    assert profile(world, 3) == {
        "contact": {"nickname": None, "since": 2020}, "friends": ["somebody", "somebody"], "theme": "ü"
    }  # fmt: skip
    assert profile(world, 4) == before
    platform.close()
