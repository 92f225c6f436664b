"""Episodes: a pipeline and branch that is red in one channel, from first failure to fix."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.opinions import Opinion
from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Run, RunRef


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    channel: str
    pipeline: PipelineRef
    branch: str | None


@dataclass(frozen=True, slots=True)
class Episode:
    """`card_key` is the outbox key of the message that opened it; `failed` are the attempts
    (run and attempt number) that were counted. `opinion` is about the first failure. Closed
    when `fixed_at` is set. While a mute holds its card back, `is_told` is False.
    """

    key: EpisodeKey
    card_key: str
    opened_at: datetime
    first_bad: Run
    latest: Run
    failed: tuple[tuple[RunRef, int], ...]
    last_green: Run | None = None
    fixed_at: datetime | None = None
    opinion: Opinion | None = None
    is_told: bool = True
