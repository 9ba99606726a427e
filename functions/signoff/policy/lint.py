"""All faults of a policy at once, by path: the reader in `signoff.policy.policy` stops at the first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from signoff.documents.faults import Fault, InvalidValue, below
from signoff.documents.patterns import compiled_on_use
from signoff.documents.text import cut, joined
from signoff.errors import PolicyFault
from signoff.identity.principals import account_of, matches
from signoff.policy.approvals import Approvals
from signoff.policy.metrics import Bias, Metric
from signoff.policy.policy import Policy, of_document
from signoff.service_model import java_patterns
from signoff.service_model.constraints import iter_faults
from signoff.service_model.shapes import ListShape, StructureShape

# Placeholders for required fields that are missing or faulty, so that the rules about the others are checked too.
_INSTEAD: Mapping[type[inspect.Type], Any] = {inspect.TimeDeltaType: "P9999D"}
_TEXTS = (
    *("0", "arn:aws:iam::123456789012:role/instead", "eu-west-1", "2027-03-31"),
    *("s3://bucket/object", "$.instead", "0" * 64),
)
# The fields that say how many have to approve, and who may.
_VOTES = ("needed", "approvers", "roles", "trusted_sessions")
_Kind = TypeVar("_Kind")
_FIELD = compiled_on_use(r"[.\[]")
_WILDCARD = compiled_on_use(r"[*?\[]")
# The shape of what is checked elsewhere, or not at all.
_ANYTHING = SimpleNamespace(is_document_type=True)
_PLAIN: Mapping[type[inspect.Type], str] = {
    inspect.LiteralType: "string",
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.IntType: "integer",
    inspect.FloatType: "double",
}


def all_faults(document: Any) -> list[Fault]:
    """Return every fault of a policy's parsed JSON: what the reader refuses, and what could never be fulfilled.

    An empty list means that `signoff.policy.policy.of_document` reads it, and that it can be fulfilled.
    """
    found = list(_faults(inspect.type_info(Policy), document, ""))
    faulty = {fault.path for fault in found}
    found += [*_impossible_votes(document, faulty), *_impossible_metrics(document, faulty), *_uncertain_votes(document)]
    found += _foreign_roles(document, faulty)
    if not found:
        try:
            of_document(document)
        except PolicyFault as fault:  # the reader is authoritative
            return [Fault("", str(fault))]
    return sorted(found)


def publisher_conflicts(policies: Mapping[str, Policy]) -> list[tuple[str, Fault]]:
    """Return the event sources that two of `policies` (by name) give to different principals, with the later's name.

    The bus has one rule for each source, whatever the group: each policy would allow the other's principals too.
    """
    first: dict[str, tuple[str, frozenset[str]]] = {}
    found = []
    for name, policy in policies.items():
        for source, principals in policy.approvals.publishers.items():
            other, theirs = first.setdefault(source, (name, frozenset(principals)))
            if theirs != frozenset(principals):
                message = f"{other} lists other principals for `{source}`: list the same ones, or use another source"
                found.append((name, Fault(below("approvals.publishers", source), message)))
    return found


def spelling_conflicts(names: Iterable[str]) -> list[tuple[str, Fault]]:
    """Return which of the policies' names (paths of their files) differ from one before by case only."""
    first: dict[str, str] = {}
    found = []
    for name in names:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            message = f"{other.rpartition('/')[2]} is for the same group: only the case differs; keep one of them"
            found.append((name, Fault("", message)))
    return found


def _faults(kind: inspect.Type, value: Any, path: str) -> Iterator[Fault]:
    kind, message = _bare(kind, value)
    yield from iter_faults(_shape(kind), value, path)
    match kind, value:
        case inspect.StructType() as structure, dict():
            yield from _structure(structure, value, path)
        case inspect.DictType() as map_, dict():
            for key, each in value.items():
                yield from _faults(map_.value_type, each, below(path, key))
        case inspect.VarTupleType() as list_, list():
            for index, each in enumerate(value):
                yield from _faults(list_.item_type, each, f"{path}[{index}]")
            yield from _repeated(value, path)
    if "patternErrorMessage" in message and not _fits(kind, value):
        yield Fault(path, f"{message['patternErrorMessage']}; {cut(json.dumps(value, default=str), 100)} is not")


def _repeated(values: Sequence[Any], path: str) -> Iterator[Fault]:
    """Yield the items of a list that stand in it before: at least one of them was meant to be another."""
    first: dict[str, int] = {}
    for index, each in enumerate(values):
        earlier = first.setdefault(json.dumps(each, sort_keys=True, default=str), index)
        if earlier != index:
            yield Fault(f"{path}[{index}]", f"is the same as {path}[{earlier}]: change or remove one of them")


def _bare(kind: inspect.Type, value: Any = ...) -> tuple[inspect.Type, Mapping[str, Any]]:
    """Return a type and its metadata, separated; for an optional value (there are no other unions) its own type."""
    message: dict[str, Any] = {}
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        if isinstance(kind, inspect.Metadata):
            message |= kind.extra_json_schema or {}
            kind = kind.type
        else:
            kind = next(each for each in kind.types if isinstance(each, inspect.NoneType) == (value is None))
    return kind, message


def _shape(kind: inspect.Type) -> Any:
    """Return a type, without its members, as a shape for `signoff.service_model.constraints`."""
    match kind:
        case inspect.StructType():
            required = tuple(field.encode_name for field in kind.fields if field.required)
            members = {field.encode_name: _ANYTHING for field in kind.fields}
            return StructureShape(kind.cls.__name__, members, required)
        case inspect.DictType():
            return SimpleNamespace(type_name="map", metadata={}, key=_ANYTHING, value=_ANYTHING)
        case inspect.VarTupleType():
            return ListShape("List", _ANYTHING, {"min": kind.min_length, "max": kind.max_length})
    if type(kind) not in _PLAIN:
        return _ANYTHING
    bounds = {"min": getattr(kind, "ge", None), "max": getattr(kind, "le", None)}
    return StructureShape("Plain", {}, (), {**bounds, "enum": getattr(kind, "values", None)}, _PLAIN[type(kind)])


def _fits(kind: inspect.Type, value: Any) -> bool:
    """Return whether a value matches the pattern of its type; a wrong type is reported elsewhere."""
    if isinstance(kind, inspect.StrType):
        return not isinstance(value, str) or java_patterns.matches(str(kind.pattern), value)
    try:
        msgspec.convert(value, type=timedelta)
    except msgspec.ValidationError:
        return False
    return True


def _structure(kind: inspect.StructType, value: Mapping[str, Any], path: str) -> Iterator[Fault]:
    """Yield the faults of a structure's fields, and those by its own rules."""
    good, instead = {}, {}
    for field in kind.fields:
        name = field.encode_name
        found = list(_faults(field.type, value[name], below(path, name))) if name in value else []
        yield from found
        if name in value and not found:
            good[name] = value[name]
        elif field.required:
            instead[name] = _placeholder(_bare(field.type)[0])
    for fault in _broken_rules(kind.cls, {**instead, **good}):
        if _FIELD.split(fault.path)[0] not in {*value, *instead} - good.keys():  # faulty fields have been reported
            yield Fault(".".join(filter(None, (path, fault.path))), fault.message)


def _placeholder(kind: inspect.Type) -> Any:
    """Return a value of a type; None for lists, beside which no rule is checked."""
    match kind:
        case inspect.StructType():
            return {field.encode_name: _placeholder(_bare(field.type)[0]) for field in kind.fields if field.required}
        case inspect.StrType():
            return next(text for text in _TEXTS if not kind.pattern or java_patterns.matches(kind.pattern, text))
    return _INSTEAD.get(type(kind))


def _broken_rules(cls: type, fields: Mapping[str, Any]) -> Sequence[Fault]:
    """Return which of its rules a structure of `fields` breaks."""
    try:
        msgspec.convert(fields, type=cls)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, InvalidValue):
            return error.__cause__.faults
    return ()


def one_person(pattern: str, trusted: Sequence[str]) -> bool:
    """Return whether a pattern of persons can match one person only; `trusted` are the policy's trusted sessions."""
    many = ":role/AWSReservedSSO_" in pattern or any(matches(pattern, role) for role in trusted)
    return not many and not _WILDCARD.search(pattern)


def _impossible_votes(document: Any, faulty: Set[str]) -> Iterator[Fault]:
    """Yield why the required approvals can never be reached, unless the fields involved are faulty."""
    if not isinstance(document, dict) or not isinstance(document.get("approvals"), dict):
        return
    if any(path.startswith(tuple(f"approvals.{field}" for field in _VOTES)) for path in faulty):
        return
    said = {field: value for field, value in document["approvals"].items() if field in _VOTES}
    approvals = msgspec.convert(said, type=Approvals)
    yield from (_unfilled(approvals) or _too_few(approvals))


def _uncertain_votes(document: Any) -> Iterator[Fault]:
    approvals = document.get("approvals") if isinstance(document, dict) else None
    if isinstance(approvals, dict) and approvals.get("registry_edits") == "count":
        message = (
            "`count` is not possible any more: SageMaker does not say for certain who set a status. Leave the field "
            "out, and decide with `signoff approve`"
        )
        yield Fault("approvals.registry_edits", message)


def _unfilled(approvals: Approvals) -> list[Fault]:
    """Return the fault of roles that their members cannot fill, if all members are known."""
    trusted = approvals.trusted_sessions
    known = {
        name: role for name, role in approvals.roles.items() if all(one_person(each, trusted) for each in role.members)
    }
    people = {each for role in known.values() for each in role.members}
    if not Approvals(roles=known, trusted_sessions=trusted).outstanding(people).roles:
        return []
    names, several = _names(known), len(known) > 1
    message = f"{names} can never be filled: {'they list' if several else 'it lists'} {_count(len(people))} in all"
    return [Fault("approvals.roles", f"{message}, and nobody fills two places")]


def _too_few(approvals: Approvals) -> list[Fault]:
    """Return the fault of too few approvers, if all who may approve are known."""
    listed = {*approvals.approvers, *(each for role in approvals.roles.values() for each in role.members)}
    certain = all(one_person(each, approvals.trusted_sessions) for each in listed)
    if not listed or not certain or len(listed) >= approvals.needed:
        return []
    message = f"{approvals.needed} approvals can never be reached: only {_count(len(listed))} may approve"
    return [Fault("approvals.needed", message)]


def _names(roles: Mapping[str, object]) -> str:
    return f"the role{'s' if len(roles) > 1 else ''} {joined((f'`{name}`' for name in roles), 'and')}"


def _count(people: int) -> str:
    return "1 person" if people == 1 else f"{people} people"


def _foreign_roles(document: Any, faulty: Set[str]) -> Iterator[Fault]:
    """Yield the roles that do not belong to their target's account: models run under roles of their own account only.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    if not isinstance(document, dict) or any(path.startswith("deployment") for path in faulty):
        return
    for index, target in enumerate(document.get("deployment", {}).get("targets", ())):
        owner, account = account_of(target["execution_role"]), target.get("account")
        if account not in {None, owner}:
            message = f"belongs to account {owner}; models in account {account} run under a role of that account"
            yield Fault(f"deployment.targets[{index}].execution_role", message)


def _impossible_metrics(document: Any, faulty: Set[str]) -> Iterator[Fault]:
    """Yield the metrics that no number could meet, unless any metric is faulty."""
    for path, metric in _good(document, faulty, "metrics", Metric):
        yield from _impossible(path, f"metric `{metric.name}`", metric)
        margin = metric.against_champion
        if margin and metric.suspicious and not margin.relative and margin.at_least > metric.suspicious:
            message = f"metric `{metric.name}` has to improve by {margin.at_least}, beyond {metric.suspicious}"
            yield Fault(f"{path}.suspicious", f"{message}, which is suspicious: nothing would be as expected")
    for path, bias in _good(document, faulty, "bias", Bias):
        yield from _impossible(path, f"bias `{bias.facet}`, `{bias.metric}`", bias)


def _good(document: Any, faulty: Set[str], field: str, kind: type[_Kind]) -> Iterator[tuple[str, _Kind]]:
    """Yield each of a list of a policy's document, with its path, unless any of it is faulty."""
    if isinstance(document, dict) and not any(path.startswith(field) for path in faulty):
        for index, said in enumerate(document.get(field, ())):
            yield f"{field}[{index}]", msgspec.convert(said, type=kind)


def _impossible(path: str, what: str, bounds: Metric | Bias) -> Iterator[Fault]:
    if bounds.at_least is not None and bounds.at_most is not None and bounds.at_least > bounds.at_most:
        yield Fault(path, f"{what} cannot be at least {bounds.at_least} and at most {bounds.at_most}")
