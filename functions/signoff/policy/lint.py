"""All that is wrong with a policy at once, by path: the reader of `signoff.policy.policy` stops at the first fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import inspect

from signoff.documents.faults import Fault, Unfit, below
from signoff.errors import PolicyFault
from signoff.identity.principals import matches
from signoff.policy.approvals import Approvals
from signoff.policy.policy import Metric, Policy, of_document
from signoff.service_model.constraints import iter_faults
from signoff.service_model.shapes import ListOf, Structure

_ANY_ROLE = "arn:aws:iam::123456789012:role/filled-in-by-the-app"
# What stands for a required field that is missing or faulty, so that the rules about the others are tried all the same.
_INSTEAD: dict[type[inspect.Type], Any] = {
    inspect.StrType: "",
    inspect.VarTupleType: (),
    inspect.TimeDeltaType: "P9999D",
}
# What says how many have to approve, and who may.
_VOTES = ("needed", "approvers", "roles", "trusted_sessions")
_FIELD = re.compile(r"[.\[]")
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class _Anything(Structure):
    """The shape of whatever is looked at elsewhere, or not at all."""

    name: str = "Anything"
    members: Mapping[str, Any] = field(default_factory=dict)
    is_document_type: bool = True


_ANYTHING = _Anything()


def with_execution_role(document: Any, role: str = _ANY_ROLE) -> Any:
    """Return a policy file's document with `role` (an ARN) where it leaves the execution role out.

    The CDK app fills it in, so a file may leave it out and the functions never read one without.
    """
    deployment = document.get("deployment", {}) if isinstance(document, dict) else None
    if not isinstance(deployment, dict):
        return document
    return {**document, "deployment": {"execution_role": role, **deployment}}


def all_faults(document: Any) -> list[Fault]:
    """Return every fault of a policy, as JSON gave it: what the reader refuses, and what nobody could ever fulfil.

    An empty list means that `signoff.policy.policy.of_document` reads it, and that it can be fulfilled.
    """
    found = list(_faults(inspect.type_info(Policy), document, ""))
    faulty = {fault.path for fault in found}
    found += [*_impossible_votes(document, faulty), *_impossible_metrics(document, faulty)]
    if not found:
        try:
            of_document(document)
        except PolicyFault as fault:  # the reader has the last word
            return [Fault("", str(fault))]
    return sorted(found)


def publisher_conflicts(policies: Mapping[str, Policy]) -> list[tuple[str, Fault]]:
    """Return the event sources that two of `policies` (by name) give to different principals, with the later's name.

    A bus has one rule for each source, whichever group is decided about: the policies would open it to each other's.
    """
    first: dict[str, tuple[str, frozenset[str]]] = {}
    found = []
    for name, policy in policies.items():
        for source, principals in policy.approvals.publishers.items():
            other, theirs = first.setdefault(source, (name, frozenset(principals)))
            if theirs != frozenset(principals):
                told = f"{other} lets others speak as `{source}`: name the same principals, or take another source"
                found.append((name, Fault(below("approvals.publishers", source), told)))
    return found


def _faults(kind: inspect.Type, value: Any, path: str) -> Iterator[Fault]:
    if isinstance(kind, inspect.UnionType):  # an optional value; there are no other unions
        if value is None:
            return
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    check = _CHECKS.get(type(kind))
    yield from check(kind, value, path) if check else iter_faults(_leaf(kind), value, path)


def _list(kind: inspect.VarTupleType, value: Any, path: str) -> Iterator[Fault]:
    yield from iter_faults(ListOf("List", _ANYTHING), value, path)
    for index, each in enumerate(value if isinstance(value, list) else ()):
        yield from _faults(kind.item_type, each, f"{path}[{index}]")


def _map(kind: inspect.DictType, value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield from iter_faults(Structure("Map", {}), value, path)
        return
    for key, each in value.items():
        yield from _faults(kind.value_type, each, below(path, key))


def _leaf(kind: inspect.Type) -> Structure:
    """Return the shape of a plain value, as `signoff.service_model.constraints` reads shapes."""
    match kind:
        case inspect.LiteralType(values=values):
            return Structure("Choice", {}, metadata={"enum": list(values)}, type_name="string")
        case inspect.StrType(pattern=pattern):
            return Structure("Text", {}, metadata={"pattern": pattern} if pattern else {}, type_name="string")
        case inspect.BoolType():
            return Structure("Switch", {}, type_name="boolean")
        case inspect.IntType():
            return Structure("Count", {}, type_name="integer")
        case inspect.FloatType():
            return Structure("Number", {}, type_name="double")
    return _ANYTHING


def _structure(kind: inspect.StructType, value: Any, path: str) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in kind.fields}
    required = tuple(name for name, field in fields.items() if field.required)
    yield from iter_faults(Structure(kind.cls.__name__, dict.fromkeys(fields, _ANYTHING), required), value, path)
    if not isinstance(value, dict):
        return
    good = {}
    for name in (name for name in value if name in fields):
        found = list(_faults(fields[name].type, value[name], below(path, name)))
        yield from found
        if not found:
            good[name] = value[name]
    instead = {name: _INSTEAD.get(type(fields[name].type)) for name in required if name not in good}
    yield from _broken_rules(kind.cls, {**instead, **good}, path, but={*value, *required} - good.keys())


def _broken_rules(cls: type, fields: Mapping[str, Any], path: str, *, but: Set[str]) -> Iterator[Fault]:
    """Yield which of its rules a structure of `fields` breaks, leaving out those about the fields of `but`."""
    try:
        msgspec.convert(fields, type=cls)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, Unfit):
            for fault in error.__cause__.faults:
                if _FIELD.split(fault.path)[0] not in but:
                    yield Fault(".".join(filter(None, (path, fault.path))), fault.message)


def _duration(_: inspect.TimeDeltaType, value: Any, path: str) -> Iterator[Fault]:
    try:
        msgspec.convert(value, type=timedelta)
    except msgspec.ValidationError:
        yield Fault(path, "must be an ISO 8601 duration of days and shorter, such as P14D or PT12H")


_CHECKS: dict[type[inspect.Type], Callable[[Any, Any, str], Iterator[Fault]]] = {
    inspect.StructType: _structure,
    inspect.VarTupleType: _list,
    inspect.DictType: _map,
    inspect.TimeDeltaType: _duration,
}


def one_person(pattern: str, trusted: Sequence[str]) -> bool:
    """Return whether a pattern of persons can match one person only; `trusted` are the policy's trusted sessions."""
    many = ":role/AWSReservedSSO_" in pattern or any(matches(pattern, role) for role in trusted)
    return not many and not _WILDCARD.search(pattern)


def _impossible_votes(document: Any, faulty: Set[str]) -> Iterator[Fault]:
    """Yield why the approvals needed can never come together, unless what says so is faulty itself."""
    if not isinstance(document, dict) or not isinstance(document.get("approvals"), dict):
        return
    if any(path.startswith(tuple(f"approvals.{field}" for field in _VOTES)) for path in faulty):
        return
    said = {field: value for field, value in document["approvals"].items() if field in _VOTES}
    approvals = msgspec.convert(said, type=Approvals)
    yield from (_unfilled(approvals) or _too_few(approvals))


def _unfilled(approvals: Approvals) -> list[Fault]:
    """Return the fault of roles that the people who are known for certain do not fill, if there is one."""
    trusted = approvals.trusted_sessions
    known = {
        name: role for name, role in approvals.roles.items() if all(one_person(each, trusted) for each in role.members)
    }
    people = {each for role in known.values() for each in role.members}
    if not Approvals(roles=known, trusted_sessions=trusted).outstanding(people).roles:
        return []
    names, several = _names(known), len(known) > 1
    told = f"{names} can never be filled: {'they list' if several else 'it lists'} {_count(len(people))} in all"
    return [Fault("approvals.roles", f"{told}, and nobody fills two places")]


def _too_few(approvals: Approvals) -> list[Fault]:
    """Return the fault of fewer people than have to approve, if each who may is known for certain."""
    listed = {*approvals.approvers, *(each for role in approvals.roles.values() for each in role.members)}
    certain = all(one_person(each, approvals.trusted_sessions) for each in listed)
    if not listed or not certain or len(listed) >= approvals.needed:
        return []
    told = f"{approvals.needed} approvals can never come together: {_count(len(listed))} in all may approve"
    return [Fault("approvals.needed", told)]


def _names(roles: Mapping[str, object]) -> str:
    *others, last = (f"`{name}`" for name in roles)
    return f"the roles {', '.join(others)} and {last}" if others else f"the role {last}"


def _count(people: int) -> str:
    return "1 person" if people == 1 else f"{people} people"


def _impossible_metrics(document: Any, faulty: Set[str]) -> Iterator[Fault]:
    """Yield the metrics that no number could meet, unless any of them is faulty itself."""
    if not isinstance(document, dict) or any(path.startswith("metrics") for path in faulty):
        return
    for index, said in enumerate(document.get("metrics", ())):
        metric = msgspec.convert(said, type=Metric)
        if metric.at_least is not None and metric.at_most is not None and metric.at_least > metric.at_most:
            told = f"metric `{metric.name}` cannot be at least {metric.at_least} and at most {metric.at_most}"
            yield Fault(f"metrics[{index}]", told)
