"""Names that a policy may trust in pickles: its own classes, and never what is known to run code."""

from __future__ import annotations

import sys
from _compat_pickle import IMPORT_MAPPING
from collections.abc import Collection

PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\.([A-Za-z_][A-Za-z0-9_]*|\*)$"
# Of other libraries, modules that load, run, fetch or open what their arguments say, and names. They are told apart for
# the words and may not be trusted; what is not listed here, and not known to be harmless, is refused all the same.
RUNS_CODE = """
    IPython attr cffi cloudpickle cloudpickle.cloudpickle dask.base dill dill._dill distributed fsspec jinja2
    joblib.memory joblib.numpy_pickle keras.saving keras.src.saving keras.utils mlflow numpy.core
    numpy.ctypeslib numpy.distutils numpy.f2py numpy.lib.npyio numpy.testing pandas.io pandas.core.computation
    patsy pexpect pip
    pkg_resources requests scipy.io setuptools sklearn.callback sklearn.datasets sklearn.externals sklearn.utils.fixes
    statsmodels.base.data statsmodels.iolib tensorflow.io torch.distributed torch.hub torch.jit torch.package
    torch.serialization torch.utils transformers.dynamic_module_utils yaml
    joblib.load numpy.load numpy.loads numpy.memmap numpy.fromfile numpy.frompyfunc numpy.vectorize numpy.__builtins__
    pandas.read_pickle pandas.eval pandas.read_csv sklearn.os torch.load torch._tensor._rebuild_from_type_v2
    torch.nn.parallel xgboost.core.ctypes lightgbm.basic.ctypes
"""
# What the standard library had in versions that are still in use, or has on other systems.
ONCE_STANDARD = """
    aifc asynchat asyncore audioop binhex cgi cgitb chunk crypt distutils formatter imghdr imp lib2to3 macpath mailcap
    msilib nis nntplib nt ossaudiodev parser pipes posix riscos smtpd sndhdr spwd sunau symbol telnetlib uu xdrlib
"""
STANDARD = sys.stdlib_module_names | {name.partition(".")[0] for name in IMPORT_MAPPING} | {*ONCE_STANDARD.split()}


def runs_code(module: str, name: str) -> bool:
    """Whether it is of Python itself, or of another library and known to run code."""
    if module.partition(".")[0] in STANDARD:
        return True
    qualified = f"{module}.{name}"
    return any(f"{qualified}.".startswith(f"{each}.") for each in RUNS_CODE.split())


def trusts(patterns: Collection[str], module: str, name: str) -> bool:
    """Whether one of a policy's `patterns` is this name, or its module's `<module>.*`; a part of a name has no dot."""
    return f"{module}.{name}" in patterns or (name.isidentifier() and f"{module}.*" in patterns)


def never_trusted(pattern: str) -> str | None:
    """Return why a policy may not trust a name, None where it may."""
    module, _, name = pattern.rpartition(".")
    if module == "__main__" and name == "*":
        return "is whatever the program that loads the model defines: name each class of `__main__`"
    if module != "__main__" and module.partition(".")[0] in STANDARD:
        return "is of Python's standard library, which can run anything"
    if name.startswith("__") or any(part.startswith("__") for part in module.split(".")[1:]):
        return "leads to what Python keeps of an object, and from there anywhere"
    if module != "__main__" and runs_code(module, name):
        return "is known to run code"
    return None
