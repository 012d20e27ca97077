"""The wheel alone, installed elsewhere, is a whole mailbot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which only the wheel was unpacked; its dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-build-isolation",
        "--no-deps",
        "-w",
        folder,
        CHECKOUT,
    )
    (wheel,) = folder.glob("mailbot-*.whl")
    site = folder / "site"
    _run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, wheel)
    return site


def test_the_wheel_explains_a_mail_from_any_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Subject: bye\nPlease delete my account.\n", encoding="utf-8")
    said = _mailbot(installed, tmp_path, "explain", "--json", "--no-dns", "letter.txt")
    assert [one["kind"] for one in json.loads(said)["requests"]] == ["deletion"]


def test_the_wheel_writes_the_demo_with_rules_and_configuration(installed: Path, tmp_path: Path) -> None:
    _mailbot(installed, tmp_path, "demo", "--files", "demo")
    written = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {"config.toml", "platform.db", "files", "mails", "rules", "mailbot.key"} <= written


def test_a_folder_of_the_configuration_stands_before_the_package(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "own" / "languages").mkdir(parents=True)
    wrong = 'language = "fr"\n[answers]\nyes = 1\n'
    (tmp_path / "own" / "languages" / "fr.toml").write_text(wrong, encoding="utf-8")
    (tmp_path / "config.toml").write_text('[folders]\nrules = "own"\n', encoding="utf-8")
    checked = _mailbot(installed, tmp_path, "check", "--json", fails=True)
    assert any("languages/fr.toml: answers.yes" in one["message"] for one in json.loads(checked)["checks"])


def _mailbot(site: Path, folder: Path, *words: str, fails: bool = False) -> str:
    """What the installed program prints; its own package stands before the checkout's."""
    program = "import sys; from mailbot.__main__ import main; sys.exit(main())"
    paths = os.pathsep.join([str(site), sysconfig.get_paths()["purelib"]])
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-S", "-c", program, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode == 0) != fails, done.stderr[-2000:]
    return done.stdout


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
