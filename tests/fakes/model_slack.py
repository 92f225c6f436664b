"""The Slack of the model: what stands in its channels, and how a write can go wrong."""

from dataclasses import dataclass, replace

from bot.domain.outbox import Body, Delivery, Form, Look, OutboxClaim, Outcome, Sight


class Killed(BaseException):
    """The process ends here. It is no Exception, for nothing may catch it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it stands: `first` is the body it was posted with, `body` that after edits."""

    message_id: str
    key: str
    form: Form
    first: Body
    body: Body
    ts: str
    root_ts: str | None

    @property
    def number(self) -> int:
        """Of its row in the outbox."""
        return int(self.message_id.rpartition("-")[2])


class Slack:
    """`plan` holds what becomes of the next posts: `lost` (it stands there, the answer does not
    arrive), `dropped` (neither), `429`, `die before`, `die after`. Empty: all is well.
    """

    def __init__(self) -> None:
        self.plan: list[str] = []
        self.is_down = False
        self.is_blind = False
        self.channels: dict[str, list[Shown]] = {}
        self._count = 0

    def heal(self) -> None:
        self.plan.clear()
        self.is_down = self.is_blind = False

    def send(self, claim: OutboxClaim) -> Delivery:
        if self.is_down:
            return Delivery(Outcome.LATER, error="ConnectionRefusedError")
        match self.plan.pop(0) if self.plan else "":
            case "429":
                return Delivery(Outcome.LATER, retry_after_s=30.0, error="ratelimited")
            case "dropped":
                return Delivery(Outcome.AMBIGUOUS, error="reset")
            case "lost":
                self._accept(claim)
                return Delivery(Outcome.AMBIGUOUS, error="timeout")
            case "die before":
                raise Killed
            case "die after":
                self._accept(claim)
                raise Killed
            case _:
                return self._accept(claim)

    def find(self, claim: OutboxClaim) -> Look:
        if self.is_blind or self.is_down:
            return Look(Sight.NO_ANSWER, error="timeout")
        for shown in self.channels.get(claim.message.channel, []):
            if shown.message_id == claim.message_id:
                return Look(Sight.FOUND, shown.ts)
        return Look(Sight.ABSENT)

    def _accept(self, claim: OutboxClaim) -> Delivery:
        message = claim.message
        standing = self.channels.setdefault(message.channel, [])
        if message.form is Form.EDIT:
            at = next(i for i, one in enumerate(standing) if one.ts == claim.root_ts)
            standing[at] = replace(standing[at], body=message.body)
            return Delivery(Outcome.SENT, ts=standing[at].ts)
        if message.form is not Form.POST:
            assert claim.root_ts, "a reply without a thread"
        self._count += 1
        ts = f"1700000000.{self._count:06d}"
        standing.append(
            Shown(
                claim.message_id,
                message.key,
                message.form,
                message.body,
                message.body,
                ts,
                claim.root_ts,
            )
        )
        return Delivery(Outcome.SENT, ts=ts)
