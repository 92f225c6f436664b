"""Small values for tests of the store."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bot.domain.access import Verb
from bot.domain.audit import NewCommand
from bot.domain.decisions import Decision
from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.mutes import Mute
from bot.domain.outbox import Form, NewMessage, OutboxClaim
from bot.domain.pipelines import Pattern, PipelineRef
from bot.domain.polls import PollChanges, PollClaim, PollView, SourceKey
from bot.domain.providers import Observation
from bot.domain.replies import ChannelNotice
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.domain.store import Store
from bot.domain.transitions import Snapshot
from bot.domain.watches import Watch

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SOURCE = SourceKey("wercker", "acme")
SHOP = PipelineRef("wercker", "acme/shop/build")


def command(text: str = "abort wercker:r1", user_id: str = "U1") -> NewCommand:
    return NewCommand(Verb.ABORT, user_id, "T1", "C1", "slash", text)


def a_run(
    run_id: str = "r1",
    status: Status = Status.FAILED,
    *,
    pipeline: PipelineRef = SHOP,
    branch: str | None = "main",
    minute: int = 0,
    aliases: tuple[str, ...] = (),
) -> Run:
    created = NOON + timedelta(minutes=minute)
    finished = created + timedelta(seconds=30) if status.is_terminal else None
    return Run(
        RunRef(pipeline.instance, run_id),
        pipeline,
        status,
        branch=branch,
        created=created,
        finished=finished,
        aliases=aliases,
    )


def snapshot(run: Run, when: datetime = NOON, attempt: int = 1) -> Snapshot:
    return Snapshot(run, attempt, when, when)


def episode(
    card_key: str = "card:1",
    *,
    channel: str = "C1",
    branch: str | None = "main",
    fixed_at: datetime | None = None,
) -> Episode:
    run = a_run()
    return Episode(
        EpisodeKey(channel, SHOP, branch), card_key, NOON, run, run, ((run.ref, 1),), None, fixed_at
    )


def a_watch(channel: str = "C1", pattern: str = "wercker:*", made_by: str = "U1") -> Watch:
    return Watch(channel, Pattern.parse(pattern), made_by, NOON)


def post(key: str, channel: str = "C1", text: str = "") -> NewMessage:
    return NewMessage(channel, key, Form.POST, ChannelNotice(text or key))


def reply(key: str, root_key: str, channel: str = "C1") -> NewMessage:
    return NewMessage(channel, key, Form.REPLY, ChannelNotice(key), root_key)


def edit(key: str, root_key: str, text: str = "") -> NewMessage:
    return NewMessage("C1", key, Form.EDIT, ChannelNotice(text or key), root_key)


def text_of(claim: OutboxClaim) -> str:
    assert isinstance(claim.message.body, ChannelNotice)
    return claim.message.body.text


def claimed_source(store: Store, key: SourceKey = SOURCE) -> PollClaim:
    claim = store.claim_source(60, [key.instance])
    assert claim is not None
    assert claim.key == key
    return claim


def claimed_message(store: Store) -> OutboxClaim:
    claim = store.claim_message(60)
    assert claim is not None
    return claim


def send(store: Store, ts: str = "1.0") -> str:
    """Sends what is due next, and gives its key."""
    claim = claimed_message(store)
    assert store.settle_sent(claim, ts, 0)
    return claim.message.key


def poll(
    store: Store,
    snapshots: Iterable[Snapshot] = (),
    *,
    observed: Iterable[Run] | None = None,
    episodes: tuple[Episode, ...] = (),
    messages: tuple[NewMessage, ...] = (),
    decisions: tuple[Decision, ...] = (),
    mutes: tuple[Mute, ...] = (),
    key: SourceKey = SOURCE,
) -> PollView:
    """One poll that stores just this, from claim to due again; gives what its decision saw."""
    store.plan_sources({state.key for state in store.source_states()} | {key})
    store.hurry_source(key)
    claim = claimed_source(store, key)
    seen: list[PollView] = []
    kept = tuple(snapshots)

    def decide(view: PollView) -> PollChanges:
        seen.append(view)
        return PollChanges(kept, episodes, messages, decisions, mutes)

    runs = tuple(one.run for one in kept) if observed is None else tuple(observed)
    assert store.record_poll(claim, Observation(runs, "c"), 60, decide) is not None
    return seen[0]
