"""Which environment variables make a container fetch code or weights when it starts.

What is fetched then was never inspected and may differ every time. Detected are URLs of any kind, and the variables
by which SageMaker's own containers take a script or a model from elsewhere:
https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html (SAGEMAKER_SUBMIT_DIRECTORY)
https://huggingface.co/docs/sagemaker/inference (HF_MODEL_ID)
https://docs.djl.ai/master/docs/serving/serving/docs/lmi/user_guides/deployment_guide/configurations.html
"""

from __future__ import annotations

import re

from signoff.documents.patterns import compiled_on_use

# `s3://`, `https://`, `git+ssh://`, `hf://`, `djl://` anywhere; and git's form without slashes.
_URL = compiled_on_use(r"(?<![a-z0-9+.-])[0-9+.-]*+(?P<scheme>[a-z][a-z0-9+.-]*+)://|\bgit@[\w.-]++:", re.IGNORECASE)
# A server in the container is configured to listen by such a URL: TS_INFERENCE_ADDRESS=http://0.0.0.0:8080.
_OWN_HOST = compiled_on_use(
    r"(?:localhost|127(?:\.[0-9]{1,3}){3}|0\.0\.0\.0|\[::1?\])(?::[0-9]+)?(?=[/\s,;'\")\]}]|$)", re.IGNORECASE
)
_WHOSE = r"(?:(?:HF|OPTION|SM|SERVING|LOAD|VLLM|SGLANG|TGI|TRTLLM|LMI)_)"
# Variables that hold a model's id in a hub; a value that is not a path in the container is looked up there.
_MODEL_ID = compiled_on_use(rf"{_WHOSE}*(?:DRAFT_)?MODEL_ID|{_WHOSE}+(?:MODEL|TOKENIZER|TOKENIZER_ID)", re.IGNORECASE)
# Variables that may hold such an id, and more often something else.
_MAY_BE_ID = compiled_on_use(
    rf"{_WHOSE}*(?:MODELS?|MODEL_PATH|DRAFT_MODEL|SPECULATIVE_DRAFT_MODEL|SPECULATIVE_MODEL|TOKENIZER|TOKENIZER_ID"
    r"|TOKENIZER_PATH|ADAPTERS?|ADAPTER_ID|LORA_ADAPTERS|LORA_MODULES)"
    r"|SAGEMAKER_SUBMIT_DIRECTORY|PIP_[A-Z_]*INDEX_URL|PIP_FIND_LINKS|HF_ENDPOINT",
    re.IGNORECASE,
)
_HUB_ID = compiled_on_use(r"[\w.-]+/[\w.-]+(?:@[\w.-]+)?")
_INSIDE = ("/", "./", "file:")


def fetches(name: str, value: str) -> bool:
    """Return whether a variable `name` with that `value` makes a container fetch something when it starts."""
    if any(_leads_out(url, value) for url in _URL.finditer(value)):
        return True
    plain = value.strip()
    if not plain or plain.lower().startswith(_INSIDE):
        return False
    return bool(_MODEL_ID.fullmatch(name) or (_MAY_BE_ID.fullmatch(name) and _HUB_ID.fullmatch(plain)))


def _leads_out(url: re.Match[str], value: str) -> bool:
    scheme = (url["scheme"] or "").lower()
    return scheme != "file" and not (scheme and _OWN_HOST.match(value, url.end()))
