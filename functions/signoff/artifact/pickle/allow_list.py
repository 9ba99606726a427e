"""The allow list: names that the common frameworks write into pickled models, and nothing else.

A pickle may call an allowed name with any arguments, so each must be harmless with all of them: it creates an object
and neither imports, runs, opens nor looks anything up by name, and it never returns its own arguments, which could
then be changed. `numpy.memmap`, `builtins.getattr`, `collections.namedtuple` and `torch._tensor._rebuild_from_type_v2`
are legitimate, but excluded for that reason. A function that a model only holds may be named and not called.
"""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

from signoff.artifact.pickle.known_names import CREATED, DEEPEST, FAMILIES, HELD, NO_PART, OUTSIDERS

CALLABLE = {module: frozenset(names.split()) for module, names in CREATED.items()}
ONLY_HELD = {module: frozenset(names.split()) for module, names in HELD.items()}
ALLOWED = {module: CALLABLE.get(module, frozenset()) | ONLY_HELD.get(module, frozenset()) for module in CREATED | HELD}
PARTS = frozenset(ALLOWED).union(*ALLOWED.values())
"""The modules, and the names in them: with `PACKAGES`, which one may begin with, the parts of all allowed names."""
FOREIGN = frozenset(OUTSIDERS.split())
PACKAGES = tuple(f"{package}." for package in FAMILIES)


def allowed(module: str, name: str) -> bool:
    """Whether a pickle may name `name` of `module`, by the names of Python 3 (protocols 0 to 2 write Python 2's)."""
    return _may_be_called(*as_loaded(module, name)) or only_held(module, name)


def only_held(module: str, name: str) -> bool:
    """Whether a pickle may name it and not call it."""
    module, name = as_loaded(module, name)
    return name in ONLY_HELD.get(module, ())


def _may_be_called(module: str, name: str) -> bool:
    return name in CALLABLE.get(module, ()) or _of_family(module, name)


def as_loaded(module: str, name: str) -> tuple[str, str]:
    """Return what `pickle` loads when Python 2's name is asked for (`fix_imports`, the `pickle` module's document)."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


def _of_family(module: str, name: str) -> bool:
    package, _, rest = module.partition(".")
    parts = rest.split(".")
    if package not in FAMILIES or len(parts) > DEEPEST or not NO_PART.isdisjoint(parts):
        return False
    parts_of_it, classes = FAMILIES[package]
    return parts[0] in parts_of_it and bool(classes.fullmatch(name)) and name not in FOREIGN
