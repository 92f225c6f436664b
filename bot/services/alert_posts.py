"""Messages of their own: one for a run that ended, one for a run that takes too long."""

from bot.domain.decisions import Treatment
from bot.domain.mutes import fingerprint
from bot.domain.opinions import seconds
from bot.domain.outbox import Form, NewMessage
from bot.domain.replies import AlertReply
from bot.domain.runs import Run
from bot.domain.transitions import Change
from bot.services.alert_cards import overdue_words
from bot.services.alert_draft import Audience, Draft, message_key
from bot.services.controls import controls_of
from bot.services.past import age


class Posts:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def post(self, audience: Audience, change: Change, more: str = "") -> None:
        """A run that ended; `more` goes on after the reason."""
        run = change.snapshot.run
        mention = self.mention(audience, run) if self._must_look(run) else None
        words = self.reason(audience, change) + more
        body = AlertReply(run, words, mention, controls_of(run, self._draft.spec))
        key = message_key("run", audience.channel, change)
        self._draft.say(NewMessage(audience.channel, key, Form.POST, body))
        self._draft.note(audience, change, Treatment.ALONE, key)

    def post_overdue(self, audience: Audience, change: Change) -> None:
        """Once per run, where a watch did not switch it off and no mute asks for quiet."""
        run, draft = change.snapshot.run, self._draft
        is_wanted = all(watch.tells_overdue for watch in audience.watches)
        if not is_wanted or draft.mutes.keep_quiet(audience.channel, run):
            return
        words = overdue_words(run, draft.view.durations(run), draft.steady)
        body = AlertReply(run, words, controls=controls_of(run, draft.spec), word="overdue")
        key = message_key("overdue", audience.channel, change)
        draft.say(NewMessage(audience.channel, key, Form.POST, body))

    def end_overdue(self, audience: Audience, change: Change) -> None:
        """The message about an overdue run tells how it ended, where it was posted."""
        run = change.snapshot.run
        took = f"it took {seconds(run.duration)}" if run.duration is not None else "it is over"
        body = AlertReply(run, f"was overdue; {took}", controls=controls_of(run, self._draft.spec))
        key = message_key("overdue", audience.channel, change)
        self._draft.say(NewMessage(audience.channel, f"edit {key}", Form.EDIT, body, key))

    def reason(self, audience: Audience, change: Change) -> str:
        run = change.snapshot.run
        if run.status.is_failure and self._draft.mutes.were_woken(audience.channel, run):
            return f"{change.reason}, otherwise than what is muted: the mute is over for it"
        return str(change.reason)

    def mention(self, audience: Audience, run: Run) -> str | None:
        """Whom to call for a failure; never the one who had the run started."""
        who = audience.mention
        return None if who is None or self._draft.view.asked_by(run.ref) == who else who

    def _must_look(self, run: Run) -> bool:
        """A first failure, or one of another step or test: what a person must look at."""
        if not run.status.is_failure:
            return False
        last = max(self._draft.past.before(run), key=age, default=None)
        return last is None or not last.status.is_failure or fails_otherwise(last, run)


def fails_otherwise(before: Run, run: Run) -> bool:
    """Whether something fails that did not in an earlier failure, as far as is known of both."""
    known = fingerprint(before)
    return bool(known) and not fingerprint(run) <= known
