"""TensorFlow's functions that a layer of Keras 2 may call by their name: those that only compute, as plain data.

A functional model that calls TensorFlow itself describes each call by the function's name (the layers `TFOpLambda` and
`SlicingOpLambda`), and Keras looks that up in all that TensorFlow has, `tf.io` and `tf.load_op_library` too
(https://github.com/keras-team/tf-keras/blob/master/tf_keras/src/layers/core/tf_op_layer.py).
"""

from __future__ import annotations

from signoff.documents.patterns import compiled_on_use

# Parts of TensorFlow that reach no file, no other host and no code.
_PARTS = compiled_on_use(
    r"(?:__operators__|math|linalg|nn|image|strings|sparse|ragged|signal|random|bitwise|dtypes|quantization|sets|audio"
    r"|experimental\.numpy)(?:\.[A-Za-z_]\w*)+"
)
_VERSION = compiled_on_use(r"compat\.v[12]\.")
_TOP_NAMES = """
    abs acos acosh add add_n angle approx_top_k argmax argmin argsort as_string asin asinh atan atan2 atanh
    batch_gather batch_to_space batch_to_space_nd betainc bincount bitcast boolean_mask broadcast_dynamic_shape
    broadcast_static_shape broadcast_to cast ceil check_numerics cholesky clip_by_average_norm clip_by_global_norm
    clip_by_norm clip_by_value complex concat confusion_matrix conj constant convert_to_tensor cos cosh count_nonzero
    cross cumprod cumsum decode_base64 decode_raw depth_to_space dequantize diag diag_part digamma div div_no_nan
    divide dynamic_partition dynamic_stitch edit_distance eig eigvals einsum encode_base64 ensure_shape equal erf erfc
    exp expand_dims expm1 extract_image_patches extract_volume_patches eye fft fft2d fft3d fftnd fill fingerprint floor
    floor_div floordiv floormod gather gather_nd global_norm greater greater_equal guarantee_const
    histogram_fixed_width histogram_fixed_width_bins identity identity_n ifft ifft2d ifft3d ifftnd igamma igammac imag
    invert_permutation irfftnd is_finite is_inf is_nan lbeta less less_equal lgamma lin_space linspace log log1p
    log_sigmoid logical_and logical_not logical_or logical_xor matmul matrix_band_part matrix_determinant matrix_diag
    matrix_diag_part matrix_inverse matrix_set_diag matrix_solve matrix_square_root matrix_transpose
    matrix_triangular_solve maximum meshgrid minimum mod multinomial multiply negative no_op norm not_equal one_hot
    ones ones_like pad parallel_stack polygamma pow qr random_crop random_normal random_shuffle random_uniform range
    rank real realdiv reciprocal reduce_all reduce_any reduce_join reduce_logsumexp reduce_max reduce_mean reduce_min
    reduce_prod reduce_std reduce_sum regex_replace repeat reshape reverse reverse_sequence reverse_v2 rfftnd rint roll
    round rsqrt saturate_cast scalar_mul scatter_nd searchsorted segment_max segment_mean segment_min segment_prod
    segment_sum sequence_mask setdiff1d shape shape_n sigmoid sign sin sinh size slice sort space_to_batch
    space_to_batch_nd space_to_depth sparse_add sparse_concat sparse_matmul sparse_reduce_sum sparse_reshape
    sparse_softmax sparse_tensor_dense_matmul sparse_tensor_to_dense sparse_to_dense split sqrt square
    squared_difference squeeze stack stop_gradient strided_slice string_join string_split string_strip
    string_to_hash_bucket string_to_hash_bucket_fast string_to_number substr subtract svd tan tanh
    tensor_scatter_nd_add tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update
    tensordot tile to_double to_float to_int32 to_int64 trace transpose truediv truncated_normal truncatediv
    truncatemod tuple unique unique_with_counts unravel_index unsorted_segment_max unsorted_segment_mean
    unsorted_segment_min unsorted_segment_prod unsorted_segment_sum unstack where where_v2 zeros zeros_like zeta
"""
_TOP = frozenset(_TOP_NAMES.split())
_CLASSES = frozenset({"RaggedTensor", "SparseTensor", "sparse.SparseTensor", "TensorShape"})


def only_computes(function: str) -> bool:
    """Whether a function, by the name it has in TensorFlow (`math.multiply`), computes and does nothing else."""
    name = _VERSION.sub("", function, count=1)
    return name in _TOP or name in _CLASSES or _PARTS.fullmatch(name) is not None
