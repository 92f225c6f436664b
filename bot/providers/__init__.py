"""The vendors, one file each, behind the entry-point group `bot.providers`."""
