"""The one door for everything people ask, whichever way in they took.

`receive` runs before Slack is answered: no network, one short write for a mutation. `run`
runs afterwards on a pool thread and always ends with an answer or a card.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from bot.domain.access import Access, Person, Policy, Verb, decide
from bot.domain.audit import CommandState, NewCommand
from bot.domain.chat import Announcer, Asker, Directory
from bot.domain.clock import Clock
from bot.domain.digests import list_all
from bot.domain.endings import Ending
from bot.domain.errors import BotError, UserError
from bot.domain.intents import (
    AbortRun,
    AddWatch,
    ExplainRun,
    Help,
    Intent,
    ListPipelines,
    ListProviders,
    ListRuns,
    ListWatches,
    MuteWatch,
    OpenTriggerForm,
    RemoveWatch,
    ResumeWatches,
    RetryRun,
    ShowDigest,
    ShowHistory,
    ShowRun,
    TestWatch,
    Topic,
    TriggerRun,
    UnmuteWatch,
)
from bot.domain.replies import Answer, HelpPage, Offer, Problem
from bot.domain.store import Store
from bot.services.acting import Acting
from bot.services.catalog import Catalog
from bot.services.explaining import Explaining
from bot.services.fleet import Fleet
from bot.services.histories import Histories
from bot.services.ledger import Ledger
from bot.services.listing import Listing
from bot.services.parameters import MASK, trigger_help
from bot.services.reading import Reading
from bot.services.rehearsing import Rehearsing
from bot.services.sending import Order
from bot.services.watching import Watching

log = logging.getLogger(__name__)

BUDGET = 20
"""Mutations one person may ask for within a minute."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: who and where, the text as read with secrets masked, and its meaning."""

    asker: Asker
    echo: str
    intent: Intent


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases behind the door."""

    listing: Listing
    reading: Reading
    catalog: Catalog
    acting: Acting
    watching: Watching
    explaining: Explaining
    rehearsing: Rehearsing
    histories: Histories


class Commands:
    """Thread-safe."""

    def __init__(
        self,
        services: Services,
        fleet: Fleet,
        store: Store,
        ledger: Ledger,
        directory: Directory,
        operators: frozenset[str],
        clock: Clock,
    ) -> None:
        self._services = services
        self._fleet = fleet
        self._store = store
        self._ledger = ledger
        self._directory = directory
        self._operators = operators
        self._clock = clock

    def receive(self, request: Request) -> int | None:
        """Records a mutation as received and returns its audit id; None for a read.

        Refuses strangers at once (UserError). StoreBusyError and StoreError: nothing was done.
        """
        verb = verb_of(request.intent)
        self.refuse_stranger(request.asker)
        if not verb.is_mutation:
            return None
        asker = request.asker
        return self._store.record_command(
            NewCommand(
                verb, asker.user_id, asker.team_id, asker.channel, asker.origin, request.echo
            )
        )

    def refuse_stranger(self, asker: Asker) -> None:
        """UserError for anybody whose own workspace is not the bot's; reads too."""
        access = decide(self._policy, Person(asker.user_id, asker.team_id), "", Verb.READ)
        if not access.is_allowed:
            raise UserError(f"Denied: {access.explanation}")

    def record_forgery(self, asker: Asker, detail: str) -> None:
        """Audits a press whose value is not one of ours, not for there, or too old."""
        what = NewCommand(
            Verb.READ, asker.user_id, asker.team_id, asker.channel, asker.origin, "(a press)"
        )
        command_id = self._store.record_command(what)
        self._store.update_command(
            command_id, CommandState.DENIED, outcome=detail, rule="signed values"
        )

    def run(self, request: Request, command_id: int | None, announcer: Announcer) -> Answer | None:
        """Does what was asked. None when the card in the channel says it all. Never raises."""
        try:
            return self._run(request, command_id, announcer)
        except UserError as error:
            self._refused(command_id, error.message)
            return Answer(problem(request.echo, error))
        except BotError as error:
            log.warning("command.failed", extra={"detail": error.detail})
            self._refused(command_id, error.message)
            return Answer(Problem(request.echo, error.message, help="/runs providers"))
        except Exception:
            log.exception("command.broken")
            self._refused(command_id, "a fault in the bot")
            return Answer(Problem(request.echo, "a fault in the bot; it is in its log."))

    @property
    def _policy(self) -> Policy:
        return Policy(self._directory.home_team, self._operators)

    def _run(self, request: Request, command_id: int | None, announcer: Announcer) -> Answer | None:
        if command_id is None:
            return self._read(request)
        verb = verb_of(request.intent)
        access = self._decide(request.asker, verb)
        if not access.is_allowed:
            self._store.update_command(
                command_id, CommandState.DENIED, outcome=access.explanation, rule=access.rule
            )
            raise UserError(f"Denied ({access.rule}): {access.explanation}")
        self._store.update_command(command_id, CommandState.RECEIVED, rule=access.rule)
        return self._change(request, Order(command_id, request.asker, announcer))

    def _decide(self, asker: Asker, verb: Verb) -> Access:
        person = self._directory.person(asker.user_id, asker.team_id)
        access = decide(self._policy, person, asker.channel, verb)
        if access.is_allowed and self._is_over_budget(asker.user_id):
            return Access(
                is_allowed=False,
                rule="budget",
                explanation=f"more than {BUDGET} commands of yours within a minute. Wait a little.",
            )
        return access

    def _is_over_budget(self, user_id: str) -> bool:
        return self._store.commands_since(user_id, self._clock.now() - _MINUTE) > BUDGET

    def _read(self, request: Request) -> Answer:
        services, asker = self._services, request.asker
        match request.intent:
            case Help(topic):
                return Answer(self.help(topic))
            case OpenTriggerForm():
                return Answer(self.help("trigger"))
            case ListRuns() as intent:
                return services.listing.list_runs(intent, asker)
            case ShowRun() as intent:
                return services.reading.show_run(intent, asker)
            case ListPipelines() as intent:
                return services.catalog.list_pipelines(intent)
            case ListProviders(is_shared):
                return services.catalog.list_providers(is_shared=is_shared)
            case ShowDigest(digest_id):
                return self._show_digest(asker.channel, digest_id)
            case TriggerRun() as intent:
                return services.acting.preview_trigger(intent)
            case RetryRun() as intent:
                return services.acting.preview_retry(intent, asker)
            case _:
                return self._read_past(request)

    def _read_past(self, request: Request) -> Answer:
        """What has been, and why it was said or not."""
        services, asker = self._services, request.asker
        match request.intent:
            case ListWatches():
                return services.watching.list(asker)
            case ExplainRun() as intent:
                return services.explaining.explain(intent, asker)
            case TestWatch() as intent:
                return services.rehearsing.rehearse(intent, asker)
            case ShowHistory() as intent:
                return services.histories.show(intent)
            case _:
                raise UserError("that is not built yet.", help_command="/runs help")

    def _show_digest(self, channel: str, digest_id: int) -> Answer:
        news = self._store.digest_news(channel, digest_id)
        if not news:
            raise UserError("this digest is no longer stored.", help_command="/runs failing")
        return Answer(list_all(news))

    def _change(self, request: Request, order: Order) -> Answer | None:
        services = self._services
        match request.intent:
            case TriggerRun() as intent:
                services.acting.trigger(intent, order)
                return None
            case AbortRun() as intent:
                return services.acting.abort(intent, order)
            case RetryRun() as intent:
                return services.acting.retry(intent, order)
            case AddWatch() as intent:
                answer = services.watching.add(intent, request.asker)
            case RemoveWatch() as intent:
                answer = services.watching.remove(intent, request.asker)
            case ResumeWatches():
                answer = services.watching.resume(request.asker)
            case MuteWatch() as intent:
                answer = services.watching.mute(intent, request.asker)
            case UnmuteWatch() as intent:
                answer = services.watching.unmute(intent, request.asker)
            case _:
                raise UserError("that is not built yet.", help_command="/watch help")
        done = Ending(order.command_id, CommandState.DONE, "", "done")
        self._ledger.write(partial(self._store.end_command, done))
        return answer

    def help(self, topic: Topic) -> HelpPage:
        """The help page of a command; no I/O, so it can be the answer to Slack itself."""
        return HelpPage(topic, providers=tuple(trigger_help(one) for one in self._fleet))

    def _refused(self, command_id: int | None, outcome: str) -> None:
        if command_id is not None:
            self._ledger.write(partial(self._store.settle_refused, command_id, outcome))


def verb_of(intent: Intent) -> Verb:
    """What kind of right an intent needs. A dry run only reads."""
    match intent:
        case TriggerRun(is_dry=is_dry):
            return Verb.READ if is_dry else Verb.TRIGGER
        case RetryRun(is_dry=is_dry):
            return Verb.READ if is_dry else Verb.RETRY
        case AbortRun():
            return Verb.ABORT
        case AddWatch() | RemoveWatch() | ResumeWatches():
            return Verb.WATCH
        case MuteWatch() | UnmuteWatch():
            return Verb.MUTE
        case (
            Help()
            | ListRuns()
            | ShowRun()
            | ListPipelines()
            | ListProviders()
            | ShowHistory()
            | OpenTriggerForm()
            | ListWatches()
            | ExplainRun()
            | TestWatch()
            | ShowDigest()
        ):
            return Verb.READ


def problem(echo: str, error: UserError) -> Problem:
    """The four parts of an error. A suggested name becomes the corrected command."""
    offers = tuple(_offer(echo, text, error.instead_of) for text in error.maybe)
    return Problem(echo, error.message, offers, error.help_command)


_READS = ("/runs", *(f"/watch {word}" for word in ("list", "help", "why", "test")))


def _offer(echo: str, suggestion: str, instead_of: str) -> Offer:
    verb, _, words = echo.partition(" ")
    if suggestion.startswith("/"):
        command = suggestion
    elif instead_of and instead_of in words:
        command = f"{verb} {words.replace(instead_of, suggestion, 1)}"
    else:
        command = f"{verb} {suggestion}"
    is_mutation = not command.startswith(_READS)
    return Offer(suggestion, command, is_mutation or MASK in command)
