"""What a name in a pickle is: harmless, trusted by the policy, of a known library, one's own, or known to run code."""

from __future__ import annotations

from collections.abc import Collection

from signoff.artifact.pickle.allow_list import allowed, as_loaded, only_held
from signoff.artifact.pickle.values import Global
from signoff.artifact.remedies import LIBRARIES
from signoff.artifact.trusted_names import runs_code, trusts

TRUSTED = "trusted-name"


def looked_up(module: str, name: str, trusted: Collection[str]) -> tuple[Global, tuple[str, str] | None]:
    """Return a module's global and, unless it is harmless, the rule that it breaks with the reason.

    What the policy trusts (`signoff.artifact.trusted_names.trusts`) is allowed, and reported under `TRUSTED`.
    """
    known = Global(module, name, allowed(module, name), only_held(module, name))
    if known.of_torchscript:
        return known, ("torchscript-code", "Makes objects of classes that a TorchScript program defines")
    if known.allowed:
        return known, None
    if runs_code(module, name) or runs_code(*as_loaded(module, name)):
        return known, ("unsafe-pickle", f"Would run {known.shown} when it is loaded")
    if trusts(trusted, module, name):
        return Global(module, name, allowed=True), (TRUSTED, f"Would load {known.shown}, which the policy trusts")
    if module.partition(".")[0] in LIBRARIES:
        return known, ("unknown-global", f"Would load {known.shown}, which is not known to be harmless")
    return known, ("own-class", f"Would load {known.shown}, which is of no library that Signoff knows")
