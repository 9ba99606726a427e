"""The allow list: names that the common frameworks write into pickled models, and nothing else.

A pickle may call an allowed name with any arguments, so each must be harmless with all of them: it creates an object
and neither imports, runs, opens nor looks anything up by name, and it never returns its own arguments, which could
then be changed. `numpy.core._ufunc_reconstruct`, `numpy.memmap`, `builtins.getattr`,
`collections.namedtuple` and `torch._tensor._rebuild_from_type_v2` are legitimate, but excluded for that reason.
"""

from __future__ import annotations

import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

BUILTINS = "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple"

NUMPY_SCALARS = (
    "bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc longlong ulonglong float16 float32 "
    "float64 longdouble complex64 complex128 clongdouble str_ bytes_ void datetime64 timedelta64"
)
# What a FunctionTransformer is given most often.
NUMPY_UFUNCS = "log log2 log10 log1p exp exp2 expm1 sqrt cbrt square reciprocal absolute sign sin cos tan tanh arcsinh"
NUMPY_FUNCTIONS = f"{NUMPY_UFUNCS} mean median"
NUMPY_RECONSTRUCTION = "_reconstruct scalar"

SPARSE = " ".join(
    f"{kind}_{form}" for kind in ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"] for form in ("matrix", "array")
)

PANDAS_INTEGERS = " ".join(f"{sign}{bits}Dtype" for sign in ("Int", "UInt") for bits in (8, 16, 32, 64))
PANDAS_DTYPES = f"{PANDAS_INTEGERS} Float32Dtype Float64Dtype BooleanDtype StringDtype CategoricalDtype"
PANDAS_OFFSETS = (
    "Day Hour Minute Second Milli Micro Nano BusinessDay Week "
    "MonthEnd MonthBegin QuarterEnd QuarterBegin YearEnd YearBegin"
)

PANDAS_INDEXES = {
    "pandas.core.indexes.base": "Index _new_Index",
    "pandas.core.indexes.range": "RangeIndex",
    "pandas.core.indexes.multi": "MultiIndex",
    "pandas.core.indexes.category": "CategoricalIndex",
    "pandas.core.indexes.datetimes": "DatetimeIndex _new_DatetimeIndex",
    "pandas.core.indexes.numeric": "Int64Index UInt64Index Float64Index",
}

TORCH_DTYPES = (
    "float16 float32 float64 bfloat16 half float double int8 int16 int32 int64 uint8 short int long bool complex64 "
    "complex128 complex32 qint8 quint8 qint32 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz "
    "uint16 uint32 uint64"
)
# Constants that say how a tensor is laid out or quantised.
TORCH_CONSTANTS = (
    "strided sparse_coo contiguous_format preserve_format channels_last channels_last_3d per_tensor_affine "
    "per_channel_affine per_tensor_symmetric per_channel_symmetric per_channel_affine_float_qparams"
)
TORCH_STORAGES = (
    "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage "
    "ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage QInt8Storage QUInt8Storage QInt32Storage"
)
TORCH_REBUILDERS = (
    "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_meta_tensor_no_storage "
    "_rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor "
    "_rebuild_sparse_tensor _rebuild_sparse_csr_tensor"
)

# Each module with the names it may be asked for.
EXACT: dict[str, str] = {
    # Python's own, as any pickler writes them. Protocols 0 and 1 write each object through `copyreg`.
    "builtins": BUILTINS,
    "copyreg": "_reconstructor __newobj__",
    "_codecs": "encode",  # how protocols 0 to 2 write bytes; its arguments are looked at as well
    "collections": "OrderedDict defaultdict Counter deque ChainMap UserDict UserList UserString",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "uuid": "UUID SafeUUID",
    # NumPy: arrays, scalars, types, random states. `numpy.core` became `numpy._core` in NumPy 2.
    "numpy": f"ndarray dtype matrix recarray {NUMPY_SCALARS} {NUMPY_FUNCTIONS}",
    "numpy.core.multiarray": NUMPY_RECONSTRUCTION,
    "numpy._core.multiarray": NUMPY_RECONSTRUCTION,
    "numpy.core._internal": "_reconstruct",  # by Python 2
    "numpy.core.numeric": "_frombuffer",
    "numpy._core.numeric": "_frombuffer",
    "numpy.ma.core": "MaskedArray _mareconstruct",
    "numpy.ma": "MaskedArray",
    # Where NumPy before 2 says that its ufuncs are.
    "numpy.core._multiarray_umath": NUMPY_UFUNCS,
    "numpy._core._multiarray_umath": NUMPY_UFUNCS,
    "numpy.matrixlib.defmatrix": "matrix",
    "numpy.random": "RandomState Generator",
    "numpy.random.mtrand": "RandomState",
    "numpy.random._pickle": "__randomstate_ctor __generator_ctor __bit_generator_ctor",
    "numpy.random._generator": "Generator",  # by skops
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64 PCG64DXSM",
    "numpy.random._philox": "Philox",
    "numpy.random._sfc64": "SFC64",
    "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
    # SciPy: sparse matrices, before and after SciPy 1.8, and what IsotonicRegression and SplineTransformer hold.
    **{f"scipy.sparse.{kind}": SPARSE for kind in ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]},
    **{f"scipy.sparse._{kind}": SPARSE for kind in ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]},
    "scipy.interpolate.interpolate": "interp1d",
    "scipy.interpolate._interpolate": "interp1d",
    "scipy.interpolate._bsplines": "BSpline",
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",  # BSpline holds it
    "scipy.special": "expit logit",
    "scipy.special._ufuncs": "expit logit",
    # joblib: what stands in an array's place; scikit-learn brought its own joblib before 0.21.
    "joblib.numpy_pickle": "NumpyArrayWrapper",
    "sklearn.externals.joblib.numpy_pickle": "NumpyArrayWrapper",
    # scikit-learn's functions that a fitted model holds; its classes are allowed below.
    "sklearn.cluster._kmeans": "_kmeans_single_lloyd _kmeans_single_elkan",
    "sklearn.feature_selection._univariate_selection": "f_classif f_regression f_oneway chi2 r_regression",
    "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression",
    "sklearn.feature_selection.univariate_selection_": "f_classif f_regression chi2",
    "sklearn.metrics._dist_metrics": "newObj",
    "sklearn.neighbors._dist_metrics": "newObj",
    "sklearn.neighbors._kd_tree": "newObj",
    "sklearn.neighbors._ball_tree": "newObj",
    "sklearn.metrics._classification": "accuracy_score balanced_accuracy_score f1_score log_loss precision_score "
    "recall_score jaccard_score matthews_corrcoef brier_score_loss",
    "sklearn.metrics._ranking": "roc_auc_score average_precision_score",
    "sklearn.metrics._regression": "mean_squared_error root_mean_squared_error mean_absolute_error r2_score max_error "
    "explained_variance_score median_absolute_error mean_absolute_percentage_error",
    "sklearn.utils": "Bunch",
    "sklearn.utils._bunch": "Bunch",
    "sklearn.utils._metadata_requests": "MetadataRequest MethodMetadataRequest",
    # XGBoost and LightGBM: their scikit-learn estimators, and the booster with the model in its own format as bytes.
    "xgboost.core": "Booster",
    "xgboost.sklearn": "XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor XGBModel",
    "lightgbm.basic": "Booster",
    "lightgbm.sklearn": "LGBMClassifier LGBMRegressor LGBMRanker LGBMModel _LGBMLabelEncoder",
    # PyTorch: tensors and parameters, of which a state dict consists.
    "torch": f"Size device Tensor Generator {TORCH_DTYPES} {TORCH_STORAGES} {TORCH_CONSTANTS}",
    "torch._utils": TORCH_REBUILDERS,
    "torch.nn.parameter": "Parameter Buffer",
    "torch.storage": "UntypedStorage TypedStorage",
    "torch.serialization": "_get_layout",
    "torch.jit._pickle": "build_intlist build_boollist build_doublelist build_tensorlist restore_type_tag",
    # pandas: frames and series, which hold names of features. pandas 3 names its classes where they are documented. A
    # type of times with a time zone (`DatetimeTZDtype`) is missing: it opens the file that its zone's name says.
    "pandas": "DataFrame Series Index RangeIndex MultiIndex CategoricalIndex DatetimeIndex TimedeltaIndex "
    f"Categorical NA {PANDAS_DTYPES}",
    "pandas.arrays": "StringArray DatetimeArray TimedeltaArray IntegerArray FloatingArray BooleanArray",
    "pandas._libs.missing": "NA",
    "pandas._libs.tslibs.offsets": PANDAS_OFFSETS,
    "pandas.core.arrays.integer": f"IntegerArray {PANDAS_INTEGERS}",
    "pandas.core.arrays.floating": "FloatingArray Float32Dtype Float64Dtype",
    "pandas.core.arrays.boolean": "BooleanArray BooleanDtype",
    "pandas.core.arrays.datetimes": "DatetimeArray",
    "pandas.core.arrays.timedeltas": "TimedeltaArray",
    "pandas.core.frame": "DataFrame",
    "pandas.core.series": "Series",
    "pandas.core.internals.managers": "BlockManager SingleBlockManager",
    "pandas._libs.internals": "_unpickle_block",
    "pandas.core.internals.blocks": "new_block",
    "pandas._libs.arrays": "__pyx_unpickle_NDArrayBacked",
    "pandas._libs.tslibs.timestamps": "_unpickle_timestamp",
    "pandas.core.arrays.categorical": "Categorical",
    "pandas.core.arrays.string_": "StringArray StringDtype",
    "pandas.core.dtypes.dtypes": "CategoricalDtype",
    **PANDAS_INDEXES,
}

ALLOWED = {module: frozenset(names.split()) for module, names in EXACT.items()}

# scikit-learn's packages of estimators. Its others are no model: `callback` has sockets and threads, `datasets` loads
# from the network, `externals` is other people's code, `utils` runs things.
SKLEARN = """
    _loss base calibration cluster compose covariance cross_decomposition decomposition discriminant_analysis dummy
    ensemble feature_extraction feature_selection frozen gaussian_process impute isotonic kernel_approximation
    kernel_ridge linear_model manifold metrics mixture model_selection multiclass multioutput naive_bayes neighbors
    neural_network pipeline preprocessing random_projection semi_supervised svm tree
"""
# Cython's own reconstruction of a class: it makes one and sets its attributes.
SKLEARN_NAME = re.compile(r"(?:__pyx_unpickle_)?_{0,2}[A-Z][A-Za-z0-9_]*", re.ASCII)
# What these packages import from elsewhere and so could be named through them.
OUTSIDERS = """
    Path StringIO BytesIO MethodType Thread Parallel Memory Process Popen Callable Protocol NamedTuple Enum
    ThreadpoolController TemporaryDirectory NamedTemporaryFile ABCMeta
"""

NAMES = frozenset().union(*ALLOWED.values())


def allowed(module: str, name: str) -> bool:
    """Whether a pickle may name `name` of `module`, by the names of Python 3 (protocols 0 to 2 write Python 2's)."""
    module, name = as_loaded(module, name)
    return name in ALLOWED.get(module, ()) or _of_sklearn(module, name)


def as_loaded(module: str, name: str) -> tuple[str, str]:
    """Return what `pickle` loads when Python 2's name is asked for (`fix_imports`, the `pickle` module's document)."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


def may_be_asked_for(text: str) -> bool:
    """Whether `text` can be a part of an allowed name, and so is worth remembering."""
    return text in ALLOWED or text in NAMES or text.startswith("sklearn.")


def _of_sklearn(module: str, name: str) -> bool:
    package, _, rest = module.partition(".")
    parts = rest.split(".")
    if package != "sklearn" or parts[0] not in SKLEARN.split() or "tests" in parts:
        return False
    return bool(SKLEARN_NAME.fullmatch(name)) and name not in OUTSIDERS.split()
