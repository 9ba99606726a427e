"""Patches for MiniStack 1.5.33 where it differs from AWS and Signoff relies on AWS, one module per service.

Each module's `install()` wraps the emulator's functions from outside; none is copied. A newer MiniStack may no longer
need a patch: its test then passes without it, and it can be removed.
"""
