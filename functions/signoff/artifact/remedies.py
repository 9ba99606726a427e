"""What to do about each finding of an inspection, by its rule."""

from __future__ import annotations

import re
from collections.abc import Mapping

from signoff.artifact.trusted_names import PATTERN, never_trusted
from signoff.documents.patterns import compiled_on_use

_PACK = "repack the files with `tar -czf model.tar.gz -C <folder> .`"
_AGAIN = f"Upload the archive again; if that does not help, {_PACK}."
_ANEW = f"{_PACK[0].upper()}{_PACK[1:]}."
_RENAME = "Rename the file and repack the archive."
_LINK = "Pack the file itself instead of the link (`tar --dereference`)."

REMEDIES: Mapping[str, str] = {
    # The container.
    "not-gzip": "Upload a gzip-compressed tar archive: `tar -czf model.tar.gz -C <folder> .`.",
    "not-tar": "Put the files into a tar archive before it is compressed: `tar -czf model.tar.gz -C <folder> .`.",
    "corrupt-gzip": _AGAIN,
    "truncated-gzip": _AGAIN,
    "trailing-data": f"Remove what follows the gzip data, or {_PACK}.",
    "corrupt-tar": _AGAIN,
    "truncated-tar": _AGAIN,
    "truncated-content": _AGAIN,
    "empty-archive": "Pack the model's files into the archive.",
    "data-after-end": f"Do not append archives to one another: {_PACK}.",
    "header-too-large": f"Leave out comments and extended attributes: {_PACK}.",
    "ambiguous-header": f"Use one well-maintained tar program for the whole archive: {_PACK}.",
    "ambiguous-size": _ANEW,
    "sparse-map": "Pack the file without `--sparse`.",
    "multi-volume": "Pack all into one archive, without `--multi-volume`.",
    # Bombs.
    "expansion-limit": "Leave out what the model does not need, or raise `artifact.limits.expanded_gib` in the policy.",
    "expansion-ratio": "Find out what compresses so well, or raise `artifact.limits.ratio` in the policy.",
    "too-many-members": "Leave out what the model does not need, or raise `artifact.limits.members` in the policy.",
    "nested-too-deep": "Unpack the archives within, or raise `artifact.limits.nested` in the policy.",
    # Names.
    "absolute-name": "Pack with names relative to the model's folder (`tar -C <folder> .`).",
    "drive-letter": _RENAME,
    "parent-directory": "Pack from the model's folder (`tar -C <folder> .`), so that no name leads out of it.",
    "control-character": _RENAME,
    "invisible-character": _RENAME,
    "not-utf-8": "Rename the file in UTF-8 and repack the archive.",
    "backslash": "Pack with slashes in names; on Windows, use its own `tar.exe`.",
    "name-too-long": "Give the file a shorter name and repack the archive.",
    "empty-name": "Give the file a name and repack the archive.",
    "impossible-name": "Give the object a valid file name.",
    "file-and-folder": "Give the file or the folder another name.",
    "reserved-name": "Rename the file if anybody is to unpack the archive on Windows.",
    "trailing-dot": "Rename the file if anybody is to unpack the archive on Windows.",
    "left-over": "Leave it out: `COPYFILE_DISABLE=1 tar --exclude=.DS_Store --exclude=.ipynb_checkpoints ...`.",
    "duplicate-name": "Pack each file once; do not append to an archive (`tar -r`).",
    "name-collision": "Rename one of the two, so that they differ by more than case or the spelling of an accent.",
    "name-through-link": "Replace the link or file by a directory: other members lie below it.",
    # Links, and what is neither file nor directory.
    "link-leaves": _LINK,
    "link-loop": _LINK,
    "hard-link-missing": "Pack the file that the hard link leads to, or use `tar --hard-dereference`.",
    "symbolic-link": _LINK,
    "hard-link": "Pack the file itself again instead of the link (`tar --hard-dereference`).",
    "dangling-link": "Pack the file that the link leads to, or leave the link out.",
    "special-file": "Leave it out: a model consists of files, directories and links.",
    "set-uid": "Remove the bit (`chmod u-s,g-s,-t`), or pack with `tar --mode=u-s,g-s,-t`.",
    "capability": "Pack without extended attributes (`tar --no-xattrs`), or remove them (`setcap -r`).",
    # What lies within.
    "corrupt-compressed": "Write the file again: its compressed data is damaged or incomplete.",
    "unscannable-compression": "Compress with gzip, bzip2 or xz, or not at all; and without a password.",
    "corrupt-zip": "Write the file again: its zip archive is damaged or incomplete.",
    "unscannable-zip": "Write the zip archive again with its sizes in the headers, and without a password.",
    "zip-ambiguous": "Write the file again with the framework's own save; do not append to it or edit it.",
    # What a name claims, and what is there instead.
    "not-what-it-is-called": "Save the model again under its own format's name, or rename the file to what it is.",
    "empty-file": "Put the model in its place, or leave the file out.",
    "git-lfs-pointer": "Fetch the file itself (`git lfs pull`), and pack again.",
    "required-file-no-model": "Put the model in its place, or change `artifact.required_files` in the policy.",
    "no-model": "Add the model in a format that the policy allows, or change `artifact.formats` in it.",
    "unknown-format": "Leave the file out, or save it in a known format; approvers see that nobody looked into it.",
    "not-looked-into": "Have approvers look into it, or name the format in `artifact.formats` of the policy.",
    "unreadable-json": "Write the file again: it is cut off or damaged.",
    "unreadable-ubjson": "Write the file again: it is cut off or damaged.",
    "r-object": "Save the model in a format of data: ONNX or PMML; or list `r-data` in `artifact.formats`.",
    "torchscript-flatbuffer": "Save a state dict, safetensors or ONNX, or list the format in `artifact.formats`.",
    # What a server would fetch or run when it starts.
    "fetched-at-start": "Pack what it needs instead, or list the line's pattern in `sources.fetched` of the policy.",
    "unpinned-requirement": "Pin each package to a version and its hashes (`pip-compile --generate-hashes`).",
    "unhashed-requirement": "Add each package's hashes (`pip-compile --generate-hashes`), or pack the packages.",
    "remote-code": "Pack the code into `code/` instead, and switch `trust_remote_code` off.",
    "unsafe-yaml": "Write plain YAML: texts, numbers, lists and maps.",
    "unsafe-target": "Name a class of a library instead.",
    "named-target": "Have approvers look at what it names.",
    "custom-loader": "Have approvers look at the module, or save the model by one of MLflow's own flavors.",
    "unsafe-template": "Use variables, filters and loops only in the template.",
    "unreadable-settings": "Write it again, in UTF-8 and of a usual size; in an environment, each item on its line.",
    "unreadable-tokenizer": "Save the tokenizer again with its own library.",
    "runs-at-start": "Rename the module and import it where it is needed.",
    "ambiguous-content": "Write the file again with the framework's own save: no valid file has two formats.",
    # Code that would run on load.
    "unsafe-pickle": "Save the model without code: as safetensors, ONNX, skops or the framework's own format.",
    "unknown-global": "Save the model without this class: as safetensors, ONNX, skops or the framework's own format.",
    "own-class": "Save the model without this class, and make its object in the code that loads the model.",
    "trusted-name": "Look at what this class or function does when it is called with any arguments.",
    "unreadable-pickle": "Save the model again, as safetensors, ONNX, skops or with an unchanged pickle.",
    "data-after-pickle": "Save one object per file, with nothing after it.",
    "npy-objects": "Save the array with `allow_pickle=False`: as numbers or texts of a fixed length.",
    "npy-size": "Save the array again with `numpy.save`: the file is incomplete, or something follows it.",
    "unreadable-npy": "Save the array again with `numpy.save`.",
    "skops-untrusted-type": "Use only scikit-learn's own types in the model, and save it again.",
    "unreadable-skops": "Save the model again with `skops.io.dump`.",
    "torchscript-code": "Save a state dict, safetensors or ONNX instead, or list `torchscript` in `artifact.formats`.",
    "torch-export-code": "Save the weights alone, as a state dict or as safetensors, or export the model to ONNX.",
    "keras-lambda": "Replace the Lambda layer with a built-in Keras layer, and save the model again.",
    "keras-unsafe-module": "Use only Keras' own objects in the model, and save it again.",
    "keras-custom-object": "Use only Keras' own objects in the model, and save it again.",
    "keras-external-file": "Store what the model needs in the model, not the path of another file.",
    "hdf5-external-data": "Save the model again with `model.save`, so that all data lies in its own file.",
    "keras-config-too-large": "Save the model again: its description is implausibly large.",
    "unreadable-keras-config": "Save the model again with `model.save`.",
    "onnx-custom-operator": "Export the model with ONNX's own operators only.",
    "onnx-custom-opset": "Export the model with ONNX's own operator sets only.",
    "onnx-external-data": "Export the weights into the model's own folder: `save_as_external_data` with a plain name.",
    "onnx-external-data-inside": "Make sure that the file with the weights is packed beside the model.",
    "unreadable-onnx": "Export the model again, and try it with `onnx.checker`.",
    "java-object": "Save the model in a format of data: ONNX, PMML, or the framework's own JSON.",
    "tensorflow-operator": "Export the model without it: prepare data, and read and write files, outside of the model.",
    "tensorflow-asset": "Save the model again with `tf.saved_model.save`, which copies its assets into it.",
    "unreadable-saved-model": "Save the model again with `tf.saved_model.save`, in binary and in one piece.",
    "safetensors-header": "Save the tensors again with the safetensors library.",
    "safetensors-size": "Save the tensors again: the file is incomplete, or something follows it.",
    # What the policy requires.
    "required-file-missing": "Add the file, or change `artifact.required_files` in the policy.",
    "required-file-is-link": "Pack the file itself instead of the link (`tar --dereference --hard-dereference`).",
    "required-file-in-folder": "Pack what is in the folder, and not the folder: `tar -C <folder> -czf model.tar.gz .`.",
    "forbidden-file": "Leave the file out, or change `artifact.forbidden_files` in the policy.",
    "format-not-allowed": "Save the model in a format that the policy allows, or change `artifact.formats` in it.",
    "code-out-of-place": "Put the code into `code/`, leave it out, or change `artifact.code` in the policy.",
    "compiled-code": "Leave it out (`__pycache__` too), or change `artifact.code.compiled` in the policy.",
    "licence-missing": "Add the model's licence as LICENSE.txt, or change `artifact.licence` in the policy.",
    "model-card-missing": "Add a model card as MODEL_CARD.md, or change `artifact.model_card` in the policy.",
    "more-findings": "Correct those that are listed, and inspect again to see the others.",
}

LIBRARIES: Mapping[str, str] = {
    **dict.fromkeys(("catboost",), "save the model as `.cbm` (`save_model`)"),
    **dict.fromkeys(("xgboost",), "save the model with `save_model`, as `.ubj` or `.json`"),
    **dict.fromkeys(("lightgbm",), "save the model with `booster_.save_model`"),
    **dict.fromkeys(("torch", "torchvision", "torchaudio"), "save `model.state_dict()`, or safetensors, or ONNX"),
    **dict.fromkeys(("lightning", "pytorch_lightning", "fastai"), "save `model.state_dict()`, or export to ONNX"),
    **dict.fromkeys(("keras", "tensorflow", "tf_keras", "keras_core"), "save the model with `model.save`, as `.keras`"),
    **dict.fromkeys(("transformers", "diffusers", "peft"), "save it with `save_pretrained`"),
    **dict.fromkeys(("sklearn", "imblearn", "category_encoders", "sklego", "feature_engine"), "save it with skops"),
    **dict.fromkeys(
        ("mlflow", "langchain", "langchain_core", "llama_index"), "log the model from code (`models from code`)"
    ),
    **dict.fromkeys(("numpy", "scipy", "pandas", "polars", "pyarrow"), "save data as `.npy`, `.npz` or Parquet"),
    **dict.fromkeys(("statsmodels", "prophet", "lifelines", "pmdarima", "sktime"), "keep its parameters as JSON"),
    **dict.fromkeys(("h2o", "pyspark", "onnx", "onnxruntime", "skl2onnx", "jax", "flax"), "export the model to ONNX"),
    **dict.fromkeys(("spacy", "gensim", "nltk", "tokenizers"), "save it with its own `to_disk` or `save`"),
    **dict.fromkeys(
        ("shap", "lime", "optuna", "hyperopt", "joblib", "cloudpickle", "dill"), "leave it out of the model"
    ),
}
"""How else to save what is of a known library, by its package."""
_NAMED = compiled_on_use(r"Would load ([^ ,]+)")
_ASKABLE = ("unknown-global", "own-class", "skops-untrusted-type")


def remedy_of(rule: str, reason: str) -> str:
    """Return what to do about a finding: of a name that is not known, what its library offers and a policy's line."""
    remedy, found = REMEDIES.get(rule, ""), _NAMED.match(reason)
    if rule not in _ASKABLE or not found:
        return remedy
    name = found[1]
    other = LIBRARIES.get(name.partition(".")[0])
    if other:
        remedy = f"{other[0].upper()}{other[1:]}."
    if re.fullmatch(PATTERN, name) and not never_trusted(name):
        line = f'"pickles": {{"trusted": ["{name}"]}}'
        remedy += f" If it is harmless with any arguments, a policy admits it: {line} in `artifact`."
    return remedy
