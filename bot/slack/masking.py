"""Secrets kept out of what people see: in commands they typed, and in logs."""

import re

MASK = "•••"
"""Stands for a value that is not shown."""

_SECRET_NAME = re.compile(
    r"env\.|token|secret|passw|passphrase|pwd|credential|key|auth(?!or)|bearer|cookie|private_",
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


_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)",
            re.DOTALL,
        ),
        MASK,
    ),
    (re.compile(r"\A[^-]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----"), MASK),
    (re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@'\"]{1,512}@", re.IGNORECASE), rf"\1{MASK}@"),
    (
        re.compile(r"\b((?:bearer|basic|token|api-token)\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    (
        re.compile(
            r"\b((?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}"
            r"|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|sk_(?:live|test)_\w{8,}"
            r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
        ),
        MASK,
    ),
    (
        re.compile(
            r"((?:token|secret|passw(?:or)?d|passphrase|pwd|credentials?|api[_-]?key"
            r"|access[_-]?key(?:[_-]?id)?|private[_-]?key|auth[_-]?key|authorization|cookie)"
            r"[\"']?[ \t]{0,4}(?:=>|[=:])[ \t]{0,4})"
            r"(\"[^\"\n]*+\"|'[^'\n]*+'|[^\s\"',;&]++)",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)


def mask_secrets(text: str) -> str:
    """Masks what is likely a secret in a log: keys, tokens, passwords, URLs with a user in them.

    A guess on the safe side. Linear in the length of each line.
    """
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text
