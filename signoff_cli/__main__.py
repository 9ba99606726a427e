"""What the installed `signoff` calls; it imports nothing that an installation without the extra `cli` lacks."""

from signoff_cli import errors


def main() -> None:
    """Run the command, or say what it needs."""
    errors.run(_command)


def _command() -> None:
    from signoff_cli.main import main as command

    command()


if __name__ == "__main__":
    main()
