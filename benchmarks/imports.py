"""What a cold start imports: each function against boto3 and the same clients, each time in a new interpreter.

All seconds are the processor's: what else the machine does counts little, and importing is all work and no waiting.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

# Prints the seconds that importing a handler takes, those until all its clients are made too, and which those are.
_FUNCTION = """
import importlib, json, sys, time
started = time.process_time()
module = importlib.import_module(sys.argv[1])
imported = time.process_time() - started
import boto3
services, make = [], boto3.client
def client(service, **settings):
    services.append(service)
    return make(service, **settings)
boto3.client = client
for value in list(vars(module).values()):
    if hasattr(value, "cache_clear") and value.__module__ == module.__name__ and value.__name__ != "_shape":
        value()
print(json.dumps([imported, time.process_time() - started, services]))
"""
_BOTO3 = """
import json, sys, time
started = time.process_time()
import boto3
imported = time.process_time() - started
for service in sys.argv[1:]:
    boto3.client(service)
print(json.dumps([imported, time.process_time() - started, []]))
"""
_TRACER = """
import json, time
import boto3, signoff.runtime.observability
started = time.process_time()
signoff.runtime.observability.tracer()
print(json.dumps([time.process_time() - started, 0, []]))
"""
SETTINGS = {
    f"SIGNOFF_{name}": "1"
    for name in (
        *(
            "ARTIFACTS_BUCKET",
            "VAULT_BUCKET",
            "LEDGER_TABLE",
            "PACKAGES_TABLE",
            "SUBMISSIONS_TABLE",
            "BUS_NAME",
            "BUS",
            "KEEP_SIGNATURE",
            "LOCK_MODE",
            "SWEEP_CALLS",
        ),
        *("TOPIC_REGISTRATIONS", "TOPIC_APPROVALS", "TOPIC_DECISIONS", "TOPIC_DEPLOYMENTS"),
        *(
            "REGISTRAR",
            "REGISTRY",
            "POLICY_PATH",
            "CHAMPION_PATH",
            "VALIDATION_ARN",
            "REGISTER_QUEUE_URL",
            "DECISION_QUEUE_URL",
            "DEPLOY_QUEUE_URL",
        ),
        *("ANSWERS_BUCKET", "MEASURING_ROLE"),
        "APPROVED_RETENTION_DAYS",
    )
}


@dataclass(frozen=True)
class ImportTime:
    """The minimum seconds to import a function and to create its clients, and the same of boto3 alone."""

    function: str
    services: list[str]
    imported: float
    ready: float
    boto3_imported: float
    boto3_ready: float


def measure(runs: int) -> list[ImportTime]:
    """Every function's import times, each the minimum of `runs` new interpreters after a warm-up."""
    return [_function(path.stem, runs) for path in sorted(FUNCTIONS.glob("*.py"))]


def tracer(runs: int) -> float:
    """The minimum seconds to create the tracer, which imports the X-Ray SDK."""
    _run(_TRACER, [])
    return min(_run(_TRACER, [])[0] for _ in range(runs))


def services_of(name: str) -> list[str]:
    """Return the services whose clients a function makes, in their order."""
    return _run(_FUNCTION, [name])[2]


def _function(name: str, runs: int) -> ImportTime:
    services = services_of(name)
    _run(_BOTO3, services)
    own, boto3 = [], []
    for _ in range(runs):
        own.append(_run(_FUNCTION, [name]))
        boto3.append(_run(_BOTO3, services))
    return ImportTime(
        function=name,
        services=services,
        imported=min(each[0] for each in own),
        ready=min(each[1] for each in own),
        boto3_imported=min(each[0] for each in boto3),
        boto3_ready=min(each[1] for each in boto3),
    )


def _run(program: str, arguments: list[str]) -> tuple[float, float, list[str]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    aws = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    # Bytecode is kept, whatever the environment says: boto3's is there, and what changed would be compiled each time.
    python = {"PYTHONPATH": str(FUNCTIONS), "PYTHONDONTWRITEBYTECODE": ""}
    answer = subprocess.run(  # noqa: S603 - our own interpreter and programs
        [sys.executable, "-c", program, *arguments],
        env=kept | aws | SETTINGS | python,
        capture_output=True,
        text=True,
        check=True,
    )
    imported, ready, services = json.loads(answer.stdout)
    return imported, ready, services
