"""What does not belong into a model, by its name: secrets, repositories, environments, and what programs leave behind.

A submission is kept in the vault, where nobody can delete it: a secret in it could only be replaced.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_REPLACE = "whoever may read the vault could use it, and nothing in the vault can be deleted; remove it"
_SECRETS = {
    "a file of secrets": (".env", ".env.*", ".envrc"),
    "credentials of AWS": (".aws/credentials", ".aws/config", ".boto", ".s3cfg"),
    "credentials of a cloud": ("application_default_credentials.json", ".azure/*", ".config/gcloud/*", ".oci/config"),
    "a password or a token": (
        *(".netrc", "_netrc", ".pypirc", ".npmrc", ".pgpass", ".git-credentials", ".htpasswd", "kaggle.json"),
        *(".docker/config.json", ".dockercfg", ".kube/config", ".huggingface/token", ".streamlit/secrets.toml"),
    ),
    "a private key": (".ssh/*", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.ppk", "*.p12", "*.pfx"),
}
_UNUSED = "which containers do not use: remove it, and list packages in code/requirements.txt"
_NO_SECRETS = (".env.example", ".env.sample", ".env.template")
_REPOSITORY = {".git", ".hg", ".svn"}
_ENVIRONMENT = {".venv", "venv", "node_modules", ".tox", ".nox"}
# Folders and files that programs make anew, or that nothing reads.
_LEFT = {
    **dict.fromkeys((".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"), "the operating system's own"),
    ".ipynb_checkpoints": "copies that Jupyter keeps",
    **dict.fromkeys(("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"), "what Python's tools keep"),
}
_APPLE_DOUBLE = "._"
# https://www.rfc-editor.org/rfc/rfc7468, with the headers of older keys; not a text that only speaks of keys
_PRIVATE_KEY = re.compile(
    rb"^-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----\s+(?:[\w-]+: [^\n]*\s+){0,9}[A-Za-z0-9+/=]{32}",
    re.MULTILINE,
)
# Bytes of a file in which a key would begin, and of the largest file that is looked into.
KEY_WITHIN, KEY_FILE = 4096, 65_536


def refused(name: str) -> tuple[str, str] | None:
    """Return what of the path `name` (of a file, `/` between its parts) is not submitted, and why, or None."""
    parts = name.split("/")
    for depth, part in enumerate(parts[:-1], start=1):
        if part in _REPOSITORY:
            why = "is a repository, with all that was ever in it: submit a folder without, as `git archive` writes it"
            return "/".join(parts[:depth]) + "/", why
        if part in _ENVIRONMENT:
            return "/".join(parts[:depth]) + "/", f"is an environment, {_UNUSED}"
    if parts[-1] == "pyvenv.cfg":
        return name, f"is part of a virtual environment, {_UNUSED}"
    for what, globs in _SECRETS.items():
        if any(_is_called(parts, glob) for glob in globs) and parts[-1] not in _NO_SECRETS:
            return name, f"is {what}, by its name: {_REPLACE}"
    return None


def left_over(name: str) -> str | None:
    """Return what left a file of that name behind, if it is no part of a model, or None."""
    parts = name.split("/")
    if parts[-1].startswith(_APPLE_DOUBLE):
        return "the operating system's own"
    return next((_LEFT[part] for part in parts if part in _LEFT), None)


def private_key(head: bytes) -> str | None:
    """Return why a file that begins with `head` is not submitted, if that holds a private key, or None."""
    return f"holds a private key: {_REPLACE}" if _PRIVATE_KEY.search(head) else None


def _is_called(parts: list[str], glob: str) -> bool:
    depth = glob.count("/") + 1
    return fnmatchcase("/".join(parts[-depth:]).lower(), glob)
