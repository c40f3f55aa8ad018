"""``python -m runbook_engine`` is the command ``runbook``."""

from runbook_engine.cli import main

if __name__ == "__main__":
    main()
