"""The command ``vecstore``: ``python -m vecstore`` is the same."""

from __future__ import annotations

import signal
import sys

from vecstore import _vecstore


def main() -> int:
    """Run the command with the process's arguments and return the exit status."""
    # The engine runs without a look at Python's signals, and may be ended at any point.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _vecstore._command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
