"""OAuth2 refresh tokens that took the place of the configured ones, wrapped by the master key."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from mailbot.mail.oauth2 import TokenTrouble
from mailbot.mail.settings import OAuth2Settings
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Secret


@dataclass(frozen=True, slots=True)
class StoredRefreshTokens:
    """Keeps them under a hash of the configured one: when that is changed, a new line of tokens begins."""

    store: Store

    def load(self, settings: OAuth2Settings) -> str | None:
        """The newest one that came of the configured one; None when that still holds. Raises: TokenTrouble."""
        try:
            with self.store.read() as tx:
                row = tx.session.get(Secret, _name(tx, settings))
                return tx.keyring.unwrap(row.wrapped).decode() if row else None
        except SQLAlchemyError as error:
            raise _no_database(error) from None

    def save(self, settings: OAuth2Settings, refresh_token: str) -> None:
        """It is kept durably. Raises: TokenTrouble."""
        try:
            with self.store.begin() as tx:
                wrapped = tx.keyring.wrap(refresh_token.encode())
                tx.session.merge(Secret(name=_name(tx, settings), wrapped=wrapped))
        except SQLAlchemyError as error:
            raise _no_database(error) from None


def _name(tx: Transaction, settings: OAuth2Settings) -> str:
    line = "\0".join((settings.token_url, settings.client_id, settings.refresh_token))
    return f"oauth2:{tx.pseudonyms.text('oauth2', line).hex()}"


def _no_database(error: Exception) -> TokenTrouble:
    return TokenTrouble(
        f"oauth2: the database with the refresh token fails ({type(error).__name__})", later=True
    )
