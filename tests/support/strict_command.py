"""The `signoff` command as a process whose requests are checked as all requests of a test run are."""

from local.engine.strict_requests import make_strict
from signoff_cli.main import main

if __name__ == "__main__":
    make_strict()
    main()
