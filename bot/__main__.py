"""`python -m bot` is the same as `bot`."""

import os
import sys

from bot.runtime.cli import main as run


def main() -> None:
    """Ends the process at once after the command: a thread that hangs does not hold it up."""
    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
