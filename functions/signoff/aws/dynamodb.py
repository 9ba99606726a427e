"""Conversion between DynamoDB items and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` as DynamoDB's typed attributes; None values are left out."""
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values of DynamoDB's typed attributes; integers as int."""
    deserialize = TypeDeserializer().deserialize
    values = {name: deserialize(value) for name, value in item.items()}
    return {name: int(value) if hasattr(value, "as_tuple") else value for name, value in values.items()}
