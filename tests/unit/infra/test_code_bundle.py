"""No function needs what the bundle leaves out. (`sam local invoke` shows that the whole bundle works.)"""

import json
import os
import subprocess
import sys

from benchmarks.imports import SETTINGS
from infra.functions.code_bundle import FUNCTIONS, SERVICES

# Composes each function with all its clients and its tracer, and prints which service models botocore has read for it.
COMPOSE = """
import importlib, json, pathlib, sys
from botocore.loaders import Loader
read, load = set(), Loader.load_service_model
def remember(loader, service, *more, **named):
    read.add(service)
    return load(loader, service, *more, **named)
Loader.load_service_model = remember
names = [path.stem for path in pathlib.Path(sys.argv[1]).glob("*.py")]
for module in map(importlib.import_module, names):
    for value in list(vars(module).values()):
        if hasattr(value, "cache_clear") and value.__module__ == module.__name__:
            value()
from signoff.runtime.observability import tracer
tracer()
print(json.dumps([names, sorted(read)]))
"""


def test_every_service_that_a_function_speaks_to_is_in_the_bundle():
    environment = os.environ | SETTINGS | {"PYTHONPATH": str(FUNCTIONS), "AWS_DEFAULT_REGION": "us-east-1"}
    command = [sys.executable, "-c", COMPOSE, str(FUNCTIONS)]
    answer = subprocess.run(  # noqa: S603 - our own interpreter and program
        command, env=environment, capture_output=True, text=True, check=True
    )
    functions, read = json.loads(answer.stdout)

    assert len(functions) == 10
    assert set(read) == SERVICES
