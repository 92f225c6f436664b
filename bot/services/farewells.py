"""The last edit of a card whose pipeline no watch of its channel is about any more."""

from bot.domain.episodes import Episode
from bot.domain.outbox import Form, NewMessage
from bot.domain.replies import AlertCard


def farewell(episode: Episode) -> NewMessage:
    """The edit of an episode's card; it takes the place of one that waits."""
    key = episode.key
    card = AlertCard(
        key.pipeline,
        key.branch,
        episode.latest,
        "no longer watched here",
        len(episode.failed),
        first_bad=episode.first_bad,
        last_green=episode.last_green,
        is_unwatched=True,
    )
    return NewMessage(key.channel, f"edit {episode.card_key}", Form.EDIT, card, episode.card_key)
