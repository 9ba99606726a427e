"""CloudFormation: what a template of ours says and the emulator refuses or silently drops."""


def close() -> None:
    """Close CloudFormation's gaps in the running emulator."""
