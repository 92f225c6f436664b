"""HTTP to vendors: the only place that imports requests."""

from requests.auth import AuthBase

from bot.net.auth import BasicAuth, BearerAuth, HeaderAuth
from bot.net.client import HttpClient
from bot.net.errors import HttpError
from bot.net.reply import Reply
from bot.net.retry_after import parse_retry_after
from bot.net.words import clean_message, clean_text

__all__ = [
    "AuthBase",
    "BasicAuth",
    "BearerAuth",
    "HeaderAuth",
    "HttpClient",
    "HttpError",
    "Reply",
    "clean_message",
    "clean_text",
    "parse_retry_after",
]
