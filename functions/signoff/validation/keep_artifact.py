"""Keeping one artifact, an object or a prefix: it is copied to the vault and hashed, and nothing of it is parsed.

Whoever parses hostile bytes may be taken over by them. So the function that does this vouches for what the vault holds,
and the one that inspects it does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from posixpath import basename
from typing import Any, TypeVar
from urllib.parse import urlsplit

from signoff.aws.s3 import Bucket, ObjectVersion, OpenedObject
from signoff.aws.vault import Vault, sha256
from signoff.documents.patterns import compiled_on_use
from signoff.errors import ObjectMissing
from signoff.identity.principals import UNKNOWN_OWNER
from signoff.model_package.artifacts import inventory
from signoff.model_package.data_sources import is_prefix
from signoff.submission.object_list import MAX_OBJECTS
from signoff.validation.time_budget import TimeBudget, unlimited

T = TypeVar("T")

_S3_HOST = compiled_on_use(
    r"https://(?:(?P<bucket>[a-z0-9][a-z0-9.-]+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?/(?P<path>.+)"
)


class ArtifactKeeper:
    """Keeps the artifacts of claimed packages.

    `bucket` returns the bucket to copy from, by its name and perhaps its owner's account; `budget` is the time for one
    artifact, by default unlimited.
    """

    def __init__(
        self, vault: Vault, bucket: Callable[[str, str | None], Bucket], budget: TimeBudget | None = None
    ) -> None:
        self._vault = vault
        self._bucket = bucket
        self._budget = budget or unlimited()

    def keep(self, claim: Mapping[str, Any], artifact: Mapping[str, Any]) -> dict[str, Any]:
        """Return `artifact` (one of the claim's) with its `key`, `version_id`, `size` and `sha256` in the vault.

        `s3_sha256` is what S3 itself computed, where it did: later it tells the same bytes without reading them. Of a
        prefix, all but the size are inventories. Raises `ObjectMissing` when it cannot be read: that is
        an error of the validation, not of the artifact; `TakesTooLong` when there is no time to read all of it.
        """
        if is_prefix(artifact["url"]):
            return {**artifact, **self._prefix(claim, artifact["url"])}
        opened = self._in_vault(claim, artifact["url"])
        self._budget.expect(opened.stored.size)
        fact = _fact(opened.stored, sha256=self._sha256(opened))
        return {**artifact, "key": opened.stored.key, **fact, **self._checksum(opened.stored.key, [opened])}

    def _prefix(self, claim: Mapping[str, Any], url: str) -> dict[str, Any]:
        prefix, copies = self._all_in_vault(claim, url)
        size = sum(copy.size for copy in copies)
        self._budget.expect(size)
        facts, opened = [], []
        for copy in copies:
            one = self._vault.opened(copy.key, copy.version_id)
            opened.append(one)
            facts.append({"name": copy.key.removeprefix(prefix), **_fact(copy, sha256=self._sha256(one))})
        inventories = {fact: inventory(facts, fact) for fact in ("version_id", "sha256")}
        return {"key": prefix, **inventories, "size": size, **self._checksum(prefix, opened)}

    def _checksum(self, key: str, opened: Sequence[OpenedObject]) -> dict[str, str]:
        """Return S3's own SHA-256 of the very versions that were hashed, if it has computed it."""
        found = self._vault.checksum_of(key, [each.stored for each in opened], [each.checksum for each in opened])
        return {} if found is None else {"s3_sha256": found}

    def _sha256(self, opened: OpenedObject) -> str:
        return sha256(self._budget.keep(opened.chunks))

    def _in_vault(self, claim: Mapping[str, Any], url: str) -> OpenedObject:
        key = self._vault.key_of(url)
        if key is not None:
            return _there(self._vault.opened_now(_own(claim, key)), url)
        bucket, source_key = _parts(url)
        source = _there(self._source(claim, bucket).current(source_key), url)
        to = f"{_copy_prefix(claim, [source])}/{basename(source.key)}"
        copy = self._vault.keep(source, to, self._budget.check)
        return self._vault.opened(copy.key, copy.version_id)

    def _all_in_vault(self, claim: Mapping[str, Any], url: str) -> tuple[str, list[ObjectVersion]]:
        """Return the prefix in the vault, and every object under it, for a prefix that a package names."""
        prefix = self._vault.key_of(url)
        if prefix is not None:
            _own(claim, prefix)
        else:
            bucket, source_prefix = _parts(url)
            listed = self._source(claim, bucket).listing(source_prefix)
            sources = _some((each for each in listed if not each.marks_a_folder), url)
            # Separate from copies of single objects, of which one may be the only object under this prefix.
            prefix = f"{_copy_prefix(claim, sources)}/all/"
            named = ((source, prefix + source.key.removeprefix(source_prefix)) for source in sources)
            self._vault.keep_all(named, self._budget.check)
        return prefix, _some(iter(self._vault.under(prefix)), url)

    def _source(self, claim: Mapping[str, Any], bucket: str) -> Bucket:
        owner = claim.get("source_owner")
        if owner == UNKNOWN_OWNER:
            raise ObjectMissing(
                f"it is not known who registered {claim['arn']}, and its group is open to other accounts: only what is "
                "in the vault already can be deployed; submit it instead"
            )
        return self._bucket(bucket, owner)


def _fact(stored: ObjectVersion, **more: Any) -> dict[str, Any]:
    return {"version_id": stored.version_id, "size": stored.size, **more}


def _own(claim: Mapping[str, Any], key: str) -> str:
    """Return `key`, or a prefix, of the vault, which for a package of another account must belong to the same group."""
    if claim.get("source_owner") and not key.startswith(f"models/{claim['group']}/"):
        raise ObjectMissing(f"{key} in the vault belongs to a group other than the package's")
    return key


def _parts(url: str) -> tuple[str, str]:
    """Return the bucket and the key, or prefix, of an `s3://` URL."""
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise ObjectMissing(
            f"{url} is no s3:// URI, and only model data in S3 can be copied to the vault: register it as "
            f"{_as_s3_uri(url)}"
        )
    return parts.netloc, url.removeprefix(f"s3://{parts.netloc}/")


def _as_s3_uri(url: str) -> str:
    """Return the s3:// URI of an object that `url` names by S3's own host, or the form that such a URI has.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    found = _S3_HOST.match(url)
    if found is None:
        return "s3://<bucket>/<key>"
    return "/".join(["s3:/", *filter(None, (found["bucket"], found["path"]))])


def _copy_prefix(claim: Mapping[str, Any], sources: Sequence[ObjectVersion]) -> str:
    """Return the prefix in the vault for a package's copies of exactly these versions."""
    versions = " ".join(f"{source.uri} {source.version_id}" for source in sources)
    unique = hashlib.sha256(f"{claim['package']} {versions}".encode()).hexdigest()[:32]
    return f"models/{claim['group']}/{unique}"


def _some(objects: Iterator[ObjectVersion], url: str) -> list[ObjectVersion]:
    found = list(islice(objects, MAX_OBJECTS + 1))
    if not found:
        raise ObjectMissing(f"there are no objects under {url}: upload them, then `signoff revalidate` the package")
    if len(found) > MAX_OBJECTS:
        raise ObjectMissing(
            f"there are more than {MAX_OBJECTS} objects under {url}, which is the limit of an inspection"
        )
    return found


def _there(found: T | None, url: str) -> T:
    if found is None:
        raise ObjectMissing(f"{url} does not exist: upload it, then `signoff revalidate` the package")
    return found
