"""Which tests go to the same test process: those of a file, and those that share what takes long to make."""

from pathlib import PurePosixPath

from xdist.scheduler.loadfile import LoadFileScheduling

# Each test process would make it once more: the deployed product, and the app's templates.
STACKS, TEMPLATES = ("one stack", "another stack"), "the templates"
OF_A_STACK, SHARED = {"end_to_end", "workflow"}, {"infrastructure": TEMPLATES}
OF_THE_STACK = {"tests/workflow/engine/test_deployment.py"}
WITH_ENGINES_OF_THEIR_OWN = {
    "tests/end_to_end/test_cross_account.py",
    "tests/end_to_end/test_proofs_on_engine.py",
    "tests/end_to_end/test_sam_invoke.py",
}


class Scheduling(LoadFileScheduling):
    """Keeps together what shares something, in the order of the tests: what takes longest comes first."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(super()._split_scope(nodeid))


def scope(file: str) -> str:
    """What the tests of a file share with those of others, or the file."""
    _, kind, *rest = PurePosixPath(file).parts
    if file in OF_THE_STACK or (kind in OF_A_STACK and len(rest) == 1 and file not in WITH_ENGINES_OF_THEIR_OWN):
        # Two stacks: one test process alone would still be at it when the other has done all else, and each sweep
        # looks through the groups of all tests before it.
        return STACKS[kind == "end_to_end" and rest[-1] >= "test_m"]
    return file if len(rest) > 1 else SHARED.get(kind, file)
