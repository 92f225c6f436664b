"""`bot check`: the settings, Slack, and one authenticated call for each provider, as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from humanize import naturaldelta

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import BotError, ConfigError, StoreError
from bot.providers import registry
from bot.runtime.fleet import build_instance
from bot.runtime.manifest import SCOPES
from bot.runtime.settings import Settings
from bot.services.catalog import abilities
from bot.slack.identity import Identity
from bot.slack.web import web_client
from bot.store.sqlite.poll_ages import last_good_polls

DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `verdict` is ok, failed or invalid."""

    what: str
    verdict: str
    words: str


def check(settings: Settings, clock: Clock) -> tuple[Row, ...]:
    """Asks Slack and every configured provider. Never raises for what they answer."""
    rows = [_slack(settings)]
    polled = _polled(settings)
    rows += [_provider(name, settings, clock, polled.get(name)) for name in settings.providers]
    if not settings.providers:
        rows.append(Row("providers", "failed", "none is configured: BOT_PROVIDERS__<NAME>__…"))
    if not settings.operators:
        rows.append(Row("operators", "ok", "BOT_OPERATORS is not set: nobody may change anything"))
    return tuple(rows)


def exit_code(rows: tuple[Row, ...]) -> int:
    """2 if a setting is invalid, 1 if something failed, 0 if all is well."""
    verdicts = {row.verdict for row in rows}
    return 2 if "invalid" in verdicts else 1 if "failed" in verdicts else 0


def table(rows: tuple[Row, ...]) -> str:
    wide = max(len(row.what) for row in rows)
    return "\n".join(f"{row.what:<{wide}}  {row.verdict:<7}  {row.words}" for row in rows)


def _slack(settings: Settings) -> Row:
    if settings.slack_bot_token is None:
        return Row("slack", "invalid", "SLACK_BOT_TOKEN: must be set (the bot token, xoxb-…)")
    if settings.slack_app_token is None and settings.slack_signing_secret is None:
        return Row("slack", "invalid", "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET: must be set")
    identity = Identity(
        web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    )
    if not identity.refresh() or identity.itself is None:
        return Row("slack", "failed", f"the token is refused: {identity.error}")
    itself = identity.itself
    missing = sorted(set(SCOPES) - itself.scopes) if itself.scopes else []
    who = f"bot user {itself.user_id} in workspace {itself.team_id}"
    if missing:
        wants = ", ".join(f"{scope} ({SCOPES[scope]})" for scope in missing)
        return Row("slack", "failed", f"{who}; missing scopes: {wants}")
    return Row("slack", "ok", who)


def _polled(settings: Settings) -> dict[str, datetime]:
    """When the bot last polled each instance well; nothing where its database cannot tell."""
    try:
        return last_good_polls(settings.database_path)
    except StoreError:
        return {}


def _provider(name: str, settings: Settings, clock: Clock, polled: datetime | None) -> Row:
    what = f"provider {name}"
    try:
        one = build_instance(name, settings.providers[name], clock)
    except registry.BrokenProviderError as error:
        where = f" ({error.detail})" if error.detail else ""
        return Row(what, "failed", f"{error.message}{where}")
    except ConfigError as error:
        return Row(what, "invalid", error.message.replace("\n", "; "))
    deadline = Deadline.after(clock, DEADLINE_S)
    try:
        health = one.ask(lambda p: p.check(deadline), deadline)
    except BotError as error:
        return Row(what, "failed", error.message)
    finally:
        one.close()
    words = [f"reachable as {health.account}" if health.account else "reachable"]
    if polled is None:
        words.append("never polled yet")
    else:
        words.append(f"polled {naturaldelta(clock.now() - polled)} ago")
    words += [*health.notes, f"can {', '.join(abilities(one))}", *one.spec.refusals.values()]
    return Row(what, "ok", "; ".join(words))


def providers_table(say: Callable[[str], None]) -> int:
    """Prints every installed provider type; 1 if one of them is broken."""
    code = 0
    for one in registry.found().values():
        try:
            spec = registry.load(one.type_name)
        except ConfigError as error:
            where = f" ({error.detail})" if error.detail else ""
            say(f"{one.type_name:<10}  {one.origin:<24}  BROKEN: {error.message}{where}")
            code = 1
            continue
        abilities_text = ", ".join(sorted(spec.capabilities))
        say(f"{one.type_name:<10}  {one.origin:<24}  {spec.title}: {abilities_text}")
        for refusal in spec.refusals.values():
            say(f"{'':<10}  {'':<24}  {refusal}")
    return code
