from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import io
import pickle
import struct
import uuid
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from signoff.artifact.context import ScanContext
from signoff.artifact.pickle.allow_list import allowed
from signoff.artifact.pickle.scanner import is_pickle
from signoff.artifact.pickle.scanner import pickle as pickle_scanner
from signoff.artifact.requirements import Trusted
from signoff.artifact.streams.readers import PEEK, PeekableReader
from tests.support.depth import few, some
from tests.support.pickle_parts import OS_SYSTEM, written
from tests.support.pickled import calling, findings, named, text

X, Y = make_classification(n_samples=120, n_features=8, random_state=0)
WRITERS = [*range(6), "joblib"]

ESTIMATORS: dict[str, Any] = {
    "linear regression": LinearRegression(),
    "logistic regression": LogisticRegression(),
    "stochastic gradient descent": SGDClassifier(loss="modified_huber"),
    "tree": DecisionTreeClassifier(),
    "forest": RandomForestClassifier(n_estimators=5, random_state=np.random.RandomState(0)),
    "isolation forest": IsolationForest(n_estimators=5),
    "gradient boosting": GradientBoostingClassifier(n_estimators=5),
    "gradient boosting of histograms": HistGradientBoostingClassifier(max_iter=5),
    "support vectors": SVC(probability=False),
    "nearest neighbours in a tree": KNeighborsClassifier(algorithm="kd_tree"),
    "nearest neighbours in balls": KNeighborsClassifier(algorithm="ball_tree"),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "pipeline of a function": make_pipeline(FunctionTransformer(np.exp), LogisticRegression()),
    "columns": make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(handle_unknown="ignore"), [2])]),
        LogisticRegression(),
    ),
    "selection": make_pipeline(SelectKBest(k=3), GaussianNB()),
    "k-means": KMeans(n_clusters=3, n_init=1),
    "principal components": PCA(3),
    "neural network": MLPClassifier((5,), max_iter=5),
    "naive Bayes": GaussianNB(),
    "calibrated": CalibratedClassifierCV(GaussianNB(), method="isotonic"),
    "Gaussian process": GaussianProcessClassifier(),
    "mixture": GaussianMixture(2),
    "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, scoring="roc_auc"),
    "vote": VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())]),
}


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = {name: estimator.fit(X, Y) for name, estimator in ESTIMATORS.items()}
    models["isotonic regression"] = IsotonicRegression(out_of_bounds="clip").fit(X[:, 0], Y)
    models["text"] = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(["a good", "bad thing"] * 3, [0, 1] * 3)
    return models


@pytest.mark.parametrize("by", WRITERS)
@pytest.mark.parametrize("kind", [*ESTIMATORS, "isotonic regression", "text"])
def test_a_fitted_estimator_passes_however_it_was_written(fitted: dict[str, Any], kind: str, by: object) -> None:
    data = written(fitted[kind], by)
    assert is_pickle(data[:PEEK])
    assert findings(data) == []


VALUES: dict[str, Any] = {
    "large array": np.arange(3_000_000.0),
    "large matrix of another order": np.asfortranarray(np.ones((700, 900), "f4")),
    "array of objects": np.array([{"a": 1}, None, "text", np.arange(3)], dtype=object),
    "array of texts": np.array(["a", "bcd"]),
    "array of bytes": np.array([b"a", b"bcd"]),
    "array of records": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "array of moments": np.array(["2026-01-01"], "M8[D]"),
    "array without a dimension": np.array(5),
    "array without an element": np.zeros((0, 5)),
    "array of the other byte order": np.arange(5, dtype=">i8"),
    "arrays in arrays": np.array([np.array([np.zeros(9), "x"], dtype=object), 1], dtype=object),
    "masked array": np.ma.array([1, 2], mask=[True, False]),
    "sparse matrices": [scipy.sparse.eye(9, format=kind) for kind in ("csr", "csc", "coo", "bsr", "dia", "lil")],
    "scalars": [np.float32(1), np.int64(2), np.bool_(1), np.str_("x"), np.datetime64("2026-01-01")],
    "random states": [np.random.RandomState(1), np.random.default_rng(1)],
    "containers": [
        collections.OrderedDict(a=1),
        collections.defaultdict(list),
        collections.Counter("ab"),
        collections.deque([1]),
        {1, 2},
        frozenset([1]),
        range(3),
        slice(1, 2),
        1j,
        bytearray(b"x"),
        b"x",
        Ellipsis is None,
    ],
    "moments": [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(1), datetime.date(2026, 1, 1)],
    "numbers": [decimal.Decimal("1.5"), fractions.Fraction(1, 3), uuid.UUID(int=5), 2**80, -1, 1.5, True, None],
    "many words": {f"word{number}": number for number in range(150_000)},
    "a tuple longer than a stack": tuple(f"{number}" for number in range(250_000)),
    "many numbers": list(range(50_000)),
    "itself": (cycle := [1, 2]) + [cycle],
}


LONG = ("large array", "many words", "a tuple longer than a stack")
WRITTEN = [(kind, by) for kind in VALUES for by in (few if kind in LONG else some)(WRITERS)]


@pytest.mark.parametrize(("kind", "by"), WRITTEN)
def test_values_that_models_hold_pass_however_they_were_written(kind: str, by: object) -> None:
    data = written([VALUES[kind], VALUES[kind], np.arange(5), {"dtype": np.dtype("f8")}], by)
    assert is_pickle(data[:PEEK])
    assert findings(data) == []


# Each would run something when it is loaded.
HARMFUL = """
    os.system nt.system posix.system posix.popen os.execv os.environ subprocess.Popen subprocess.check_output
    runpy.run_path runpy._run_code pip.main pip._internal.main ensurepip._run_pip importlib.import_module
    importlib.util.spec_from_file_location pkgutil.resolve_name builtins.eval builtins.exec builtins.compile
    builtins.getattr builtins.setattr builtins.open builtins.__import__ builtins.globals builtins.map builtins.type
    operator.attrgetter operator.methodcaller _operator.methodcaller functools.reduce
    types.CodeType types.FunctionType types.MethodType marshal.loads pickle.loads _pickle.loads joblib.load
    torch.load torch.hub.load torch.jit.load torch._tensor._rebuild_from_type_v2
    torch.utils._config_module.load_config numpy.testing._private.utils.runstring numpy.load numpy.memmap
    numpy.fromfile numpy.f2py.crackfortran.getlincoef
    numpy.__builtins__ webbrowser.open socket.socket socket.create_connection shutil.rmtree
    asyncio.unix_events._UnixSubprocessTransport._start pty.spawn code.InteractiveInterpreter.runcode bdb.Bdb.run
    timeit.timeit pydoc.locate pydoc.pipepager lib2to3.pgen2.grammar.Grammar.loadg
    idlelib.pyshell.ModifiedInterpreter.runcode cProfile.run profile.run trace.Trace.run doctest.debug_script
    ctypes.CDLL multiprocessing.util.spawnv_passfds logging.config._resolve tempfile.mktemp urllib.request.urlopen
    http.client.HTTPSConnection ssl.get_server_certificate smtplib.SMTP ftplib.FTP sys.modules signal.signal
    threading.Thread site.main sqlite3.connect zipimport.zipimporter venv.create _io.FileIO io.open
    pathlib.Path.write_text copyreg.add_extension collections.namedtuple typing.NamedTuple dill.loads
    cloudpickle.loads sklearn.callback._transport.Client sklearn.datasets.fetch_openml sklearn.externals._arff.load
    sklearn.utils.fixes.os sklearn.os.system pandas.read_pickle pandas.eval
    scipy.io.loadmat xgboost.core.ctypes.CDLL cffi.FFI distutils.spawn.spawn
"""


NOT_KNOWN = """
    lightgbm.basic._load sklearn.utils._available_if.MethodType sklearn.tree._export.StringIO
    sklearn.tests.test_base.Naive
    sklearn.linear_model.Ridge.os.system sklearn.pipeline.Pipeline.__init__.__globals__
"""


def parts(name: str) -> tuple[str, str]:
    """Split as an attacker does: whatever begins in capitals or follows it is a part of the name within the module."""
    if name in ("numpy.__builtins__", "sklearn.os.system"):
        module, _, rest = name.partition(".")
        return module, rest
    pieces = name.split(".")
    at = next((i for i, piece in enumerate(pieces) if piece[0].isupper()), len(pieces) - 1)
    return ".".join(pieces[:at]), ".".join(pieces[at:])


@pytest.mark.parametrize("name", HARMFUL.split())
def test_a_pickle_that_calls_it_is_refused_by_its_name(name: str) -> None:
    module, attribute = parts(name)
    at = 6 + len(module) + len(attribute)
    assert findings(calling(module, attribute)) == [
        ("unsafe-pickle", f"Would run {name} when it is loaded (byte {at})")
    ]


@pytest.mark.parametrize("name", NOT_KNOWN.split())
def test_what_is_within_a_harmless_library_and_not_known_is_refused(name: str) -> None:
    assert [rule for rule, _ in findings(calling(*parts(name)))] == ["unknown-global"]


OTHERS = {
    "torch.nn.modules.linear.Linear": "unknown-global",
    "catboost.core.Pool": "unknown-global",
    "sklearn.utils._available_if.MethodType": "unknown-global",
    "__main__.Encoder": "own-class",
    "acme.features.Encoder": "own-class",
    "os.path.join": "unsafe-pickle",
    "commands.getoutput": "unsafe-pickle",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_name_that_is_not_known_is_told_by_whose_it_is(name: str) -> None:
    assert [rule for rule, _ in findings(calling(*parts(name)))] == [OTHERS[name]]


def trusting(data: bytes, *names: str) -> list[tuple[str, str]]:
    """Return the rule and severity of all that is found by a policy that trusts these names."""
    found: list[tuple[str, str]] = []
    where = ScanContext("m.pkl", lambda _m, rule, _r, severity: found.append((rule, severity)))
    pickle_scanner(
        PeekableReader(io.BytesIO(data)), replace(where, trusted=Trusted(names=frozenset(names))), lambda *_: None
    )
    return found


WARNED, REFUSED = [("trusted-name", "warning")], [("own-class", "error")]


def test_a_name_that_the_policy_trusts_is_a_warning() -> None:
    own = calling("acme.features", "Encoder")
    assert trusting(own, "acme.features.Encoder") == WARNED
    assert trusting(own, "acme.features.*") == WARNED
    assert trusting(own, "acme.*") == REFUSED
    assert trusting(own, "acme.features.Encode") == REFUSED
    assert trusting(calling("acme.features.more", "Encoder"), "acme.features.*") == REFUSED


def test_what_a_trusted_module_imports_is_not_reached_by_a_path() -> None:
    assert trusting(calling("acme.features", "os.system"), "acme.features.*") == REFUSED


def test_what_runs_code_is_never_trusted() -> None:
    assert trusting(calling("os", "system"), "os.system", "os.*") == [("unsafe-pickle", "error")]
    assert trusting(calling("posix", "system"), "posix.*") == [("unsafe-pickle", "error")]
    assert trusting(calling("joblib", "load"), "joblib.*") == [("unsafe-pickle", "error")]


def test_a_name_that_is_computed_is_never_trusted() -> None:
    computed = b"\x80\x04" + named("builtins", "str") + text("acme") + b"\x85R" + text("Encoder") + b"\x93)R."
    assert ("unsafe-pickle", "error") in trusting(computed, "acme.*")


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "numpy.fromfile"])
def test_a_name_is_found_in_the_old_protocols_too(name: str) -> None:
    module, attribute = parts(name)
    old = f"c{module}\n{attribute}\n(S'id'\ntR.".encode()
    inst = f"(S'id'\ni{module}\n{attribute}\n.".encode()
    for data in (old, inst):
        assert is_pickle(data)
        assert [rule for rule, _ in findings(data)] == ["unsafe-pickle"]
        assert name in findings(data)[0][1]


def test_each_name_is_reported_once_where_it_is_first_and_all_names_are() -> None:
    data = b"\x80\x04(" + OS_SYSTEM + OS_SYSTEM + named("nt", "system") + b"t."
    assert findings(data) == [
        ("unsafe-pickle", "Would run os.system when it is loaded (byte 15)"),
        ("unsafe-pickle", "Would run nt.system when it is loaded (byte 41)"),
    ]


def test_a_name_is_shown_without_what_a_terminal_obeys() -> None:
    assert "os.\x1b" not in findings(calling("os", "\x1b[2J"))[0][1]
    assert "os.?[2J" in findings(calling("os", "\x1b[2J"))[0][1]


def test_findings_without_end_are_counted() -> None:
    names = b"".join(named("os", f"f{number}") + b"0" for number in range(500))
    found = findings(b"\x80\x04" + names + b"N.")
    assert len(found) == 101
    assert "400 more" in found[-1][1]


def storage(key: str) -> bytes:
    return b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0" + key.encode() + b"X\x03\0\0\0cpuK\x04tQ"


TENSOR = (
    b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("
    + storage("0")
    + b"K\x00K\x02K\x02\x86K\x02K\x01\x86\x89ccollections\nOrderedDict\n)RtRs."
)


def test_a_state_dict_of_pytorch_passes() -> None:
    assert findings(TENSOR) == []


def test_a_file_of_pytorch_before_zip_passes_with_the_storages_behind_its_five_pickles() -> None:
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    system = pickle.dumps({"little_endian": True}, 2)
    pickles = magic + pickle.dumps(1001, 2) + system + TENSOR + pickle.dumps(["0"], 2)
    storages = struct.pack("<q4f", 4, 1, 2, 3, 4)
    assert findings(pickles + storages) == []
    assert findings(magic + pickle.dumps(1001, 2) + system + calling("os", "system"))


@pytest.mark.parametrize("name", ["numpy.mean", "numpy.log1p", "sklearn.metrics._scorer._passthrough_scorer"])
def test_a_function_that_a_model_only_holds_is_not_called(name: str) -> None:
    module, _, function = name.rpartition(".")
    assert findings(b"\x80\x04" + named(module, function) + b".") == []
    assert [rule for rule, _ in findings(calling(module, function))] == ["unsafe-pickle"]
    assert f"Would call {name}" in findings(calling(module, function))[0][1]


def test_a_function_of_old_numpy_is_what_its_arguments_name() -> None:
    def made(module: str, name: str) -> bytes:
        return b"\x80\x02cnumpy.core\n_ufunc_reconstruct\n" + text(module) + text(name) + b"\x86R."

    assert findings(made("numpy", "log1p")) == []
    assert "Would run os.system" in findings(made("os", "system"))[0][1]
    unknown = b"\x80\x02cnumpy.core\n_ufunc_reconstruct\ncbuiltins\nlist\n)RR."
    assert "name it computes" in findings(unknown)[0][1]


def test_only_the_blocks_of_old_pandas_are_made_by_a_function_with_its_arguments_bound() -> None:
    partial, block = named("functools", "partial"), named("pandas.core.internals.blocks", "new_block")

    def made(bound: bytes, state_of: bytes) -> bytes:
        state = b"(" + state_of + b")}" + text("ndim") + b"K\x02sNtb"
        return b"\x80\x04" + partial + bound + b"\x85R" + state + b")R."

    codec, twice = named("_codecs", "encode"), partial + block + b"\x85R"
    assert findings(made(block, block)) == []
    for bound, state_of in ((codec, codec), (twice, block), (b"N", block)):
        assert "Would run functools.partial" in findings(made(bound, state_of))[0][1]
    for state_of in (codec, b"N"):
        assert "Would change pandas.core.internals.blocks.new_block" in findings(made(block, state_of))[0][1]
    called_in_another_way = (
        b"\x80\x04" + named("copyreg", "__newobj__") + partial + codec + b"\x86R)R.",
        b"\x80\x04" + partial + block + text("x") + b"\x86R.",
        b"\x80\x04" + partial + codec + b"\x85\x81.",
    )
    assert all("unsafe-pickle" in dict(findings(data)) for data in called_in_another_way)


@pytest.mark.parametrize("name", ["xgboost.core.Booster", "lightgbm.basic.Booster"])
def test_a_booster_reads_no_file(name: str) -> None:
    module, _, made = name.rpartition(".")
    assert "read a file" in findings(calling(module, made))[0][1]
    assert findings(b"\x80\x04" + named(module, made) + b")\x81}b.") == []


def test_python_2_names_are_checked_by_what_they_are_loaded_as() -> None:
    assert allowed("__builtin__", "object")
    assert allowed("copy_reg", "_reconstructor")
    assert not allowed("__builtin__", "eval")
    assert not allowed("itertools", "imap")
