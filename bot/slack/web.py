"""The Web API client: made so that nothing is sent twice behind our back."""

from slack_sdk import WebClient

TIMEOUT_S = 10


def web_client(token: str | None, api_url: str) -> WebClient:
    """A client that never retries: the default one re-sends after a lost reply and posts twice
    (seen with slack-sdk 3.47).
    """
    base_url = api_url if api_url.endswith("/") else f"{api_url}/"
    return WebClient(token=token, base_url=base_url, timeout=TIMEOUT_S, retry_handlers=[])
