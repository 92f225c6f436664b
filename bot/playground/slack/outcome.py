"""What became of something that a person did."""

from dataclasses import dataclass, field

from bot.playground.slack.messages import Json, Message
from bot.playground.slack.socket_mode import Ack


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one interaction.

    `error` is what Slack would say (`operation_timeout`, `dispatch_failed`, …), empty when the
    app took it. `answer` is the message that the ack carried, `errors` a modal's complaints by
    block id. `confirm` is the dialog that was shown first; denied, nothing is delivered.
    """

    payload: Json = field(default_factory=dict)
    ack: Ack = field(default_factory=Ack)
    delivered: bool = True
    error: str = ""
    answer: Message | None = None
    confirm: Json | None = None
    errors: dict[str, str] = field(default_factory=dict)
    typed: Message | None = None

    @property
    def acked(self) -> bool:
        return self.delivered and not self.ack.error

    @property
    def acked_s(self) -> float:
        return self.ack.took_s
