"""Pages that are made from the code are as the code is."""

from __future__ import annotations

import time
from typing import Any

from docs.generate import FOLDER, platform_openapi, security_page
from mailbot.platform.http_signature import sign


def test_the_tables_of_attacks_are_those_that_the_tests_try_today() -> None:
    """`make docs` writes them."""
    assert (FOLDER / "security.md").read_text(encoding="utf-8") == security_page()


def test_the_contract_with_platforms_is_the_one_that_the_models_make() -> None:
    assert (FOLDER / "platform-openapi.json").read_text(encoding="utf-8") == platform_openapi()


def test_the_check_of_signatures_that_is_shown_to_platforms_is_ours() -> None:
    page = (FOLDER / "platform-http.md").read_text(encoding="utf-8")
    shown: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], shown)
    secret, stamp = b"s" * 32, str(int(time.time()))
    signature = sign(secret, "POST", "/v1/apply", stamp, "key", b"{}")
    headers = {"Mailbot-Timestamp": stamp, "Idempotency-Key": "key", "Mailbot-Signature": signature}
    assert shown["is_from_mailbot"](secret, "POST", "/v1/apply", headers, b"{}")
    for name, wrong in (
        ("Idempotency-Key", "other"),
        ("Mailbot-Timestamp", "1"),
        ("Mailbot-Signature", "v1=é"),
    ):
        assert not shown["is_from_mailbot"](secret, "POST", "/v1/apply", {**headers, name: wrong}, b"{}")
    assert not shown["is_from_mailbot"](secret, "POST", "/v1/apply", headers, b"{} ")
