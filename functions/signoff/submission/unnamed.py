"""What lies under a submission's prefix although nothing names it, and which of it was meant by a name that is missing.

What nothing names is neither copied nor inspected. Whoever uploaded it believes that it is part of the model.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from itertools import islice
from urllib.parse import unquote_plus

from signoff.documents.faults import Fault
from signoff.documents.suggestions import closest
from signoff.submission.layout import SUBMISSION
from signoff.submission.locations import OWN_FILES

# Names that are compared, and of each the last characters: anybody may upload names that take long to compare.
_COMPARED, _CHARACTERS = 200, 100


def unnamed(present: Iterable[str], named: Collection[str]) -> list[str]:
    """Return, sorted, the names of what is `present` that is neither `named` nor one of the submission's own files."""
    return sorted({*present} - {*named} - OWN_FILES)


def unnamed_faults(names: Iterable[str]) -> list[Fault]:
    """Return a fault for each name of an object that nothing names."""
    reason = (
        "nothing names it, so that nobody would inspect it: name it in the manifest (below a prefix, in the list of "
        "submission.json), or delete it; then upload the manifest again, and submission.json if it lists it"
    )
    return [Fault(name, reason) for name in names]


def missing_faults(missing: Iterable[str], candidates: Iterable[str]) -> list[Fault]:
    """Return a fault for each name that is `missing`, with that of `candidates` which was probably meant."""
    spelled = {_plain(name): name for name in islice(candidates, _COMPARED)}
    return [Fault(name, _missing(name, spelled)) for name in missing]


def _missing(name: str, spelled: dict[str, str]) -> str:
    lacks = "is missing, or does not list `objects`" if name == SUBMISSION else "is missing"
    reason = f"{lacks}, and the submission waits for it: it is registered once that is uploaded"
    alike = closest(_plain(name), spelled)
    # As ASCII, for names may look the same that are not.
    return f"{reason}; was {spelled[alike[0]]!a} meant, which is there?" if alike else reason


def _plain(name: str) -> str:
    """Return a name without what is often spelled otherwise: its folders, case, percent-encoding and Unicode form."""
    plain = unicodedata.normalize("NFKC", unquote_plus(name)).casefold()
    return plain.rpartition("/")[2][-_CHARACTERS:]
