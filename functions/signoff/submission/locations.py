"""Where the fields of a manifest that take S3 URIs may point: under the manifest's own submission, and nowhere else.

A submission is read with Signoff's permissions, not with the submitter's. A name that can be interpreted in two ways
(percent-encoded, with a query, with `..`) could have one object checked and another one deployed, so names are plain.
"""

from __future__ import annotations

import unicodedata

from signoff.documents.faults import Fault
from signoff.documents.patterns import compiled_on_use
from signoff.errors import ManifestRefused
from signoff.model_package.data_sources import is_prefix

OWN_FILES = frozenset({"manifest.json", "submission.json", "registration-report.json"})
# Leaves room for the vault's own prefix within the 1,024 characters of SageMaker's URIs and of S3's keys.
MAX_NAME_BYTES = 512
_SCHEME = compiled_on_use(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PERCENT = compiled_on_use(r"%[0-9A-Fa-f]{2}")
# Model data may be a key prefix, which ends in `/`; anything else that a manifest names is one object.
_MODEL_DATA = compiled_on_use(r"(?:^|\.)(?:ModelDataUrl|S3DataSource\.S3Uri|AdditionalS3DataSource\.S3Uri)$")


def relative_name(path: str, value: str, bucket: str, prefix: str) -> str:
    """Return the name, relative to the submission, of the object or, for model data, the prefix that `value` means.

    `value` is such a name already (`metrics/quality.json`) or an `s3://` URI under `s3://<bucket>/<prefix>/`; that of
    a prefix ends in `/`.
    Raises ManifestRefused, with a fault at `path`, when it points elsewhere or is ambiguous.
    """
    home = f"s3://{bucket}/{prefix}/"
    name = value.removeprefix(home)
    fault = _scheme_fault(name, home) or spelling_fault(name) or _segments_fault(name, path)
    if fault:
        raise ManifestRefused([Fault(path, fault)])
    return name


def _scheme_fault(name: str, home: str) -> str | None:
    scheme = _SCHEME.match(name)
    if scheme is None:
        return None
    if scheme[0].lower().startswith("http"):
        return (
            "is a URL, whose content may change after it is signed; upload the object with the submission and use "
            "its name"
        )
    return f"points outside its submission, which is {home}"


def spelling_fault(name: str) -> str | None:
    """Return why a name could be read as another one, or None."""
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in name):
        return "contains a control character"
    if encoded := _PERCENT.search(name):
        return (
            f"is percent-encoded, or contains {encoded[0]}, which some readers take for another character: write the "
            "object's name as it is, and rename an object that is called so"
        )
    odd = sorted({character for character in name if character in "\\?#"})
    if odd:
        return f"contains {' and '.join(odd)}, which some readers do not take literally; rename the object"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    return None


def _segments_fault(name: str, path: str) -> str | None:
    if name.startswith("/"):
        return "points outside its submission: a name must not begin with /"
    segments = name.split("/")
    if ".." in segments:
        return "points outside its submission: .. is not allowed in a name"
    if is_prefix(name) and "" not in segments[:-1]:
        if not _MODEL_DATA.search(path):
            return "names a prefix (it ends in /); name one object"
        segments.pop()
    if "" in segments:
        return "is not an object's name: it is empty or has an empty part between two /"
    if "." in segments:
        return "has a part that is only a dot; remove it"
    if name in OWN_FILES:
        return f"names a file of the submission itself ({name}), which is not an artifact"
    return None
