"""Small Lambda functions for tests of the engine."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from local.engine.process import Engine
from tests.support.aws import client


def bundle(files: Mapping[str, str]) -> bytes:
    """A function's zip of text files by their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def create_function(engine: Engine, name: str, files: Mapping[str, str], **settings: Any) -> str:
    """Create a function whose handler is `main.handler`; returns its ARN."""
    created = client(engine, "lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="main.handler",
        Code={"ZipFile": bundle(files)},
        **{"Role": f"arn:aws:iam::{engine.account}:role/any", "Timeout": 20, **settings},
    )
    arn: str = created["FunctionArn"]
    return arn
