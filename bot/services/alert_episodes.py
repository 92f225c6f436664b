"""Episodes: a card when a branch turns red, replies and edits until it is green again."""

from dataclasses import replace

from bot.domain.decisions import Treatment
from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.opinions import judge
from bot.domain.outbox import Form, NewMessage
from bot.domain.replies import AlertReply
from bot.domain.runs import Run
from bot.domain.transitions import Change
from bot.domain.watches import Preset, ThreadMode
from bot.services.alert_cards import card_of, fixed_words
from bot.services.alert_draft import Audience, Draft, message_key
from bot.services.alert_posts import Posts, fails_otherwise
from bot.services.controls import controls_of
from bot.services.past import age


class Episodes:
    def __init__(self, draft: Draft, posts: Posts) -> None:
        self._draft = draft
        self._posts = posts

    def fail(self, audience: Audience, change: Change) -> None:
        """A failure opens an episode or goes on with the one that is open."""
        run = change.snapshot.run
        episode = self._still_open(audience.channel, run)
        if episode is not None and (run.ref, change.snapshot.attempt) in episode.failed:
            self._draft.note(audience, change, Treatment.KNOWN)
        elif episode is not None:
            self._go_on(audience, change, episode)
        elif self._draft.past.is_green_after(run):
            self._tell_late(audience, change)
        else:
            self._tell(audience, change, self._new(audience.channel, change))

    def end(self, audience: Audience, change: Change) -> bool:
        """Whether there was an episode that this pass ends."""
        run = change.snapshot.run
        episode = self._draft.open_episode(audience.channel, run)
        if episode is None or not _is_fix(episode, run):
            return False
        episode = replace(episode, latest=run, fixed_at=run.finished or self._draft.now)
        if not episode.is_told:
            self._draft.keep_episode(episode)
            return False
        if audience.is_muted:
            self._draft.note(audience, change, Treatment.EDIT, episode.card_key)
        else:
            controls = controls_of(run, self._draft.spec)
            body = AlertReply(run, fixed_words(episode), controls=controls, word="fixed")
            self._reply(audience, change, episode, body)
        self._edit(episode, "passed")
        return True

    def refresh(self, channel: str, change: Change) -> None:
        """An open card shows that a newer run is under way, or has ended without a verdict."""
        run = change.snapshot.run
        episode = self._draft.open_episode(channel, run)
        if episode is not None and episode.is_told and _is_fix(episode, run):
            self._edit(episode, "failed", underway=None if run.is_over else run)

    def learn(self, channel: str, run: Run) -> None:
        """An open card shows what failed in its newest run, which became known only now."""
        episode = self._draft.open_episode(channel, run)
        if episode is None or episode.latest.ref != run.ref:
            return
        episode = replace(episode, latest=run)
        if episode.is_told:
            self._edit(episode, "failed")
        else:
            self._draft.keep_episode(episode)

    def _still_open(self, channel: str, run: Run) -> Episode | None:
        """The open episode that a failing run goes on with. One that has passed meanwhile, which
        no watch of the channel heard, is over.
        """
        episode = self._draft.open_episode(channel, run)
        green = None if episode is None else self._draft.past.last_green(run)
        if episode is None or green is None or age(green) <= age(episode.latest):
            return episode
        self._close(episode, green)
        return None

    def _close(self, episode: Episode, green: Run) -> None:
        over = replace(episode, latest=green, fixed_at=green.finished or self._draft.now)
        if over.is_told:
            self._edit(over, "passed")
        else:
            self._draft.keep_episode(over)

    def catch_up(self, audience: Audience, change: Change, episode: Episode) -> None:
        """Posts the card that a mute kept back, now that the mute is over."""
        watches = tuple(w for w in audience.watches if w.since <= episode.opened_at)
        audience = replace(audience, watches=watches)
        if Preset.CHANGES in audience.presets:
            self._tell(audience, change, episode)

    def _tell_late(self, audience: Audience, change: Change) -> None:
        if audience.is_muted:
            self._draft.note(audience, change, Treatment.MUTED)
        else:
            self._posts.post(audience, change, "; a later run has passed since")

    def _tell(self, audience: Audience, change: Change, episode: Episode) -> None:
        """Posts the card of an episode, or keeps it back for as long as the mute holds."""
        draft, run = self._draft, change.snapshot.run
        episode = replace(episode, is_told=not audience.is_muted)
        draft.keep_episode(episode)
        if audience.is_muted:
            draft.note(audience, change, Treatment.MUTED)
            return
        body = card_of(episode, draft.past, draft.spec, self._posts.reason(audience, change))
        body = replace(body, mention=self._posts.mention(audience, run))
        draft.say(NewMessage(audience.channel, episode.card_key, Form.POST, body))
        draft.note(audience, change, Treatment.CARD, episode.card_key)

    def _new(self, channel: str, change: Change) -> Episode:
        run, past = change.snapshot.run, self._draft.past
        first_bad = past.first_bad(run)
        return Episode(
            EpisodeKey(channel, run.pipeline, run.branch),
            message_key("card", channel, change),
            self._draft.now,
            first_bad=first_bad,
            latest=run,
            failed=((run.ref, change.snapshot.attempt),),
            last_green=past.last_green(run),
            opinion=judge(past.before(first_bad), first_bad),
        )

    def _go_on(self, audience: Audience, change: Change, before: Episode) -> None:
        run = change.snapshot.run
        latest = max(run, before.latest, key=age)  # of one run, the newer reading
        failed = (*before.failed, (run.ref, change.snapshot.attempt))
        episode = replace(before, latest=latest, failed=failed)
        if not episode.is_told:
            self._tell(audience, change, episode)
            if audience.is_muted or latest.ref == run.ref:
                return
            episode = replace(episode, is_told=True)
        words = self._posts.reason(audience, change)
        if audience.is_muted:
            self._draft.note(audience, change, Treatment.MUTED)
        else:
            is_other = fails_otherwise(before.latest, run)
            mention = self._posts.mention(audience, run) if is_other else None
            body = AlertReply(run, words, mention, controls_of(run, self._draft.spec))
            self._reply(audience, change, episode, body)
        self._edit(episode, words)

    def _reply(
        self, audience: Audience, change: Change, episode: Episode, body: AlertReply
    ) -> None:
        watch = audience.with_preset(Preset.CHANGES)
        if _wants_its_own(audience, change):
            key = message_key("run", audience.channel, change)
            self._draft.say(NewMessage(audience.channel, key, Form.POST, body))
            self._draft.note(audience, change, Treatment.ALONE, key)
            return
        if watch is None or watch.thread is ThreadMode.OFF:
            self._draft.note(audience, change, Treatment.EDIT, episode.card_key)
            return
        form = Form.BROADCAST if watch.thread is ThreadMode.BROADCAST else Form.REPLY
        key = message_key("reply", audience.channel, change)
        self._draft.say(NewMessage(audience.channel, key, form, body, episode.card_key))
        self._draft.note(audience, change, Treatment.REPLY, key)

    def _edit(self, episode: Episode, words: str, underway: Run | None = None) -> None:
        draft = self._draft
        draft.keep_episode(episode)
        body = card_of(episode, draft.past, draft.spec, words, underway)
        key = f"edit {episode.card_key}"
        draft.say(NewMessage(episode.key.channel, key, Form.EDIT, body, episode.card_key))


def _wants_its_own(audience: Audience, change: Change) -> bool:
    """Whether another watch of the channel asks for a message of its own: one run, one message,
    and the louder wish counts.
    """
    is_failure = change.snapshot.run.status.is_failure
    return Preset.ALL in audience.presets or (is_failure and Preset.FAILURES in audience.presets)


def _is_fix(episode: Episode, run: Run) -> bool:
    """A pass counts when the run is not older than the newest failure, or is that run again."""
    return run.ref == episode.latest.ref or age(run) >= age(episode.latest)
