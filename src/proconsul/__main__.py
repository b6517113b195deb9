"""``python -m proconsul`` is the ``proconsul`` command, as is the script of that name."""

import sys

from proconsul import early_signals


def main() -> int:
    """Run the command line; the exit code."""
    if sys.argv[1:2] == ["agent"]:
        # Before anything else is loaded: until then a SIGHUP ends the process.
        early_signals.hold()
    from proconsul.cli.main import main as run

    return run()


if __name__ == "__main__":
    raise SystemExit(main())
