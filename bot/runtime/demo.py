"""`bot demo`: the real bot beside a local Slack and local CI services."""

import logging
import sys
import tempfile
import threading
import webbrowser
from pathlib import Path

from bot.domain.errors import BotError
from bot.playground.town import Town
from bot.runtime import logs
from bot.runtime.bot import Bot
from bot.runtime.manifest import manifest
from bot.runtime.settings import read
from bot.runtime.signals import stop_on_signal


def demo(port: int, *, is_opening: bool) -> int:
    """Runs until SIGTERM or SIGINT. The page's URL is printed once the bot is at work."""
    logs.configure((), level=logging.WARNING)
    stop = stop_on_signal()
    try:
        with Town(port) as town, tempfile.TemporaryDirectory(prefix="bot-demo-") as folder:
            return _run(town, Path(folder), stop, is_opening=is_opening)
    except OSError as error:
        raise BotError(
            f"cannot listen on port {port}: {error.strerror}. Choose another one with --port."
        ) from error


def _run(town: Town, folder: Path, stop: threading.Event, *, is_opening: bool) -> int:
    here = {"PORT": "0", "BOT_BIND_HOST": "127.0.0.1"}
    settings = read(town.environ() | here | {"DATABASE_URL": f"sqlite:///{folder / 'demo.db'}"})
    commands = manifest(prefix="", is_socket_mode=True, url="")["features"]["slash_commands"]
    town.slack.commands.update({c["command"]: c["usage_hint"] for c in commands})
    bot = Bot(settings)
    bot.start()
    try:
        while bot.unready() and not stop.wait(0.1):
            pass
        town.live()
        _say(f"The demo is at {town.url}/ (the bot's own health: port {bot.port}). Ctrl-C ends it.")
        if is_opening:
            threading.Thread(target=webbrowser.open, args=(town.url,), daemon=True).start()
        return 0 if bot.run(stop) else 1
    finally:
        bot.stop()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
