"""Builds every part once from the configuration; the only file that knows all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mailbot.advance import Advance
from mailbot.asking import Asking
from mailbot.config import Config, ConfigTrouble
from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import MapFaults
from mailbot.desk import Desk
from mailbot.exports import Exports
from mailbot.floods import Floods
from mailbot.followups import FollowUps
from mailbot.hosts import Hosts
from mailbot.keeping import ExampleKeeper
from mailbot.knowledge import attachment_reader, load_answers, load_knowledge, rule_folders
from mailbot.letters import LetterWriter, controller_of
from mailbot.looking import Looking
from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.catalogues import Catalogues
from mailbot.mail.dns import Dns
from mailbot.mail.replies import Replies
from mailbot.platform import map_file
from mailbot.platform.file_store import FileStore
from mailbot.platform.http import HttpPlatform
from mailbot.platform.http_client import HttpClient
from mailbot.platform.interface import Platform
from mailbot.platform.open_stores import open_stores
from mailbot.platform.sql import open_platform
from mailbot.proof import Proof
from mailbot.reading import Knowledge, Reader
from mailbot.receive import Receive
from mailbot.recipients import Recipients
from mailbot.refresh_tokens import StoredRefreshTokens
from mailbot.resources import ResourceTrouble, find_file, folders
from mailbot.returned import Returned
from mailbot.seeking import Seeking
from mailbot.senders import Senders
from mailbot.settling import Settling
from mailbot.status import StatusOfCase
from mailbot.store.database import Store
from mailbot.store.encryption import Keyring
from mailbot.sweeping import Sweeping
from mailbot.targets import Targets
from mailbot.telling import Teller
from mailbot.understood import Understood
from mailbot.unsubscribing import Unsubscribing
from mailbot.web.parts import WEB_DOMAIN, Health, Parts
from mailbot.work import Worker

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """Every part, built. `knowledge` is what the reader knows."""

    config: Config
    clock: Clock
    store: Store
    tokens: AccessTokens
    platform: Platform
    data_map: DataMap
    knowledge: Knowledge
    dns: Dns
    reader: Reader
    advance: Advance
    receive: Receive
    worker: Worker
    teller: Teller
    senders: Senders
    seeking: Seeking
    looking: Looking
    sweeping: Sweeping
    follow_ups: FollowUps
    proof: Proof
    desk: Desk
    keeper: ExampleKeeper
    unsubscribing: Unsubscribing
    asking: Asking
    hosts: Hosts
    exports: Exports
    status: StatusOfCase
    catalogues: Catalogues
    web_catalogues: Catalogues
    template_folders: tuple[Path, ...]

    def parts(self, health: Callable[[], Health]) -> Parts:
        """What the web site needs."""
        return Parts(
            config=self.config,
            store=self.store,
            proof=self.proof,
            unsubscribing=self.unsubscribing,
            hosts=self.hosts,
            exports=self.exports,
            status=self.status,
            desk=self.desk,
            keeper=self.keeper,
            catalogues=self.web_catalogues,
            templates=self.template_folders,
            clock=self.clock,
            health=health,
            open_request=self.asking.open_request,
            field_names=self.data_map.correctable_fields(),
        )


def build_app(config: Config, clock: Clock = utc_now, knowledge: Knowledge | None = None) -> App:
    """Every part of mailbot; nothing is opened or contacted yet. `knowledge` saves reading the rules again.

    Raises ConfigTrouble, ResourceTrouble or StoreTrouble naming what is wrong and the mend.
    """
    knowledge = knowledge or load_knowledge(config)
    store = Store(config.database_url(), Keyring(config.master_keys()))
    dns = Dns(config.dns.nameservers, config.dns.timeout_seconds)
    reader = Reader(knowledge, dns.txt, attachment_reader(config, knowledge))
    data_map = load_data_map(config)
    platform = platform_of(config, data_map, clock)
    locales = folders("locale", config.path(config.folders.locale) if config.folders.locale else None)
    templates = folders(
        "templates", config.path(config.folders.templates) if config.folders.templates else None
    )
    catalogues = Catalogues(*locales)
    replies = Replies(catalogues, controller_of(config.controller), *(one / "mail" for one in templates))
    writer = LetterWriter(replies, config, knowledge.policy)
    advance = Advance(writer, knowledge.policy)
    recipients = Recipients(config.recipients(), data_map, writer)
    targets = Targets(store, platform)
    settling = Settling(advance, knowledge.policy)
    unsubscribing = Unsubscribing(store, advance, config)
    understood = Understood(knowledge.policy)
    return App(
        config=config,
        clock=clock,
        store=store,
        tokens=AccessTokens(StoredRefreshTokens(store)),
        platform=platform,
        data_map=data_map,
        knowledge=knowledge,
        dns=dns,
        reader=reader,
        advance=advance,
        receive=Receive(
            store=store,
            reader=reader,
            advance=advance,
            targets=targets,
            settling=settling,
            unsubscribing=unsubscribing,
            policy=knowledge.policy,
            returned=Returned(advance, unsubscribing, config.controller, config.smtp.bounce_address),
            understood=understood,
            floods=Floods(advance, knowledge.policy, config.controller),
            controller=config.controller,
            answers=load_answers(config),
            clock=clock,
        ),
        worker=Worker(
            store,
            advance,
            platform,
            clock,
            recipients,
            replies.wording,
            knowledge.policy,
            data_map.sweeps,
        ),
        teller=Teller(store, recipients, advance, clock),
        senders=Senders(store, reader, advance, understood, clock),
        seeking=Seeking(store, platform, advance, clock),
        looking=Looking(store, targets, settling, advance, clock),
        sweeping=Sweeping(
            store, platform, data_map.sweeps, advance, knowledge.policy, config.controller, clock
        ),
        follow_ups=FollowUps(store, advance, knowledge.policy, config.controller, clock),
        proof=Proof(store, targets, settling, knowledge.policy),
        desk=Desk(store, advance, writer, targets, config, knowledge.policy),
        keeper=ExampleKeeper(store, config),
        unsubscribing=unsubscribing,
        asking=Asking(store, advance, knowledge.policy, config.controller),
        hosts=Hosts(store, advance, knowledge.policy),
        exports=Exports(store, advance),
        status=StatusOfCase(store),
        catalogues=catalogues,
        web_catalogues=Catalogues(*locales, domain=WEB_DOMAIN),
        template_folders=templates,
    )


def platform_of(config: Config, data_map: DataMap, clock: Clock = utc_now) -> Platform:
    """The platform, be it a database or an API; nothing is contacted yet. Raises ConfigTrouble."""
    if config.platform.kind == "http":
        return HttpPlatform(HttpClient(config.platform_api()), data_map)
    return open_platform(config.platform_url(), data_map, files_root(config), clock, file_stores(config))


def load_data_map(config: Config) -> DataMap:
    """The data map of the platform. Raises ResourceTrouble naming file, line, key and mend."""
    written = Path(config.platform.map)
    places = (config.path(str(written.parent)), *rule_folders(config))
    file = find_file(written.name, places)
    found = map_file.load_data_map(file, linked=config.platform.kind == "sql")
    if isinstance(found, MapFaults):
        raise ResourceTrouble(f"{file} cannot be used:\n{found}")
    return found


def files_root(config: Config) -> Path | None:
    """Where the platform's uploaded files are; None when it has none."""
    return config.path(config.platform.files_root) if config.platform.files_root else None


def file_stores(config: Config) -> dict[str, FileStore]:
    """The other places of the platform's files. Raises ConfigTrouble naming key and mend."""
    try:
        return open_stores(config.file_stores())
    except ModuleNotFoundError:
        raise ConfigTrouble("platform.stores: S3 needs boto3; pip install 'mailbot[s3]'") from None
