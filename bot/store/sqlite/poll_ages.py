"""When each instance was last polled well, read from beside a bot that may be running."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from bot.domain.errors import StoreError
from bot.store.sqlite.faults import as_store_error

WAIT_S = 2.0


def last_good_polls(path: Path) -> dict[str, datetime]:
    """The oldest of the newest good polls of each instance's sources; empty without a file.

    Reads only and takes no lock that a running bot would notice. StoreError if it cannot.
    """
    if not path.exists():
        return {}
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    query = (
        "SELECT instance, min(good_poll) FROM sources"
        " WHERE is_wanted AND good_poll IS NOT NULL GROUP BY instance"
    )
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=WAIT_S)) as connection:
            rows = connection.execute(query).fetchall()
    except sqlite3.Error as error:
        known: StoreError = as_store_error(error)
        raise known from error
    return {str(instance): datetime.fromisoformat(when) for instance, when in rows}
