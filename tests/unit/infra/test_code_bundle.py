"""The functions' code: no function needs what it leaves out, and its zip is the same for the same files.

(`sam local invoke` shows that the whole bundle works.)
"""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from benchmarks.imports import SETTINGS
from infra.functions.code_bundle import FUNCTIONS, SERVICES, archive

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


def test_the_same_files_make_the_same_zip_whenever_and_in_whatever_order_they_were_written(tmp_path: Path):
    for folder, names in (("one", ["a.py", "b/c.py"]), ("another", ["b/c.py", "a.py"])):
        for hours, name in enumerate(names):
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
            os.utime(file, (hours * 3600, hours * 3600))
    cached = tmp_path / "another" / "__pycache__" / "a.pyc"
    cached.parent.mkdir()
    cached.write_bytes(b"of this machine")

    (one, digest), (other, same) = archive(tmp_path / "one"), archive(tmp_path / "another")

    assert digest == same == hashlib.sha256(other.read_bytes()).hexdigest()
    assert zipfile.ZipFile(one).namelist() == ["a.py", "b/c.py"]
    (tmp_path / "one").rename(tmp_path / "three")
    (tmp_path / "three" / "a.py").write_text("other")
    assert archive(tmp_path / "three")[1] != digest


def test_every_service_that_a_function_speaks_to_is_in_the_bundle():
    environment = os.environ | SETTINGS | {"PYTHONPATH": str(FUNCTIONS), "AWS_DEFAULT_REGION": "us-east-1"}
    command = [sys.executable, "-c", COMPOSE, str(FUNCTIONS)]
    answer = subprocess.run(  # noqa: S603 - our own interpreter and program
        command, env=environment, capture_output=True, text=True, check=True
    )
    functions, read = json.loads(answer.stdout)

    assert len(functions) == 12
    # Inspector's client is made when the first image without findings is seen.
    assert {*read, "inspector2"} == SERVICES
