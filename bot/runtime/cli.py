"""The command line. Exit codes: 0 well, 1 failed, 2 settings or arguments invalid."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.domain.errors import BotError, ConfigError
from bot.runtime import check, logs
from bot.runtime.bot import Bot
from bot.runtime.clock import SystemClock, new_mark
from bot.runtime.manifest import as_yaml, manifest
from bot.runtime.settings import Settings, load
from bot.runtime.signals import stop_on_signal
from bot.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

OK, FAILED, INVALID = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    parsed = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        return run(parsed)
    except ConfigError as error:
        _complain(parsed, error.message)
        return INVALID
    except BotError as error:
        _complain(parsed, error.message)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bot", description="A Slack bot for test runs.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(
        name: str, what: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=what, description=what)
        one.set_defaults(run=run, command=name)
        return one

    demo = add("demo", "the bot with a local Slack and local CI services; no account needed", _demo)
    demo.add_argument("--port", type=int, default=8700, help="port of the page (default 8700)")
    demo.add_argument("--no-open", action="store_true", help="do not open a browser")
    add("serve", "one process: listeners, poller and sender", _serve)
    add("web", "only the HTTP listeners, when scaled out", _split_role)
    add("worker", "only poller and sender, when scaled out", _split_role)
    add("check", "try the settings, Slack and every provider", _check)
    add("providers", "every provider found, where it comes from, what it can do", _providers)
    add("migrate", "bring the database up to date", _migrate)
    shown = add("manifest", "print the Slack app manifest for this configuration", _manifest)
    shown.add_argument("--json", action="store_true", help="as JSON instead of YAML")
    shown.add_argument(
        "--url", default="https://bot.example.com", help="public address, for HTTP mode"
    )
    return parser


def _settings() -> Settings:
    return load(os.environ, Path.cwd())


def _serve(_parsed: argparse.Namespace) -> int:
    logs.configure(())
    settings = _settings()
    logs.configure(settings.secrets())
    return run_until_signal(Bot(settings))


def _split_role(parsed: argparse.Namespace) -> int:
    logs.configure(())
    _settings()
    raise ConfigError(
        f"DATABASE_URL: `bot {parsed.command}` needs PostgreSQL, because two processes cannot "
        "share one SQLite file; use `bot serve` with SQLite"
    )


def run_until_signal(bot: Bot) -> int:
    """Runs the bot until SIGTERM or SIGINT; 1 if it died by itself."""
    stop = stop_on_signal()
    bot.start()
    is_well = bot.run(stop)
    bot.stop()
    return OK if is_well else FAILED


def _demo(parsed: argparse.Namespace) -> int:
    from bot.runtime.demo import demo  # noqa: PLC0415  # only the demo needs the playground

    return demo(parsed.port, is_opening=not parsed.no_open)


def _check(_parsed: argparse.Namespace) -> int:
    logging.disable(logging.CRITICAL)
    rows = check.check(_settings(), SystemClock())
    print(check.table(rows))  # noqa: T201
    return check.exit_code(rows)


def _providers(_parsed: argparse.Namespace) -> int:
    return check.providers_table(print)


def _migrate(_parsed: argparse.Namespace) -> int:
    settings = _settings()
    store = SqliteStore(settings.database_path, SystemClock(), new_mark)
    store.open()
    store.close()
    print(f"{settings.database_path} is up to date")  # noqa: T201
    return OK


def _manifest(parsed: argparse.Namespace) -> int:
    settings = _settings()
    is_http = settings.slack_signing_secret is not None and not settings.is_socket_mode
    value = manifest(prefix=settings.command_prefix, is_socket_mode=not is_http, url=parsed.url)
    text = json.dumps(value, indent=2) + "\n" if parsed.json else as_yaml(value)
    sys.stdout.write(text)
    return OK


def _complain(parsed: argparse.Namespace, message: str) -> None:
    """One line for each complaint; as log lines where stderr is for logs."""
    for line in message.splitlines():
        if parsed.command in {"serve", "web", "worker"}:
            log.critical("bot.refused", extra={"problem": line})
        else:
            sys.stderr.write(f"{line}\n")
