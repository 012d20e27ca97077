"""Who is told of changes: the tables of recipients with the secrets they name."""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.config.keys import signing_secret
from mailbot.config.lookup import Lookup
from mailbot.config.tables import RecipientTable
from mailbot.config.trouble import ConfigTrouble
from mailbot.core.telling import Recipient


def recipients(tables: Sequence[RecipientTable], lookup: Lookup) -> tuple[Recipient, ...]:
    """Everybody in `tables`, with the secrets. Raises ConfigTrouble for one that is missing, or a name used twice."""
    if len({table.name for table in tables}) < len(tables):
        raise ConfigTrouble("recipient: two have the same name; what each was told is logged under its name")
    return tuple(_recipient(f"recipient[{number}]", table, lookup) for number, table in enumerate(tables))


def _recipient(key: str, table: RecipientTable, lookup: Lookup) -> Recipient:
    secret = lookup.secret_if_named(f"{key}.secret", table.secret_env, table.secret_file)
    authorization = lookup.secret_if_named(
        f"{key}.authorization", table.authorization_env, table.authorization_file
    )
    return Recipient(
        name=table.name,
        channel=table.channel,
        kinds=table.kinds,
        categories=frozenset(table.categories),
        address=table.address,
        language=table.language,
        url=table.url,
        secret=signing_secret(f"{key}.secret", secret) if secret else b"",
        authorization=authorization,
        ca_file=lookup.path_if_named(table.ca_file),
    )
