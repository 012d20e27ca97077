"""config.toml becomes one frozen typed object. Every key is declared once, in tables.py, with its default.

Secrets never stand in the file: a key ending in `_env` names the environment variable, one ending in
`_file` the file, that holds them.
"""

from mailbot.config.loading import DEFAULT_PATH, load_config, parse_config
from mailbot.config.tables import Controller, Logging, Web
from mailbot.config.trouble import ConfigTrouble
from mailbot.config.values import LanguageCode, listen_address
from mailbot.config.whole import Config

__all__ = [
    "DEFAULT_PATH",
    "Config",
    "ConfigTrouble",
    "Controller",
    "LanguageCode",
    "Logging",
    "Web",
    "listen_address",
    "load_config",
    "parse_config",
]
