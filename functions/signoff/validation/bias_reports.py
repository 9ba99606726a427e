"""Reads the bias report and the baselines among a package's documents, of which the vault holds copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from signoff.aws.vault import Vault
from signoff.metrics import bias, constraints
from signoff.metrics.quality import Unreadable
from signoff.model_package.artifacts import BIAS, BIAS_BASELINES, QUALITY_BASELINE
from signoff.validation.bias_gates import Baselines, Report
from signoff.validation.claims import kept_bytes

_NONE = "the package names no bias report (ModelMetrics.Bias)"

Listed = Sequence[Mapping[str, Any]]


def read_report(vault: Vault, artifacts: Listed) -> Report:
    """Return the bias report of a package, from all documents among `artifacts` that are one, as evidence lists them.

    One that cannot be read takes the others with it: nobody knows what it says.
    """
    listed = [each for each in artifacts if each["name"] in BIAS]
    try:
        found = [value for each in listed for value in bias.read(kept_bytes(vault, each), each["name"])]
    except Unreadable as error:
        return Report(because=str(error))
    return Report(tuple(dict.fromkeys(found)), None if listed else _NONE)


def read_baselines(vault: Vault, artifacts: Listed) -> Baselines:
    """Return what a package names as its baselines, of those documents that can be read."""
    quality: list[constraints.Constraint] = []
    biases: list[bias.BiasValue] = []
    because = []
    for each in artifacts:
        try:
            if each["name"] == QUALITY_BASELINE:
                quality += constraints.read(kept_bytes(vault, each))
            elif each["name"] in BIAS_BASELINES:
                biases += bias.read(kept_bytes(vault, each), each["name"])
        except Unreadable as error:
            because.append(str(error))
    return Baselines(tuple(quality), tuple(dict.fromkeys(biases)), tuple(because))
