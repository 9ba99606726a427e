"""What to do about each finding of an inspection, by its rule."""

from __future__ import annotations

from collections.abc import Mapping

_PACK = "pack the files anew with `tar -czf model.tar.gz -C <folder> .`"
_AGAIN = f"Upload the archive again; if that does not help, {_PACK}."
_ANEW = f"{_PACK[0].upper()}{_PACK[1:]}."
_RENAME = "Rename the file and pack the archive anew."
_LINK = "Pack the file itself instead of the link (`tar --dereference`)."

REMEDIES: Mapping[str, str] = {
    # The container.
    "not-gzip": "Upload a gzip-compressed tar archive: `tar -czf model.tar.gz -C <folder> .`",
    "not-tar": "Put the files into a tar archive before it is compressed: `tar -czf model.tar.gz -C <folder> .`",
    "corrupt-gzip": _AGAIN,
    "truncated-gzip": _AGAIN,
    "trailing-data": f"Remove what follows the gzip data, or {_PACK}.",
    "corrupt-tar": _AGAIN,
    "truncated-tar": _AGAIN,
    "truncated-content": _AGAIN,
    "empty-archive": "Pack the model's files into the archive.",
    "data-after-end": f"Do not append archives to one another: {_PACK}.",
    "header-too-large": f"Leave out comments and extended attributes: {_PACK}.",
    "ambiguous-header": f"Use one well-kept tar for all of the archive: {_PACK}.",
    "ambiguous-size": _ANEW,
    "sparse-map": "Pack the file without `--sparse`.",
    "multi-volume": "Pack all into one archive, without `--multi-volume`.",
    # Bombs.
    "expansion-limit": "Leave out what the model does not need, or raise `artifact.limits.expanded_gib` in the policy.",
    "expansion-ratio": "Find out what compresses so well, or raise `artifact.limits.ratio` in the policy.",
    "too-many-members": "Leave out what the model does not need, or raise `artifact.limits.members` in the policy.",
    "nested-too-deep": "Unpack the archives within, or raise `artifact.limits.nested` in the policy.",
    # Names.
    "absolute-name": "Pack with names relative to the model's folder (`tar -C <folder> .`).",
    "drive-letter": _RENAME,
    "parent-directory": "Pack from the model's folder (`tar -C <folder> .`), so that no name leads out of it.",
    "control-character": _RENAME,
    "invisible-character": _RENAME,
    "not-utf-8": "Rename the file in UTF-8 and pack the archive anew.",
    "backslash": "Pack with slashes in names; on Windows, use its own `tar.exe`.",
    "name-too-long": "Give the file a shorter name and pack the archive anew.",
    "empty-name": "Give the file a name and pack the archive anew.",
    "reserved-name": "Rename the file if anybody is to unpack the archive on Windows.",
    "trailing-dot": "Rename the file if anybody is to unpack the archive on Windows.",
    "duplicate-name": "Pack each file once; do not append to an archive (`tar -r`).",
    "name-collision": "Rename one of the two, so that they differ by more than case or the spelling of an accent.",
    "name-through-link": "Pack a directory where the link or file is that others lie below.",
    # Links, and what is neither file nor directory.
    "link-leaves": _LINK,
    "link-loop": _LINK,
    "hard-link-missing": "Pack the file that the hard link leads to, or use `tar --hard-dereference`.",
    "dangling-link": "Pack the file that the link leads to, or leave the link out.",
    "special-file": "Leave it out: a model consists of files, directories and links.",
    "set-uid": "Take the bit away (`chmod u-s,g-s,-t`), or pack with `tar --mode=u-s,g-s,-t`.",
    "capability": "Pack without extended attributes (`tar --no-xattrs`), or take them away (`setcap -r`).",
    # What the policy demands.
    "required-file-missing": "Add the file, or change `artifact.required_files` in the policy.",
    "more-findings": "Correct those that are listed, and inspect again to see the others.",
}
