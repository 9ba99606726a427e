"""The policies in force beside those that the stack deployed: who may write parameters may not write its template."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from signoff.aws.ssm import Policies
from signoff.identity.principals import role_of
from signoff_cli.audit.auditor import settle
from signoff_cli.audit.facts import Discrepancy
from signoff_cli.errors import CommandFailed

_PROJECTS_ROLE = "ProjectLaunchRoleArn"  # the output of infra/groups/projects.py


class PolicyAuditor:
    """Compares the `policies` in force with the template and the outputs of the stack.

    `pause` waits before anything is called a finding.
    """

    def __init__(
        self,
        policies: Policies,
        read_template: Callable[[], Any],
        outputs: Mapping[str, str],
        pause: Callable[[], None] = settle,
    ) -> None:
        self._policies = policies
        self._read_template = read_template
        self._outputs = outputs
        self._pause = pause

    def findings(self) -> list[Discrepancy]:
        """Return a finding for each policy in force that was not deployed so, and for each that is gone.

        Raises `CommandFailed` when the template does not say what was deployed.
        """
        found = list(self._findings())
        if found:
            self._pause()
            found = list(self._findings())
        return found

    def _findings(self) -> Iterator[Discrepancy]:
        deployed = deployed_texts(self._read_template(), self._outputs, self._policies.path)
        in_force = self._policies.texts()
        for name, text in sorted(deployed.items()):
            because = _difference(in_force.get(name), text)
            if because:
                yield Discrepancy(name, "PolicyDiffers", because)
        for name in sorted(in_force.keys() - deployed.keys()):
            writer = self._policies.last_writer(name)
            if not self._is_a_projects(name, writer):
                because = f"no policy of this name was deployed, and no project wrote it, but {writer or 'an unknown'}"
                yield Discrepancy(name, "PolicyNotDeployed", because)

    def _is_a_projects(self, name: str, writer: str | None) -> bool:
        """Return whether the role that makes projects wrote it: SSM notes the writer, and tags anybody may set."""
        role = self._outputs.get(_PROJECTS_ROLE)
        if role is None or writer is None or not name.startswith(f"{self._policies.path}/groups/"):
            return False
        return role_of(writer) == _without_path(role)


def deployed_texts(template: Any, outputs: Mapping[str, str], path: str) -> dict[str, str | None]:
    """Return by name what the parameters under `path` hold by a stack's template; None where that cannot be told.

    `outputs` are the stack's, whose values the template may refer to. Raises `CommandFailed` when it has no policies.
    """
    document = template if isinstance(template, Mapping) else {}
    shown = {_form(each.get("Value")): outputs.get(name) for name, each in document.get("Outputs", {}).items()}
    made = [
        each["Properties"] for each in document.get("Resources", {}).values() if each["Type"] == "AWS::SSM::Parameter"
    ]
    texts = {
        each["Name"]: _resolved(each["Value"], shown) for each in made if str(each.get("Name")).startswith(f"{path}/")
    }
    if not texts:
        raise CommandFailed(
            "the template of the stack, as CloudFormation shows it, is not JSON or contains no policies"
        )
    return texts


def with_nested(template: Any, nested: Mapping[str, Any]) -> Any:
    """Return a template with the resources of the stacks nested in it, by their logical ids in `template`.

    What the nested stacks get as parameters is replaced by what `template` gives them.
    """
    resources = dict(template["Resources"])
    for logical, inner in nested.items():
        given = template["Resources"][logical]["Properties"].get("Parameters", {})
        resources |= {f"{logical}/{name}": _with(given, each) for name, each in inner["Resources"].items()}
    return {**template, "Resources": resources}


def nested_stacks(template: Any) -> list[str]:
    """Return the logical ids of the stacks nested in a template; none if it is not JSON."""
    resources = template.get("Resources", {}) if isinstance(template, Mapping) else {}
    return [logical for logical, each in resources.items() if each["Type"] == "AWS::CloudFormation::Stack"]


def _with(given: Mapping[str, Any], node: Any) -> Any:
    match node:
        case {"Ref": str(name)} if name in given:
            return given[name]
        case dict():
            return {key: _with(given, value) for key, value in node.items()}
        case list():
            return [_with(given, value) for value in node]
        case _:
            return node


def _resolved(value: Any, shown: Mapping[str, str | None]) -> str | None:
    """Return the text of a value of the template, in which what an output `shown` refers to may be joined in."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str(between), list(parts)]}:
            texts = [_resolved(part, shown) for part in parts]
            known = [text for text in texts if text is not None]
            return between.join(known) if len(known) == len(texts) else None
        case _:
            return shown.get(_form(value))


def _form(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _difference(text: str | None, deployed: str | None) -> str | None:
    if text is None:
        return "it was deployed, and is gone"
    if deployed is None:
        return "what was deployed cannot be told from the template"
    if text != deployed:
        return f"it has the SHA-256 {_sha256(text)}, and the one that was deployed {_sha256(deployed)}"
    return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _without_path(role: str) -> str:
    """Return the ARN of a role as `role_of` says it of a session, which has no path."""
    account, _, name = role.partition(":role/")
    return f"{account}:role/{name.rpartition('/')[2]}"
