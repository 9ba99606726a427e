"""Settings that servers read: what they would have fetched, imported or called.

- `serving.properties` of DJL Serving
  (https://docs.djl.ai/master/docs/serving/serving/docs/lmi/user_guides/deployment_guide/configurations.html)
- Transformers' JSON (https://huggingface.co/docs/transformers/custom_models): `auto_map` names code, in another
  repository where it holds `--`; an adapter names the model that it adapts
- PEFT's `auto_mapping` names a module to import, as `modules.json` of Sentence Transformers names classes
  (https://github.com/huggingface/sentence-transformers/blob/master/sentence_transformers/SentenceTransformer.py)
- Triton's `config.pbtxt` (https://github.com/triton-inference-server/python_backend#creating-custom-execution-environments)
  and TorchServe's `config.properties` (https://docs.pytorch.org/serve/configuration.html) name models and environments
- `MLmodel` (https://mlflow.org/docs/latest/ml/model/): the module that loads it
- YAML with tags of Python, which `yaml.load` may call (https://pyyaml.org/wiki/PyYAMLDocumentation)
- Hydra's `_target_` (https://hydra.cc/docs/advanced/instantiate_objects/overview/)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from signoff.artifact.context import FindingCollector
from signoff.artifact.member_names import shown
from signoff.artifact.startup.templates import check_template
from signoff.artifact.trusted_names import runs_code
from signoff.documents.patterns import compiled_on_use
from signoff.documents.remote_sources import fetches

_PROPERTY = compiled_on_use(r"(?P<key>[\w.-]++)(?=[=:\s])\s*+[=:]?\s*+(?P<value>.*)", re.DOTALL)
_LINE_END = compiled_on_use(r"\r\n|\r|\n")
_UNICODE = compiled_on_use(r"\\u+([0-9a-fA-F]{4})")
_PYTHON_TAG = compiled_on_use(r"![^\s!]*python/|tag:yaml\.org,2002:python|^%TAG\b", re.MULTILINE)
# In YAML's double quotes (https://yaml.org/spec/1.2.2/#57-escaped-characters), those that may stand for a letter.
_ESCAPE = compiled_on_use(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\r?\n[ \t]*+)")
_PLAIN = (
    r"[\"']?[ \t]*+:\s*+(?:[&!]\S{0,200}+\s++){0,3}(?:[|>][-+\d]{0,2}\s++)?[\"']?"
    r"(?P<value>[A-Za-z_][\w.]*+)[\"']?[ \t]*+(?=\Z|[\r\n,}\]#])"
)
_TARGET = compiled_on_use(rf"(?<!\w)_target_(?!\w)(?:{_PLAIN})?")
_LOADER = compiled_on_use(rf"(?<!\w)loader_module(?!\w)(?:{_PLAIN})?")
_COMMENT = compiled_on_use(r"^[ \t]*#[^\"'\r\n]*$", re.MULTILINE)  # without quotes: else a text may have begun before
# What a name leads to by way of what a library imports.
_REACHING = frozenset(
    (
        "os",
        "sys",
        "subprocess",
        "builtins",
        "importlib",
        "shutil",
        "pty",
        "posix",
        "runpy",
        "ctypes",
        "socket",
        "pickle",
    )
)
_MODEL_KEYS = ("base_model_name_or_path", "draft_model", "speculative_model", "peft_base_model")
_ADAPTED, _CLASS = ("transformers", "diffusers", "peft", "torch"), "base_model_class"
_TRUE = ("true", "1", "yes", "on")


def check_properties(text: str, findings: FindingCollector) -> None:
    """Report models, scripts and code that DJL Serving would fetch."""
    for line in _as_java_reads(text):
        found = _PROPERTY.fullmatch(line.strip())
        if not found:
            continue
        key, value = found["key"].removeprefix("option."), found["value"]
        if fetches(f"OPTION_{key.upper()}", value):
            findings.report_fetched(f"{found['key']}={value}")
        if key == "trust_remote_code" and value.lower() in _TRUE:
            findings.report("remote-code", "Lets a server run code that comes with a model (trust_remote_code)")


def _as_java_reads(text: str) -> Iterator[str]:
    """Yield each property as java.util.Properties reads it: lines joined, escapes decoded, comments left out."""
    begun = ""
    for line in (natural.lstrip(" \t\f") for natural in _LINE_END.split(text)):
        if not begun and line.startswith(("#", "!")):
            continue  # a comment does not go on
        if (len(line) - len(line.rstrip("\\"))) % 2:
            begun += line[:-1]
            continue
        yield _UNICODE.sub(lambda found: chr(int(found[1], 16)), begun + line).replace("\\", "")
        begun = ""
    if begun:
        yield _UNICODE.sub(lambda found: chr(int(found[1], 16)), begun).replace("\\", "")


def check_yaml(text: str, findings: FindingCollector) -> None:
    """Report tags of Python, what is instantiated by name, and an MLflow model's own loader."""
    if tag := _PYTHON_TAG.search(unquote(text)):  # YAML decodes a tag as a URI
        findings.report(
            "unsafe-yaml", f"Has a tag that makes YAML readers create or call Python objects: {shown(tag[0])}"
        )
    for target in _values(_TARGET, text):
        _check_target(target, findings)
    for module in _values(_LOADER, text):
        if not module.startswith("mlflow."):
            reason = f"Is loaded by the module {shown(module) or 'that it computes'}, which is not MLflow's own"
            findings.report("custom-loader", reason, "warning")


def _values(key: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield a key's values, wherever it stands in YAML and however it is written; empty for what is no plain name."""
    text = _ESCAPE.sub(lambda found: chr(int(found[found.lastindex or 0], 16)) if found.lastindex else "", text)
    return (found["value"] or "" for found in key.finditer(_COMMENT.sub("", text)))


def _members(text: str) -> Iterator[tuple[str, Any]]:
    """Yield each member of JSON, wherever it stands; none of what is no JSON, which the scanner of JSON reports."""
    try:
        document = json.loads(text, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return
    yield from _pairs(document)


def check_json(text: str, findings: FindingCollector) -> None:
    """Report code and models of other repositories, chat templates that leave their sandbox, and `_target_`."""
    for key, value in _members(text):
        if key == "auto_map":
            _check_auto_map(value, findings)
        elif key in _MODEL_KEYS and isinstance(value, str) and fetches("HF_MODEL_ID", value):
            findings.report_fetched(f"{key}: {value}")
        elif key in ("chat_template", "template") and isinstance(value, str):
            check_template(value, findings)
        elif key == "_target_" and isinstance(value, str):
            _check_target(value, findings)
        elif key == "parent_library" and isinstance(value, str) and value.partition(".")[0] not in _ADAPTED:
            _check_target(f"{value}.{_CLASS}", findings)


def check_modules(text: str, findings: FindingCollector) -> None:
    """Report classes that Sentence Transformers would import for a model, and that are none of its own."""
    for key, value in _members(text):
        if key == "type" and not (isinstance(value, str) and value.startswith("sentence_transformers.")):
            _check_target(value if isinstance(value, str) else "", findings)


def check_addresses(text: str, findings: FindingCollector) -> None:
    """Report what a server would fetch, of settings in lines with `#` before a comment."""
    for line in map(str.strip, _LINE_END.split(text)):
        if not line.startswith("#") and fetches("", line):
            findings.report_fetched(line)


class _Members(list[tuple[str, Any]]):
    """A JSON object with all members of one name, of which each reader takes another."""


def _pairs(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key and value, at any depth; Python's reader bounds how deep."""
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, _Members):
            yield from each
            waiting.extend(value for _, value in each)
        elif isinstance(each, list):
            waiting.extend(each)


def _check_auto_map(value: Any, findings: FindingCollector) -> None:
    for _, named in _pairs(_Members([("auto_map", value)])):
        for text in named if isinstance(named, list) else [named]:
            if isinstance(text, str) and "--" in text:
                findings.report("remote-code", f"Names code of another repository: {shown(text)}")


def _check_target(target: str, findings: FindingCollector) -> None:
    module, _, name = target.rpartition(".")
    parts = target.split(".")
    if not target:
        findings.report("unsafe-target", "Has something called when it is instantiated that is not named in plain text")
    elif runs_code(module, name) or not _REACHING.isdisjoint(parts) or any(part.startswith("__") for part in parts):
        findings.report("unsafe-target", f"Has {shown(target)} called when it is instantiated")
    else:
        findings.report("named-target", f"Names {shown(target)}, which is called when it is instantiated", "warning")
