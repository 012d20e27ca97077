"""Who is at the command line: every decision about a case is a named person's."""

from __future__ import annotations

import getpass
from datetime import datetime

from mailbot.cli.trouble import WrongUsage
from mailbot.store import staff
from mailbot.store.database import Store
from mailbot.store.tables import Staff


def staff_id(store: Store, by: str | None, now: datetime) -> str:
    """The id of the account named `by`, else of the one named as the user of this machine: what the ledger keeps.

    Raises WrongUsage when there is none that may act.
    """
    name = by or _user()
    with store.read() as tx:
        account = staff.by_name(tx, name) if name else None
    if account is None:
        raise WrongUsage(_unknown(by, name))
    _check_allowed(account, now)
    return str(account.id)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return ""


def _unknown(by: str | None, name: str) -> str:
    if by:
        return f"--by: there is no staff account named {by!r}; `mailbot staff list` shows them"
    return f"--by is missing, and {name!r} is no staff account: say who you are with --by NAME"


def _check_allowed(account: Staff, now: datetime) -> None:
    if account.disabled_at is not None:
        raise WrongUsage(f"--by: the account {account.name!r} is disabled")
    if account.agreement_signed_on is None or account.agreement_signed_on > now.date():
        raise WrongUsage(
            f"--by: {account.name!r} has not signed the confidentiality agreement; when they have: "
            f"mailbot staff enable {account.name} --agreement-signed YYYY-MM-DD"
        )
