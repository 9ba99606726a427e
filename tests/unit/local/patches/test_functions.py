"""What the engine makes of a function's bundle."""

from io import BytesIO
from pathlib import Path
from subprocess import run
from sys import executable
from zipfile import ZipFile

from local.patches.functions import with_bytecode


def test_a_worker_takes_its_modules_compiled(tmp_path: Path) -> None:
    packed = BytesIO()
    with ZipFile(packed, "w") as bundle:
        bundle.writestr("handlers/main.py", "print('compiled')")
        bundle.writestr("broken.py", "not python")
    with ZipFile(BytesIO(with_bytecode(packed.getvalue()))) as bundle:
        bundle.extractall(tmp_path)
    (tmp_path / "handlers" / "main.py").write_text("print('compiled anew')")

    told = run([executable, "-c", "import handlers.main"], cwd=tmp_path, capture_output=True, check=True, text=True)

    assert told.stdout == "compiled\n"
    assert (tmp_path / "broken.py").read_text() == "not python"
