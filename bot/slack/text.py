"""Text from elsewhere, made safe for Slack: shown as it is, pinging and formatting nothing."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

_WHITE = re.compile(r"[\s\u2028\u2029]+")
_JOINERS = frozenset("\u200c\u200d")
_FORMATTING = re.compile(
    r"[*~`@]|(?<![^\W_])_|_(?![^\W_])|:[\w+'-]+:|\A>|(?:https?|mailto|slack|tel):|www\.",
    re.IGNORECASE,
)
"""What Slack could take for markup, an emoji, a mention or a link; `_` inside a word is not."""
_MOST_URL = 2000
ELLIPSIS = "…"


def escape(text: str) -> str:
    """Escapes the three control characters of Slack's markup, and nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def one_line(text: str) -> str:
    """White space runs become one blank; other invisible and reordering characters show as �."""
    return visible(_WHITE.sub(" ", text).strip())


def visible(text: str) -> str:
    """Makes control, direction and broken characters visible; keeps newlines and tabs."""
    return "".join(_visible(c) for c in text)


def cut(text: str, most: int) -> str:
    """At most that many characters, the last one an ellipsis if something is left out."""
    return text if len(text) <= most else text[: max(0, most - 1)].rstrip() + ELLIPSIS


def literal(text: str, most: int = 120) -> str:
    """Untrusted text for mrkdwn: on one line, cut, then escaped; in a code span if anything in
    it could be taken for markup, a link or a mention.
    """
    raw = cut(one_line(text), most)
    return code_span(raw, most) if _FORMATTING.search(raw) else escape(raw)


def prose(text: str, most: int = 1500) -> str:
    """A sentence that may quote untrusted words, for mrkdwn. Its own code spans stay; any other
    word that could be taken for markup goes into one.
    """
    parts = cut(one_line(text), most).split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["\u02cb".join(parts[-2:])]
    spans = (
        _words(part) if index % 2 == 0 else code_span(part, most)
        for index, part in enumerate(parts)
    )
    return "".join(spans).replace("``", "")  # two code spans side by side are one


def _words(text: str) -> str:
    return " ".join(
        code_span(word, len(word)) if _FORMATTING.search(word) else escape(word)
        for word in text.split(" ")
    )


def code_span(text: str, most: int = 120) -> str:
    """Untrusted text as code; a backtick in it becomes a look-alike."""
    raw = cut(one_line(text), most).replace("`", "\u02cb")
    return f"`{escape(raw)}`" if raw else ""


def code_block(text: str) -> str:
    """Untrusted lines as a code block, backticks made harmless, not cut."""
    harmless = visible(text.replace("\r\n", "\n")).replace("`", "\u02cb")
    return f"```\n{escape(harmless)}\n```"


def link(url: str | None, label: str, most: int = 120) -> str:
    """A link with an untrusted label; the label alone when the address is not plain http(s) or
    the label would not be shown as it is.
    """
    safe = safe_url(url)
    shown = literal(label, most)
    if safe is None or not shown or shown.startswith("`"):
        return shown
    target = safe.replace("|", "%7C").replace("&", "&amp;")
    return f"<{target}|{shown}>"


def safe_url(url: str | None) -> str | None:
    """An http(s) address of bearable length, odd characters encoded; None for anything else."""
    if not url or len(url) > _MOST_URL:
        return None
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username
    except ValueError:
        return None
    encoded = quote(url, safe="!#$%&'()*+,/:;=?@[]~", errors="replace")
    return encoded if is_good and len(encoded) <= _MOST_URL else None


def date(moment: datetime) -> str:
    """A time in each reader's own zone, with a fallback in UTC."""
    fallback = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def duration(span: timedelta) -> str:
    """`41 s`, `6m 26s`, `2h 5m`, `3d 4h`; never negative."""
    seconds = max(0, int(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return _pair(days, "d", hours % 24, "h")
    if hours:
        return _pair(hours, "h", minutes % 60, "m")
    return _pair(minutes, "m", seconds % 60, "s") if minutes else f"{seconds} s"


def age(span: timedelta) -> str:
    """`20 s`, `5 min`, `2 h`, `3 d`: one rounded-down unit; never negative."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def ago(moment: datetime, now: datetime) -> str:
    """`2 h ago`; `just now` also for what a vendor's fast clock puts into the future."""
    span = now - moment
    return f"{age(span)} ago" if span >= timedelta(seconds=5) else "just now"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit} {small}{small_unit}" if small else f"{large}{large_unit}"


def _visible(c: str) -> str:
    if c in "\n\t" or c in _JOINERS or (" " <= c <= "~"):
        return c
    if c < " ":
        return chr(0x2400 + ord(c))
    return "\ufffd" if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else c
