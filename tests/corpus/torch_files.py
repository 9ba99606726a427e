"""Files as PyTorch writes them. It brings gigabytes along, so it is no dependency: small files are kept as samples.

`python -m tests.corpus.torch_files FOLDER` writes them, where PyTorch is installed.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

Files = dict[str, bytes]


def files() -> Files:
    """Return each file by its name. Raises `ImportError` without PyTorch."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        return {
            **{f"{name}.pt": _saved(value) for name, value in _honest(torch).items()},
            "state-dict.legacy.pth": _saved(_network(torch).state_dict(), _use_new_zipfile_serialization=False),
            "checkpoint.legacy.pth": _saved(_checkpoint(torch), _use_new_zipfile_serialization=False),
            "module.pt": _saved(_network(torch)),
            "module.legacy.pth": _saved(torch.nn.ReLU(), _use_new_zipfile_serialization=False),
            "attribute.pt": _saved(_attributed(torch)),
            "script.pt": _scripted(torch.jit.script(_network(torch).eval())),
            "trace.pt": _scripted(torch.jit.trace(_network(torch).eval(), torch.ones(1, 4))),
            "program.pt2": _exported(torch),
        }


def _network(torch: Any) -> Any:
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1))


def _checkpoint(torch: Any) -> dict[str, Any]:
    """As trainers write it: weights, the optimizer's state, where training stands and how well it goes."""
    network = _network(torch)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    network(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    schedule.step()
    return {
        "epoch": 3,
        "global_step": 120,
        "state_dict": network.state_dict(),
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [schedule.state_dict()],
        "best": 0.93,
        "hyper_parameters": OrderedDict(lr=1e-3, layers=[4, 3, 1], name="net", dropout=None),
        "rng": torch.get_rng_state(),
        "size": torch.Size([4, 3]),
        "device": torch.device("cpu"),
        "dtype": torch.bfloat16,
    }


def _honest(torch: Any) -> dict[str, Any]:
    names = "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool complex64 float8_e4m3fn float8_e5m2"
    shared = torch.arange(6.0)
    indices = torch.tensor([[0, 2], [1, 0]])
    return {
        "state-dict": _network(torch).state_dict(),
        "checkpoint": _checkpoint(torch),
        "dtypes": {name: torch.zeros(2, 3).to(getattr(torch, name)) for name in names.split()},
        "unsigned": {name: torch.zeros(2, dtype=getattr(torch, name)) for name in ("uint16", "uint32", "uint64")},
        "parameters": [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2), requires_grad=False)],
        "buffer": torch.nn.Buffer(torch.ones(2)),
        "views": {"all": shared, "half": shared[::2], "turned": shared.view(2, 3).t()},
        "quantised": {
            "tensor": torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8),
            "channels": torch.quantize_per_channel(
                torch.ones(2, 2), torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.quint8
            ),
        },
        "sparse": {
            "coo": torch.sparse_coo_tensor(indices, torch.ones(2), (3, 2)),
            "csr": torch.eye(3).to_sparse_csr(),
            "csc": torch.eye(3).to_sparse_csc(),
        },
        "tensor": torch.ones(3),
        "meta": {"weight": torch.empty(2, device="meta")},
        "conjugated": torch.ones(2, dtype=torch.complex64).conj(),
    }


def _attributed(torch: Any) -> Any:
    """A tensor with an attribute, which PyTorch rebuilds as a subclass: by a function that is given what to call."""
    tensor = torch.ones(2)
    tensor.unit = "metres"
    return tensor


def _saved(value: Any, **options: Any) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def _scripted(module: Any) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    return buffer.getvalue()


def _exported(torch: Any) -> bytes:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(_network(torch).eval(), (torch.ones(2, 4),)), buffer)
    return buffer.getvalue()


if __name__ == "__main__":
    for file, data in files().items():
        (Path(sys.argv[1]) / file).write_bytes(data)
