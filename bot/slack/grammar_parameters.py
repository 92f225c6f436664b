"""What stands behind the name of a pipeline or run to be started: values, `dry`, a reason."""

import re
from dataclasses import dataclass, field

from bot.domain.providers import Variable
from bot.slack.masking import mask_assignments
from bot.slack.sentence import Sentence, shown, spell_value
from bot.slack.vocabulary import DRY_WORDS
from bot.slack.words import Kind, Word

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_ENV = "env."


@dataclass(slots=True)
class Parameters:
    """The pairs of a trigger or a retry, in the order typed; empty parameters are left out."""

    parameters: list[tuple[str, str]] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    reason: str = ""
    is_dry: bool = False


def read_parameters(sentence: Sentence) -> Parameters:
    """Reads all pairs, and `dry`. UserError for a repetition or a name that cannot be one."""
    found = Parameters(is_dry=any(word.says(*DRY_WORDS) for word in sentence.names))
    seen: set[str] = set()
    for word in sentence.pairs:
        key = _key(sentence, word)
        if key in seen:
            raise sentence.problem(f"{shown(key)} is given twice.", sentence.without(word))
        seen.add(key)
        _take(sentence, word, key, found)
    return found


def reason_text(text: str) -> str:
    """A reason on one line, as it may be recorded and shown: what looks secret is masked."""
    return mask_assignments(" ".join(text.split()))


def _key(sentence: Sentence, word: Word) -> str:
    if word.kind is Kind.NOT_PAIR:
        raise sentence.problem(
            f"{shown(word.key)}!= is for filters; here write {shown(word.key)}=value.",
            sentence.replacing(word, f"{word.key}={spell_value(word)}"),
        )
    lower = word.key.lower()
    if lower.startswith(_ENV):
        return _ENV + word.key[len(_ENV) :]
    return lower if lower == "reason" else word.key


def _take(sentence: Sentence, word: Word, key: str, found: Parameters) -> None:
    if key.startswith(_ENV):
        found.variables.append(Variable(_variable(sentence, key[len(_ENV) :]), word.value))
    elif key == "reason":
        found.reason = reason_text(word.value)
    elif key.lower() in DRY_WORDS:
        raise sentence.problem(
            "dry takes no value; write `dry` alone, or leave it out.",
            sentence.replacing(word, "dry"),
        )
    elif word.value:
        found.parameters.append((key, word.value))


def _variable(sentence: Sentence, name: str) -> str:
    if _VARIABLE.fullmatch(name):
        return name
    what = f'"{shown(name)}" cannot be the name of a variable' if name else "a variable has a name"
    raise sentence.problem(f"{what}; write env.NAME=value.")
