"""Where MiniStack 1.5.33 differs from AWS and Signoff relies on AWS, one module per service.

Each module's `close()` wraps the emulator's functions from outside; none is copied. A newer MiniStack may close a
gap itself: its test then passes without the wrap, and the wrap can go.
"""
