"""AWS on one machine: the engine that runs the same template that is deployed to AWS.

Importing this package imports nothing of the engine: `local.commands` is what the `signoff` command calls,
`local.engine.process` what the tests call, and only the process that `local.engine.process` starts loads the emulator.
"""
