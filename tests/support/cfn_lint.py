"""What cfn-lint says of a template."""

from pathlib import Path

# CDK itself names dependencies that references already imply.
HARMLESS = {"W3005"}
# A JSONata expression may compute a state's TimeoutSeconds; the schema of cfn-lint does not know that yet.
# https://states-language.net/spec.html#task-state
COMPUTED = "'{% $states.input.job.seconds %}' is not of type 'number'"


def linted(template: Path, *regions: str) -> list[str]:
    """What it finds in a template for those regions, each as a line."""
    # Its own imports take as long as a template: not in the processes that only collect these tests.
    from cfnlint import ManualArgs, lint_file

    matches = lint_file(template, config=ManualArgs(regions=list(regions)))
    return [str(match) for match in matches if match.rule.id not in HARMLESS and COMPUTED not in match.message]
