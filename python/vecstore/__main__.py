"""The command ``vecstore``: ``python -m vecstore`` is the same."""

from __future__ import annotations

import signal
import sys

from vecstore import _vecstore


def main() -> int:
    """Run the command with the process's arguments and return the exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["export"], ["import"]):
        from vecstore._exchange import command

        # The engine's own command does JSON Lines, and says what is wrong with a call.
        if command.is_for_python(arguments):
            return command.run(arguments)
    # The engine runs without a look at Python's signals, and may be ended at any point.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _vecstore._command(arguments)


if __name__ == "__main__":
    sys.exit(main())
