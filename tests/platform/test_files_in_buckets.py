"""Files whose path a row's columns fill in: shown, removed, read back, and taken along."""

from __future__ import annotations

import io
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from zipfile import ZipFile

import pytest

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import MapFaults, read_data_map
from mailbot.core.plan import Deletion, PlanGrew, PlannedStep, PlatformTrouble
from mailbot.core.wording import Wording
from mailbot.platform.file_store import S3Settings
from mailbot.platform.s3 import S3Store
from mailbot.platform.sql import SqlPlatform, open_platform
from tests.platform.worlds import EXAMPLE_MAP, NOW, World
from tests.servers.s3 import PrivateS3

FILES = 'files = [{ path = "accounts/{id}/", store = "uploads" }]'
MAP = EXAMPLE_MAP.read_text().replace(
    'category = "1"\npurpose = "to provide the account',
    f'{FILES}\ncategory = "1"\npurpose = "to provide the account',
)


def map_of(text: str) -> DataMap:
    found = read_data_map(tomllib.loads(text))
    assert isinstance(found, DataMap), found
    return found


@dataclass
class Bucket:
    """The demo platform with a bucket, in which the person who asks has files, and who has a longer number, too."""

    world: World
    server: PrivateS3
    settings: S3Settings
    number: str

    def platform(self, text: str = MAP) -> SqlPlatform:
        store = S3Store(self.settings)
        return open_platform(self.world.url, map_of(text), self.world.files, lambda: NOW, {"uploads": store})

    def put(self, key: str, content: bytes = b"x") -> None:
        self.server.client.put_object(Bucket=self.settings.bucket, Key=key, Body=content)

    def left(self) -> set[str]:
        found = self.server.client.list_object_versions(Bucket=self.settings.bucket)
        return {one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, ())}


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateS3]:
    with PrivateS3() as one:
        yield one


@pytest.fixture
def bucket(world: World, server: PrivateS3) -> Bucket:
    number = world.user("delete_account").key.partition(":")[2]
    one = Bucket(world, server, server.new_bucket(versioned=True), number)
    for key in (f"accounts/{number}/a", f"accounts/{number}/a", f"accounts/{number}/film/b"):
        one.put(key, b"12345")
    server.client.delete_object(Bucket=one.settings.bucket, Key=f"accounts/{number}/film/b")
    one.put(f"accounts/{number}7/a")
    return one


def file_step(steps: tuple[PlannedStep, ...]) -> PlannedStep:
    return next(step for step in steps if step.place == "files:accounts.accounts/{id}/")


def test_the_plan_counts_versions_and_bytes_and_the_deletion_leaves_only_others_files(bucket: Bucket) -> None:
    platform = bucket.platform()
    change = Deletion(bucket.world.user("delete_account"))
    plan = platform.plan(change)
    step = file_step(plan.steps)
    assert (step.rows, step.bytes) == (4, 15)
    assert not platform.read_back(change, plan).ok
    platform.apply(plan, "case-1")
    assert bucket.left() == {f"accounts/{bucket.number}7/a"}
    assert platform.read_back(change, plan).ok
    bucket.put(f"accounts/{bucket.number}/late")
    found = platform.read_back(change, plan)
    assert "files.path (1)" in found.reason


def test_files_that_came_after_they_were_shown_stop_the_deletion(bucket: Bucket) -> None:
    platform = bucket.platform()
    plan = platform.plan(Deletion(bucket.world.user("delete_account")))
    before = bucket.left(), bucket.world.dump()
    bucket.put(f"accounts/{bucket.number}/a", b"another version")
    with pytest.raises(PlanGrew, match="files:accounts"):
        platform.apply(plan, "case-1")
    assert (bucket.left(), bucket.world.dump()) == before


def test_what_a_crash_left_half_removed_is_ended(bucket: Bucket) -> None:
    platform = bucket.platform()
    change = Deletion(bucket.world.user("delete_account"))
    plan = platform.plan(change)
    command = [sys.executable, "-m", "tests.platform.crash_in_a_bucket", bucket.world.url]
    command += [str(bucket.world.files), bucket.settings.endpoint_url, bucket.settings.bucket]
    assert subprocess.run(command, check=False).returncode == 9
    assert bucket.left() != {f"accounts/{bucket.number}7/a"}
    assert platform.finish_open() == 3
    assert platform.apply(plan, "case-1").again
    assert platform.read_back(change, plan).ok
    assert bucket.left() == {f"accounts/{bucket.number}7/a"}


def test_the_copy_holds_the_files_under_names_that_stay_in_its_folder(bucket: Bucket) -> None:
    bucket.put(f"accounts/{bucket.number}/../../evil", b"evil")
    out = io.BytesIO()
    bucket.platform().export((bucket.world.user("delete_account"),), out, Wording())
    with ZipFile(out) as archive:
        assert archive.read(f"files/uploads/accounts/{bucket.number}/a") == b"12345"
        assert not [name for name in archive.namelist() if ".." in name or "film" in name]
        assert b"evil" in [archive.read(name) for name in archive.namelist()]


@pytest.mark.parametrize("name", ["..", "a/b", "", "*"])
def test_a_value_that_could_lead_elsewhere_is_left_for_staff(bucket: Bucket, name: str) -> None:
    text = MAP.replace("accounts/{id}/", "people/{name}/")
    bucket.put("people/everybody")
    bucket.world.change("accounts", int(bucket.number), name=name)
    plan = bucket.platform(text).plan(Deletion(bucket.world.user("delete_account")))
    assert not [path for path in plan.files if "people" in path]
    assert bool(name) == any(veto.startswith("unsafe_path") for veto in plan.vetoes)


def test_a_path_that_two_rows_share_stays(bucket: Bucket) -> None:
    text = MAP.replace("accounts/{id}/", "countries/{country}/")
    bucket.put("countries/FR/a")
    for number in (int(bucket.number), int(bucket.world.user("correct_name").key.partition(":")[2])):
        bucket.world.change("accounts", number, country="FR")
    plan = bucket.platform(text).plan(Deletion(bucket.world.user("delete_account")))
    assert not [path for path in plan.files if "countries" in path]
    assert any(veto.startswith("shared_file") for veto in plan.vetoes)


def test_a_stored_path_cannot_name_another_store(bucket: Bucket) -> None:
    bucket.world.add(
        "uploads",
        id=99_999,
        account_id=int(bucket.number),
        path=f"uploads://accounts/{bucket.number}7/a",
        title="x",
        uploaded_at=NOW,
    )
    plan = bucket.platform().plan(Deletion(bucket.world.user("delete_account")))
    assert not [path for path in plan.files if "77" in path or f"{bucket.number}7" in path]
    assert any(veto.startswith("unsafe_path") for veto in plan.vetoes)


def test_a_store_that_is_not_configured_is_named(world: World) -> None:
    platform = open_platform(world.url, map_of(MAP), world.files, lambda: NOW)
    lines = [line.what for line in platform.check()]
    assert 'the data map names the store "uploads"' in lines
    with pytest.raises(PlatformTrouble, match='"uploads", which is not configured'):
        platform.plan(Deletion(world.user("delete_account")))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("uploads/", "names no column"),
        ("a/{id}{name}/", "two columns between two slashes"),
        ("../{id}/", "no clean relative path"),
        ("/{id}/", "no clean relative path"),
        ("a/{id/", "names no column"),
        ("a/{id}/{0.x}/", "no clean relative path"),
    ],
)
def test_a_path_that_would_be_dangerous_is_a_fault_of_the_map(path: str, fault: str) -> None:
    found = read_data_map(tomllib.loads(MAP.replace("accounts/{id}/", path)))
    assert isinstance(found, MapFaults)
    assert fault in str(found)
