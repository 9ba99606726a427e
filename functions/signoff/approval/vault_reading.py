"""One reading of the vault: what a statement or an event needs of it, each document and each folder once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from signoff.aws.s3 import VersionRecord
from signoff.aws.vault import Vault
from signoff.governance.registrations import read_registration
from signoff.ledger.state import State
from signoff.model_package.data_sources import is_prefix


class VaultReading:
    """Reads the vault for one statement or event, and remembers what it read for as long as that is handled."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._documents: dict[tuple[str, str], Any] = {}
        self._folders: dict[str, list[VersionRecord]] = {}

    def read(self, prefix: str, sha256: str) -> Any:
        """Return the document of that digest. Raises `DocumentMissing` when it is gone or was tampered with."""
        if (prefix, sha256) not in self._documents:
            self._documents[prefix, sha256] = self._vault.read(prefix, sha256)
        return self._documents[prefix, sha256]

    def evidence(self, state: State) -> Mapping[str, Any] | None:
        """Return the newest evidence of a package, or None when there is none."""
        document: Mapping[str, Any] | None = self.read("evidence", state.evidence["sha256"]) if state.evidence else None
        return document

    def copies(self, state: State) -> list[VersionRecord]:
        """Return all versions of what the vault keeps of a package: its artifacts, and what was submitted with them.

        A submission has one folder, whose listing is one call for each 1,000 versions.
        """
        return [record for folder in dict.fromkeys(self._kept_in(state)) for record in self._under(folder)]

    def expired(self, state: State) -> list[str]:
        """Return the keys in the newest evidence, if there is any, at which the vault holds no artifact any more."""
        there = [each.key for each in self.copies(state) if each.latest and not each.deletes]
        keys = [artifact["key"] for artifact in (self.evidence(state) or {"artifacts": ()})["artifacts"]]
        return [key for key in keys if not any(_is_at(key, each) for each in there)]

    def _kept_in(self, state: State) -> Iterator[str]:
        artifacts = (self.evidence(state) or {"artifacts": ()})["artifacts"]
        folders = [_folder(artifact["key"]) for artifact in artifacts]
        yield from folders
        # A package without an artifact of its own was submitted, too.
        if state.registration and not any(folder.endswith(f"/{state.registration}/") for folder in folders):
            registration = read_registration(state.registration, self._vault) or {"objects": ()}
            for each in registration["objects"]:
                key = self._vault.key_of(each["vault"]["uri"]) if "vault" in each else None
                if key:
                    yield _folder(key)

    def _under(self, folder: str) -> list[VersionRecord]:
        if folder not in self._folders:
            self._folders[folder] = [each for found in self._vault.written(folder).values() for each in found]
        return self._folders[folder]


def _is_at(key: str, found: str) -> bool:
    """Return whether an object's key is that of an artifact, or under it."""
    return found.startswith(key) if is_prefix(key) else found == key


def _folder(key: str) -> str:
    """Return where what was copied with `key` lies: `models/<group>/<registration>/`."""
    return "/".join(key.split("/")[:3]) + "/"
