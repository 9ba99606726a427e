"""The names that the common libraries write into pickled models, by module.

`CREATED` are classes and functions that may be called with any arguments, `HELD` functions that a fitted model holds
and no pickle calls. What each does with any arguments was looked up in the versions' sources before it was added; the
comments say what is not evident.
"""

from __future__ import annotations

import re

BUILTINS = (
    "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple "
    "FutureWarning DeprecationWarning"  # in the results of grid searches before scikit-learn 0.22
)

NUMPY_SCALARS = (
    "bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc longlong ulonglong float16 float32 "
    "float64 longdouble complex64 complex128 clongdouble str_ bytes_ void datetime64 timedelta64"
)
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
    "pandas.core.indexes.timedeltas": "TimedeltaIndex _new_TimedeltaIndex",
    "pandas.core.indexes.frozen": "FrozenNDArray",  # before pandas 1: an array
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
TORCH_STORAGES = {
    **{f"{kind}Storage": 1 for kind in ("Untyped", "Char", "Byte", "Bool", "QInt8", "QUInt8")},
    **{f"{kind}Storage": 2 for kind in ("Half", "BFloat16", "Short")},
    **{f"{kind}Storage": 4 for kind in ("Float", "Int", "QInt32")},
    **{f"{kind}Storage": 8 for kind in ("Double", "Long", "ComplexFloat")},
    "ComplexDoubleStorage": 16,
}
"""With the bytes of an element."""
TORCH_REBUILDERS = (
    "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_meta_tensor_no_storage "
    "_rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor "
    "_rebuild_sparse_tensor _rebuild_sparse_csr_tensor"
)

# Each module with the names it may be asked for.
SKLEARN_LOSSES = """
    CyLossFunction CyHalfSquaredError CyAbsoluteError CyPinballLoss CyHuberLoss CyHalfPoissonLoss CyHalfGammaLoss
    CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHalfBinomialLoss CyHalfMultinomialLoss CyExponentialLoss
"""

CREATED: dict[str, str] = {
    # Python's own, as any pickler writes them. Protocols 0 and 1 write each object through `copyreg`.
    "builtins": BUILTINS,
    "copyreg": "_reconstructor __newobj__",
    "_codecs": "encode",  # how protocols 0 to 2 write bytes; its arguments are looked at as well
    "collections": "OrderedDict defaultdict Counter deque ChainMap UserDict UserList UserString",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "functools": "partial",  # of very few functions, so its arguments are looked at as well
    "uuid": "UUID SafeUUID",
    # NumPy: arrays, scalars, types, random states. `numpy.core` became `numpy._core` in NumPy 2.
    "numpy": f"ndarray dtype matrix recarray {NUMPY_SCALARS}",
    # How NumPy before 1.17 writes its ufuncs. It imports what its arguments name, so these are looked at as well.
    "numpy.core": "_ufunc_reconstruct",
    "numpy._core": "_ufunc_reconstruct",
    "numpy.core.multiarray": NUMPY_RECONSTRUCTION,
    "numpy._core.multiarray": NUMPY_RECONSTRUCTION,
    "numpy.core._internal": "_reconstruct",  # by Python 2
    "numpy.core.numeric": "_frombuffer",
    "numpy._core.numeric": "_frombuffer",
    "numpy.ma.core": "MaskedArray _mareconstruct",
    "numpy.ma": "MaskedArray",
    "numpy.matrixlib.defmatrix": "matrix",
    "numpy.random": "RandomState Generator __RandomState_ctor",  # the last before NumPy 1.17: one with seed 0
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
    # Since SciPy 1.18 the numbers are in `_BSpline`, which checks and keeps them.
    "scipy.interpolate._bsplines": "BSpline _BSpline",
    # joblib: what stands in an array's place; scikit-learn brought its own joblib before 0.21.
    "joblib.numpy_pickle": "NumpyArrayWrapper",
    "sklearn.externals.joblib.numpy_pickle": "NumpyArrayWrapper",
    # scikit-learn: what its estimators are made of. `newObj` makes an object of a class and calls nothing else; the
    # modules without an underscore are those of 0.20 and 0.21.
    "sklearn.metrics._dist_metrics": "newObj",
    "sklearn.neighbors._dist_metrics": "newObj",
    "sklearn.neighbors._kd_tree": "newObj",
    "sklearn.neighbors._ball_tree": "newObj",
    "sklearn.neighbors.dist_metrics": "newObj",
    "sklearn.neighbors.kd_tree": "newObj",
    "sklearn.neighbors.ball_tree": "newObj",
    # Losses since 1.1, whose module is called so since 1.5. They have no state but numbers; Cython's reconstruction
    # compares a checksum and sets them.
    "_loss": " ".join(f"{name} __pyx_unpickle_{name}" for name in SKLEARN_LOSSES.split()),
    # A dict that warns where a key is read.
    "sklearn.utils.deprecation": "DeprecationDict",
    "sklearn.utils": "Bunch",
    "sklearn.utils._bunch": "Bunch",
    "sklearn.utils._metadata_requests": "MetadataRequest MethodMetadataRequest",
    # XGBoost and LightGBM: their scikit-learn estimators, and the booster with the model in its own format as bytes.
    "xgboost.core": "Booster",
    "xgboost.compat": "XGBoostLabelEncoder",  # scikit-learn's LabelEncoder, with methods that nothing calls
    "xgboost.sklearn": "XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor XGBModel",
    "lightgbm.basic": "Booster",
    "lightgbm.sklearn": "LGBMClassifier LGBMRegressor LGBMRanker LGBMModel _LGBMLabelEncoder",
    # CatBoost: the model in its own format as bytes, which it reads without a file, and the parameters.
    "catboost.core": "CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker",
    # PyTorch: tensors and parameters, of which a state dict consists.
    "torch": f"Size device Tensor Generator {TORCH_DTYPES} {' '.join(TORCH_STORAGES)} {TORCH_CONSTANTS}",
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
    "pandas.tseries.offsets": PANDAS_OFFSETS,  # before pandas 1.1
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
    # Of a number and its unit, which older versions give the types themselves; they parse any other text.
    "pandas._libs.tslibs.timestamps": "_unpickle_timestamp Timestamp",
    "pandas._libs.tslibs.timedeltas": "_timedelta_unpickle Timedelta",
    "pandas._libs.tslibs.nattype": "__nat_unpickle _nat_unpickle",  # return the one constant
    "pandas.core.arrays.categorical": "Categorical",
    "pandas.core.arrays.string_": "StringArray StringDtype",
    "pandas.core.dtypes.dtypes": "CategoricalDtype",
    **PANDAS_INDEXES,
}

# Elementwise, and what summarises or reshapes an array: what a FunctionTransformer or a scorer is given.
NUMPY_UFUNCS = """
    absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil conjugate copysign cos cosh deg2rad
    degrees divide equal exp exp2 expm1 fabs float_power floor floor_divide fmax fmin fmod greater greater_equal
    heaviside hypot invert isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and
    logical_not logical_or logical_xor maximum minimum mod multiply negative not_equal positive power rad2deg radians
    reciprocal remainder rint sign sin sinh sqrt square subtract tan tanh true_divide trunc
"""
NUMPY_FUNCTIONS = """
    all amax amin any argmax argmin around array asarray average clip cumsum diff max mean median min nan_to_num nanmax
    nanmean nanmedian nanmin nanstd nansum nanvar ptp ravel round squeeze std sum transpose var
"""
_SELECTION = "f_classif f_regression f_oneway chi2 r_regression"
_MUTUAL = "mutual_info_classif mutual_info_regression"
_CLASSIFICATION = (
    "accuracy_score balanced_accuracy_score f1_score fbeta_score log_loss precision_score recall_score jaccard_score "
    "matthews_corrcoef brier_score_loss cohen_kappa_score hamming_loss zero_one_loss"
)
_RANKING = "roc_auc_score average_precision_score"
_REGRESSION = (
    "mean_squared_error root_mean_squared_error mean_absolute_error r2_score max_error explained_variance_score "
    "median_absolute_error mean_absolute_percentage_error mean_squared_log_error mean_pinball_loss"
)

HELD: dict[str, str] = {
    "numpy": f"{NUMPY_UFUNCS} {NUMPY_FUNCTIONS}",
    # Where NumPy before 2 says that its ufuncs are.
    "numpy.core._multiarray_umath": NUMPY_UFUNCS,
    "numpy._core._multiarray_umath": NUMPY_UFUNCS,
    "numpy.core.fromnumeric": NUMPY_FUNCTIONS,
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",  # BSpline holds it
    "scipy.special": "expit logit",
    "scipy.special._ufuncs": "expit logit",
    "sklearn.cluster._kmeans": "_kmeans_single_lloyd _kmeans_single_elkan",
    "sklearn.feature_selection._univariate_selection": _SELECTION,
    "sklearn.feature_selection.univariate_selection": _SELECTION,  # 0.20 and 0.21, as all without an underscore
    "sklearn.feature_selection._mutual_info": _MUTUAL,
    "sklearn.feature_selection.mutual_info_": _MUTUAL,
    "sklearn.metrics._classification": _CLASSIFICATION,
    "sklearn.metrics.classification": _CLASSIFICATION,
    "sklearn.metrics._ranking": _RANKING,
    "sklearn.metrics.ranking": _RANKING,
    "sklearn.metrics._regression": _REGRESSION,
    "sklearn.metrics.regression": _REGRESSION,
    # Calls `score` of what it is given.
    "sklearn.metrics._scorer": "_passthrough_scorer",
    "sklearn.metrics.scorer": "_passthrough_scorer",
    "sklearn.model_selection._search_successive_halving": "_refit_callable",
}

# Families: packages whose classes all keep what they are given, by the pattern of their names. Each needs a list of
# the packages, since others do more: of scikit-learn, `callback` has sockets and threads, `datasets` loads from the
# network, `externals` is other people's code, `utils` runs things.
SKLEARN = """
    _loss base calibration cluster compose covariance cross_decomposition decomposition discriminant_analysis dummy
    ensemble feature_extraction feature_selection frozen gaussian_process impute isotonic kernel_approximation
    kernel_ridge linear_model manifold metrics mixture model_selection multiclass multioutput naive_bayes neighbors
    neural_network pipeline preprocessing random_projection semi_supervised svm tree
"""
# As classes are called, and constants are not: a table of the library's own could be changed for all that use it.
# Cython's own reconstruction of a class makes one and sets its attributes.
SKLEARN_CLASS = (
    r"(?:__pyx_unpickle_)?_{0,2}[A-Z]+[a-z][A-Za-z0-9]*|_PLS|"
    r"CCA|DBSCAN|HDBSCAN|MAE|MDS|MSE|NMF|OAS|OPTICS|PCA|PLSSVD|RBF|RFE|RFECV|SVC|SVR|TSNE"
)
IMBLEARN = "base combine ensemble metrics over_sampling pipeline under_sampling"
IMBLEARN_CLASS = (
    r"ADASYN|AllKNN|Balanced(?:Bagging|RandomForest)Classifier|BalancedCascade|BalanceCascade|BorderlineSMOTE|"
    r"ClusterCentroids|CondensedNearestNeighbour|EasyEnsemble(?:Classifier)?|(?:Repeated)?EditedNearestNeighbours|"
    r"FunctionSampler|InstanceHardnessThreshold|KMeansSMOTE|NearMiss|NeighbourhoodCleaningRule|OneSidedSelection|"
    r"Pipeline|Random(?:Over|Under)Sampler|RUSBoostClassifier|SMOTE|SMOTEENN|SMOTEN|SMOTENC|SMOTETomek|SVMSMOTE|"
    r"TomekLinks|ValueDifferenceMetric"
)
# Their encoders. One of them starts processes when it transforms, as joblib does for scikit-learn, and none when made.
ENCODERS = """
    backward_difference basen binary cat_boost count count_target glmm gray hashing helmert james_stein leave_one_out
    m_estimate multi_hot one_hot ordinal polynomial quantile_encoder rankhot sum_coding target_encoder woe wrapper
"""
ENCODER_CLASS = r"[A-Z][A-Za-z]*Encoder|NestedCVWrapper|PolynomialWrapper"
FAMILIES = {
    "sklearn": (frozenset(SKLEARN.split()), re.compile(SKLEARN_CLASS, re.ASCII)),
    "imblearn": (frozenset(IMBLEARN.split()), re.compile(IMBLEARN_CLASS)),
    "category_encoders": (frozenset(ENCODERS.split()), re.compile(ENCODER_CLASS)),
}
# What these packages import from elsewhere and so could be named through them, and what is no class of theirs. `Pep562`
# puts itself in a module's place; it is in every module that was moved in 0.22.
OUTSIDERS = """
    ABC ABCMeta Annotation BSpline BytesIO Callable CatBoostClassifier CatBoostRegressor Configuration Counter Enum
    Integral Iterable LGBMClassifier LGBMRegressor LinAlgError List LooseVersion Mapping MaskedArray MaxNLocator
    Memory MethodType MutableMapping NamedTemporaryFile NamedTuple NodeData NodeHeapData Number Parallel Path Pep562
    Popen Process Protocol Real ScalarFormatter Sequence SparseEfficiencyWarning StringIO TemporaryDirectory Thread
    ThreadpoolController UserList XGBClassifier XGBRegressor
"""
DEEPEST = 3  # modules of a family lie at most so deep in their package
NO_PART = frozenset(("tests", "conftest", "setup"))  # of what is installed with them, these are for tests and building
