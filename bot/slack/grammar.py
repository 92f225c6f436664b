"""From the text of a command to what is asked for. Pure; never raises; linear time."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.intents import (
    AbortRun,
    AddWatch,
    Help,
    Intent,
    MuteWatch,
    OpenTriggerForm,
    RemoveWatch,
    ResumeWatches,
    RetryRun,
    Topic,
    TriggerRun,
    UnmuteWatch,
)
from bot.slack.grammar_actions import read_abort, read_retry, read_trigger
from bot.slack.grammar_runs import read_runs
from bot.slack.grammar_watch import read_watch
from bot.slack.sentence import PAIRS, Sentence
from bot.slack.vocabulary import HELP_WORDS, VERB_SYNONYMS, VERBS, VIEWS, closest
from bot.slack.words import Kind, Word, join_options, split


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood: either an intent or a problem.

    `echo` is the command as read, `/verb …`, values that may be secret masked.
    """

    echo: str
    intent: Intent | None = None
    problem: UserError | None = None


def read(command: Topic, text: str) -> Reading:
    """Reads the text of a slash command as Slack sends it."""
    found = split(text)
    return _read(Sentence(command, join_options(found.words)), found.problem)


def read_sentence(text: str) -> Reading:
    """Reads a mention or a direct message: the same words behind the bot's name, if any."""
    found = split(_MENTIONS.sub("", text, count=1))
    words = join_options(found.words)
    if not words:
        return Reading("/runs help", Help("runs"))
    verb = _verb(words[0])
    if verb:
        return _read(Sentence(verb, words[1:]), found.problem)
    if words[0].says(*HELP_WORDS):
        topic = next((v for word in words[1:2] if (v := _verb(word))), VERBS[0])
        return Reading(f"/{topic} help", Help(topic))
    return _not_a_verb(words)


def read_offer(command: str) -> Reading:
    """Reads a command that the bot itself wrote: an echo, or one of the corrected commands."""
    escaped = command.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return read_sentence(escaped)


def is_mutation(intent: Intent) -> bool:
    """Whether carrying this out changes anything; a dry run does not."""
    match intent:
        case TriggerRun() | RetryRun():
            return not intent.is_dry
        case AbortRun() | AddWatch() | RemoveWatch() | ResumeWatches():
            return True
        case MuteWatch() | UnmuteWatch():
            return True
        case OpenTriggerForm():
            return True
        case _:
            return False


_MENTIONS = re.compile(r"\A\s*+(?:<@[^<>]*+>[\s,:]*+)++")
_READERS: dict[Topic, Callable[[Sentence], Intent]] = {
    "runs": read_runs,
    "trigger": read_trigger,
    "abort": read_abort,
    "retry": read_retry,
    "watch": read_watch,
}


def _read(sentence: Sentence, open_quote: UserError | None) -> Reading:
    if open_quote:
        return _unclosed(sentence, open_quote)
    echo = sentence.echo()
    if sentence.words and sentence.words[0].says(*HELP_WORDS):
        return Reading(echo, Help(sentence.verb))
    try:
        return Reading(echo, _READERS[sentence.verb](sentence))
    except UserError as problem:
        return Reading(echo, problem=problem)


def _unclosed(sentence: Sentence, problem: UserError) -> Reading:
    """What stands behind an open quote is not repeated: any of it may be a secret."""
    last = sentence.words[-1]
    sign = {Kind.PAIR: "=", Kind.NOT_PAIR: "!="}.get(last.kind, "")
    start = f"{last.key}{sign}" if last.kind in PAIRS else ""
    echo = f'{sentence.without(last)} {start}"…'
    return Reading(echo, problem=UserError(problem.message, help_command=f"/{sentence.verb} help"))


def _verb(word: Word) -> Topic | None:
    text = word.text.removeprefix("/").lower()
    return next((verb for verb in VERBS if verb == text and not word.is_quoted), None)


def _not_a_verb(words: tuple[Word, ...]) -> Reading:
    first, rest = words[0], words[1:]
    text = first.text.removeprefix("/").lower()
    verbs = [VERB_SYNONYMS[text]] if text in VERB_SYNONYMS else []
    near = [verb for name in closest(text, VERBS) for verb in VERBS if verb == name]
    maybe = [Sentence(verb, rest).echo() for verb in dict.fromkeys(verbs + near)]
    if not maybe and closest(text, VIEWS, limit=1):
        maybe = [Sentence("runs", words).echo()]
    whole = Sentence("runs", words)
    echo = whole.echo().removeprefix("/runs ")
    problem = UserError(
        f'"{whole.shown(first)}" is not a command. There are {", ".join(VERBS)} and help.',
        maybe=tuple(maybe),
        help_command="/runs help",
    )
    return Reading(echo, problem=problem)
