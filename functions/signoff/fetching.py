"""Which environment variables make a container fetch code or weights when it starts.

What is fetched then was never inspected and may be other bytes every time. Known are URLs of any kind, and the names
by which SageMaker's own containers take a script or a model from elsewhere:
https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html (SAGEMAKER_SUBMIT_DIRECTORY)
https://huggingface.co/docs/sagemaker/inference (HF_MODEL_ID)
https://docs.djl.ai/master/docs/serving/serving/docs/lmi/user_guides/deployment_guide/configurations.html
"""

from __future__ import annotations

import re

# `s3://`, `https://`, `git+ssh://`, `hf://`, `djl://`; and git's and pip's forms without slashes (`git@host:repo`).
_URL = re.compile(r"(?:^|[\s=,;'\"@+(])(?:[a-z][a-z0-9+.-]*://|git@[\w.-]+:)", re.IGNORECASE)
# Variables that hold a model's id in a hub or the place of a script, unless it is a path inside the container.
_BY_NAME = re.compile(
    r"(?:(?:HF|OPTION|SM|SMDEBUG|VLLM|TGI|SERVING_LOAD)_)?(?:MODELS?|MODEL_ID|DRAFT_MODEL|SPECULATIVE_DRAFT_MODEL"
    r"|TOKENIZER|TOKENIZER_ID|ADAPTER|ADAPTERS|LORA_ADAPTERS|LORA_MODULES)"
    r"|SAGEMAKER_SUBMIT_DIRECTORY|PIP_[A-Z_]*INDEX_URL|PIP_FIND_LINKS|HF_ENDPOINT",
    re.IGNORECASE,
)
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(?:@[\w.-]+)?")
_INSIDE = ("/", "file:///")


def fetches(name: str, value: str) -> bool:
    """Return whether a variable `name` with that `value` makes a container fetch something when it starts."""
    if value.lower().startswith(_INSIDE):
        return False
    if _URL.search(value):
        return True
    return _BY_NAME.fullmatch(name) is not None and _HUB_ID.fullmatch(value.strip()) is not None
