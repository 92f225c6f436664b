"""Use cases. They know the ports of `bot.domain` and nothing of HTTP, SQL or Slack."""
