"""A local Slack: Web API, Socket Mode, signed HTTP delivery and a page to look at.

`SlackStandin` in `standin.py` is the door; everything else stands behind it.
"""
