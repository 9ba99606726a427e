"""Which files make a server fetch or run something when it starts, by their name, and what each asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signoff.artifact.context import FindingCollector, ScanContext
from signoff.artifact.startup.requirements_file import check_environment, check_requirements
from signoff.artifact.startup.settings import check_addresses, check_json, check_modules, check_properties, check_yaml
from signoff.artifact.startup.templates import check_template
from signoff.documents.patterns import first_of

LARGEST = 4 * 1024 * 1024  # bytes; a tokenizer's settings take about one million
Check = Callable[[str, FindingCollector], None]


def _runs(_text: str, findings: FindingCollector) -> None:
    findings.report("runs-at-start", "Has a name that Python runs at every start, without anybody importing it")


CHECKS: Sequence[tuple[Sequence[str], Sequence[Check]]] = (
    (("requirements*.txt", "*-requirements.txt", "constraints*.txt"), (check_requirements,)),
    (("conda.y*ml", "environment.y*ml", "python_env.y*ml"), (check_environment, check_yaml)),
    (("serving.properties",), (check_properties,)),
    (("config.pbtxt", "config.properties"), (check_addresses,)),
    (("*.yaml", "*.yml", "mlmodel"), (check_yaml,)),
    (("*.jinja", "*.jinja2", "*.j2"), (check_template,)),
    (("*config.json", "chat_template.json"), (check_json,)),
    (("modules.json",), (check_json, check_modules)),
    (("sitecustomize.py", "usercustomize.py"), (_runs,)),
)
_first_check = first_of([globs for globs, _ in CHECKS])


def checks_for(name: str) -> Sequence[Check]:
    """Return the checks of a file of this name; none for a file that no server acts on."""
    last = name.rpartition("/")[2].lower()
    if last.startswith("._"):  # what macOS packs beside a file, under a name that no server looks for
        return ()
    found = _first_check(last)
    return () if found is None else CHECKS[found][1]


def check_file(checks: Sequence[Check], data: bytes, context: ScanContext) -> None:
    """Check a file whose first bytes are `data`: all of it, unless it is larger than `LARGEST`, which is reported."""
    if len(data) > LARGEST:
        context.report("unreadable-settings", f"Is larger than {LARGEST} bytes, which no file of this name is")
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        context.report("unreadable-settings", f"Is not UTF-8 at byte {error.start}: readers decode it differently")
        return
    if "\0" in text:
        context.report("unreadable-settings", "Has NUL characters: readers disagree about what they end")
        return
    findings = FindingCollector(context)
    for check in checks:
        check(text, findings)
