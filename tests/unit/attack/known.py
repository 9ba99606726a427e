"""Disguises that are known to pass inspection still: each is to be taken off when it is refused."""

KNOWN = frozenset(
    {
        "pickle: header=none lead=float-long",
        "pickle: header=none lead=string-long",
        "pickle: header=none lead=text-long",
        "pickle: layout=second-number",
        "pickle: layout=second-text",
        "pickle: wrap=gzip-reserved-20",
        "pickle: wrap=gzip-reserved-40",
        "pickle: wrap=gzip-reserved-80",
        "pickle: wrap=lzma-properties",
        "pickle: wrap=lzma-properties-usual",
        "pickle: wrap=zf",
        "pickle: wrap=zip-in-comment",
        "pickle: wrap=zip-in-comment-shifted",
        "pickle: wrap=zlib-flushed",
        "pickle: wrap=zlib-no-checksum",
        "pickle: wrap=zlib-window-08",
        "pickle: wrap=zlib-window-18",
        "pickle: wrap=zlib-window-38",
        "pickle: wrap=zlib-window-58",
        "pickle: wrap=zlib-window-68",
    }
)
