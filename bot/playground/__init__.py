"""A local Slack and local CI services, for `bot demo` and for the tests.

Nothing here imports the bot, and the bot does not know that this package exists.
"""
