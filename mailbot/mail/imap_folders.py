"""Names of folders as one server wants them: its separator, its personal prefix."""

from __future__ import annotations

from imapclient import IMAPClient

from mailbot.mail.imap_connection import ImapAbort, ImapError


class Folders:
    """Finds folders by the names of the configuration ("/" between levels), and makes what is missing."""

    def __init__(self, client: IMAPClient) -> None:
        self._client = client
        self._prefix, self._separator = _namespace(client)
        self._ready: dict[str, str] = {}

    def ready(self, name: str) -> str:
        """The server's name of folder `name`, which exists. Raises: ImapError when it cannot be made."""
        if name not in self._ready:
            self._ready[name] = self._found(name) or self._made(name)
        return self._ready[name]

    def there(self, name: str) -> str:
        """The server's name of folder `name`; as written where there is none. Nothing is made."""
        return self._found(name) or name

    def made_again(self, name: str) -> str:
        """The same, when the server says that it is missing: somebody removed it meanwhile."""
        self._ready.pop(name, None)
        return self.ready(name)

    def _names(self, name: str) -> list[str]:
        """Spellings to try, the likeliest first. INBOX is INBOX everywhere (RFC 9051 §5.1)."""
        if name.upper() == "INBOX":
            return ["INBOX"]
        local = name.replace("/", self._separator) if self._separator else name
        prefix = self._prefix
        if prefix and not local.startswith(prefix):
            return [prefix + local]
        # Courier wants everything below INBOX, and not all of its kind say so by NAMESPACE.
        below = f"INBOX{self._separator}"
        return [local] if local.startswith(below) or not self._separator else [local, below + local]

    def _found(self, name: str) -> str | None:
        for spelling in self._names(name):
            if spelling == "INBOX" or self._client.folder_exists(spelling):
                return spelling
        return None

    def _made(self, name: str) -> str:
        refusal: ImapError | None = None
        for spelling in self._names(name):
            try:
                self._client.create_folder(spelling)
            except ImapAbort:
                raise
            except ImapError as error:
                refusal = error
                if not self._client.folder_exists(spelling):
                    continue
            self._subscribe(spelling)
            return spelling
        raise refusal or ImapError("no name for the folder")

    def _subscribe(self, name: str) -> None:
        """So that people see it in their mail programs; a server without subscriptions is no obstacle."""
        try:
            self._client.subscribe_folder(name)
        except ImapAbort:
            raise
        except ImapError:
            return


def _namespace(client: IMAPClient) -> tuple[str, str]:
    """Personal prefix and separator (RFC 2342), or what LIST says of the root."""
    if client.has_capability("NAMESPACE"):
        personal = client.namespace().personal
        if personal:
            prefix, separator = personal[0]
            return str(prefix or ""), str(separator or "")
    for _, separator, _ in client.list_folders("", ""):
        return "", _text(separator)
    return "", ""


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
