"""Disguises that pass inspection, and that no loader runs."""

DEAD = frozenset(
    {
        "hdf5: text=in-a-string",
        "keras: text=in-a-string",
        "pickle: lead=onnx",
        "pickle: wrap=gzip-method",
        "pickle: wrap=lzma-dictionary-odd",
        "pickle: wrap=lzma-size-huge",
        "pickle: wrap=lzma-size-more",
        "pickle: wrap=zf-narrow",
        "pickle: wrap=zlib-checksum-wrong",
        "skops: text=control-first",
        "skops: text=form-feed",
        "skops: text=in-a-list",
        "skops: text=in-a-string",
        "skops: text=invalid-first",
        "skops: text=utf-7",
    }
)
"""What no loader runs: a deep run of the tests makes sure of it."""
