"""Secrets kept out of what people see: in commands they typed, and in logs."""

import re

MASK = "•••"
"""Stands for a value that is not shown."""

_SECRET_NAME = re.compile(
    r"env\.|variables|token|secret|passw|passphrase|pwd|credential|key|auth(?!or)|bearer|cookie|private_",
    re.IGNORECASE,
)
_SIGN = re.compile(r"!?=|:")


def is_secret_name(name: str) -> bool:
    """Whether a value of this name is not to be shown: every `env.*`, and what sounds secret."""
    return _SECRET_NAME.search(name) is not None


def mask_assignments(text: str) -> str:
    """Masks what stands behind `name=` or `name:` inside a text, if the name sounds secret.

    Masks to the end of the text: where a value ends cannot be told.
    """
    name = _SECRET_NAME.search(text)
    sign = _SIGN.search(text, name.end() - 1) if name else None
    if sign is None or sign.end() == len(text):
        return text
    return text[: sign.end()] + MASK


_NAMES = (
    r"(?:token|secret|passw(?:or)?d|passphrase|pwd|credential|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|auth[_-]?key|cookie)[\w.-]{0,40}"
)


def _rule(pattern: str, shown: str = MASK) -> tuple[re.Pattern[str], str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), shown


_KEY_END = "-----END "
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{16,100}")
_RULES = (
    _rule(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)"
    ),
    _rule(r"\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@'\"]{1,512}@", rf"\1{MASK}@"),
    _rule(r"(\bauthorization[\"']?[ \t]{0,4}[=:][ \t]{0,4})[^\n]+", rf"\1{MASK}"),
    _rule(r"\b(bearer[ \t]+)[\w.~+/=-]{8,}", rf"\1{MASK}"),
    _rule(r"\b((?:basic|token)[ \t]+)(?=\S{0,200}[0-9])[\w.~+/=-]{8,}", rf"\1{MASK}"),
    _rule(
        r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}"
        r"|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|sk_(?:live|test)_\w{8,}"
        r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
    ),
    _rule(
        rf"({_NAMES}[\"']?[ \t]{{0,4}}(?:=>|[=:])[ \t]{{0,4}})"
        r"(?:\"[^\"\n]*+\"|'[^'\n]*+'|[^\s\"',;&]++)",
        rf"\1{MASK}",
    ),
    _rule(rf"(--{_NAMES}[ \t]+)[^\s-]\S*", rf"\1{MASK}"),
)


def mask_secrets(text: str) -> str:
    """Masks what is likely a secret in a log: keys, tokens, passwords, URLs with a user in them.

    A guess on the safe side. Linear in the length of the text.
    """
    text = _without_key_rest(text)
    for pattern, shown in _RULES:
        text = pattern.sub(shown, text)
    return text


def _without_key_rest(text: str) -> str:
    """Masks the end of a private key whose beginning was cut off."""
    head, end, tail = text.partition(_KEY_END)
    if not end or "-----BEGIN " in head or "PRIVATE KEY" not in tail[:60]:
        return text
    lines = head.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    while lines and _KEY_LINE.fullmatch(lines[-1].strip()):
        lines.pop()
    return "\n".join((*lines, f"{MASK}\n{end}{tail}"))
