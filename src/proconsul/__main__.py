"""``python -m proconsul`` is the ``proconsul`` command."""

from proconsul.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
