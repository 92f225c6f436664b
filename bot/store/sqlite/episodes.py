"""Episodes: which pipelines and branches are red in which channel."""

from collections.abc import Iterable

from sqlite_utils import Database

from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.pipelines import PipelineRef
from bot.domain.watches import Preset, Watch
from bot.store.codec import EPISODE, storable, time_text, time_text_or_none

_UPSERT = """
INSERT INTO episodes (channel, pipeline_instance, pipeline_key, branch_key, card_key, opened,
    fixed, is_told, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (card_key, channel, pipeline_instance, pipeline_key, branch_key)
DO UPDATE SET fixed = excluded.fixed, is_told = excluded.is_told, body = excluded.body
"""


def save(db: Database, episodes: Iterable[Episode]) -> None:
    """An episode is known by its key and the card that opened it."""
    db.conn.executemany(_UPSERT, map(_columns, episodes))


def open_ones(db: Database, pipelines: set[PipelineRef]) -> dict[EpisodeKey, Episode]:
    """Those of these pipelines that are not fixed; of several with one key, the newest."""
    found: dict[EpisodeKey, Episode] = {}
    for instance in sorted({pipeline.instance for pipeline in pipelines}):
        rows = db.execute(
            "SELECT pipeline_key, body FROM episodes"
            " WHERE pipeline_instance = ? AND fixed IS NULL ORDER BY id",
            [instance],
        )
        for row in rows:
            if PipelineRef(instance, row["pipeline_key"]) in pipelines:
                episode = EPISODE.load(row["body"])
                found[episode.key] = episode
    return found


def held_back(db: Database, instance: str) -> dict[EpisodeKey, Episode]:
    """Those whose card was never posted, because a mute kept it back."""
    rows = db.execute(
        "SELECT body FROM episodes"
        " WHERE pipeline_instance = ? AND fixed IS NULL AND is_told = 0 ORDER BY id",
        [instance],
    )
    found = (EPISODE.load(row["body"]) for row in rows)
    return {episode.key: episode for episode in found}


def of_channel(db: Database, channel: str) -> tuple[Episode, ...]:
    """Those that are not fixed."""
    rows = db.execute(
        "SELECT body FROM episodes WHERE channel = ? AND fixed IS NULL ORDER BY id", [channel]
    )
    return tuple(EPISODE.load(row["body"]) for row in rows)


def forget_unwatched(db: Database, watches: Iterable[Watch], channel: str | None) -> list[Episode]:
    """Those open ones of a channel, or of all, that none of the watches follows any more."""
    following: dict[str, list[Watch]] = {}
    for watch in watches:
        if watch.preset is Preset.CHANGES:
            following.setdefault(watch.channel, []).append(watch)
    rows = db.execute(
        "SELECT id, body FROM episodes WHERE channel = coalesce(?, channel) AND fixed IS NULL"
        " ORDER BY id",
        [channel],
    ).fetchall()
    closed = []
    for row in rows:
        episode = EPISODE.load(row["body"])
        if not any(w.follows(episode.latest) for w in following.get(episode.key.channel, ())):
            db.execute("DELETE FROM episodes WHERE id = ?", [row["id"]])
            closed.append(episode)
    return closed


def _columns(episode: Episode) -> tuple[str | int | None, ...]:
    key = episode.key
    return (
        key.channel,
        key.pipeline.instance,
        storable(key.pipeline.key),
        "" if key.branch is None else f"={storable(key.branch)}",
        storable(episode.card_key),
        time_text(episode.opened_at),
        time_text_or_none(episode.fixed_at),
        episode.is_told,
        EPISODE.dump(episode),
    )
