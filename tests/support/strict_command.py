"""The `signoff` command as a process whose requests are checked as all requests of a test run are."""

from cli.main import main
from local.strict import make_strict

if __name__ == "__main__":
    make_strict()
    main()
