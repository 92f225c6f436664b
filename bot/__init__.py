"""A Slack bot with which a team runs its tests."""
