"""Durable state: engines behind the port `bot.domain.store.Store`."""
