"""Which variables make a container fetch code or weights when it starts, and which only look like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.documents.remote_sources import fetches

HARMLESS = [
    ("SAGEMAKER_PROGRAM", "inference.py"),
    ("SAGEMAKER_PROGRAM", "code/inference.py"),
    ("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code"),
    ("SAGEMAKER_SUBMIT_DIRECTORY", "file:///opt/ml/model/code"),
    ("SAGEMAKER_CONTAINER_LOG_LEVEL", "20"),
    ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv"),
    ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json"),
    ("HF_TASK", "text-classification"),
    ("HF_MODEL_ID", "/opt/ml/model"),
    ("HF_MODEL_ID", "./weights"),
    ("HF_MODEL_ID", ""),
    ("HF_MODEL_REVISION", "main"),
    ("OPTION_MODEL_ID", "/opt/ml/model/llama"),
    ("MODEL_NAME", "churn"),
    ("MODEL_NAME", "churn/v2"),
    ("MODEL", "churn"),
    ("TZ", "Europe/Berlin"),
    ("TIME_ZONE", "America/Argentina/Ushuaia"),
    ("TS_JOB_QUEUE_SIZE", "1000"),
    ("TS_LOAD_MODELS", "churn.mar"),
    ("TS_INFERENCE_ADDRESS", "http://0.0.0.0:8080"),
    ("TS_MANAGEMENT_ADDRESS", "http://127.0.0.1:8081/"),
    ("BACKEND", "grpc://localhost:8001"),
    ("BACKEND", "http://[::1]:8001, http://localhost"),
    ("PYTHONPATH", "/opt/ml/code:/opt/ml/lib"),
    ("JAVA_OPTS", "-Xmx2g -Dfile.encoding=UTF-8"),
    ("CONTACT", "team@example.com"),
    ("RATIO", "3/4"),
    ("PIP_FIND_LINKS", "/opt/ml/model/wheels"),
]
FETCHING = [
    ("HF_MODEL_ID", "org/name"),
    ("HF_MODEL_ID", "gpt2"),
    ("HF_MODEL_ID", "bert-base-uncased"),
    ("OPTION_MODEL_ID", "meta-llama/Llama-3.1-8B@main"),
    ("MODEL_ID", "gpt2"),
    ("SM_VLLM_MODEL", "Qwen/Qwen3-8B"),
    ("OPTION_SPECULATIVE_DRAFT_MODEL", "org/draft"),
    ("OPTION_TOKENIZER", "org/tokenizer"),
    ("SAGEMAKER_SUBMIT_DIRECTORY", "s3://bucket/sourcedir.tar.gz"),
    ("HF_MODEL_ID", "s3://bucket/weights/"),
    ("SERVING_LOAD_MODELS", "test::Python=djl://ai.djl.huggingface/gpt2"),
    ("REQUIREMENTS", "git+https://github.com/org/repo@main"),
    ("REQUIREMENTS", "pip install git+ssh://git@github.com/org/repo"),
    ("CODE", "git@github.com:org/repo.git"),
    ("CODE", "clone=git@host:repo"),
    ("PIP_INDEX_URL", "https://packages.example.com/simple"),
    ("PIP_EXTRA_INDEX_URL", "packages.example.com/simple"),
    ("MODEL_SERVER_ARGS", "/opt/ml/model --adapter s3://bucket/adapter"),
    ("WEIGHTS", "HTTPS://EXAMPLE.COM/W"),
    ("CONFIG", '{"weights":["hf://org/name"]}'),
    ("WEIGHTS", "http://localhost@example.com/w"),
    ("WEIGHTS", "http://localhost.example.com/w"),
    ("WEIGHTS", "http://localhost:80@example.com/w"),
    ("WEIGHTS", "http://127.0.0.1/ http://example.com/w"),
    ("WEIGHTS", "file:///opt/x,https://example.com/w"),
]


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_what_stays_in_the_container_fetches_nothing(name: str, value: str):
    assert not fetches(name, value)


@pytest.mark.parametrize(("name", "value"), FETCHING)
def test_what_leads_out_of_the_container_fetches(name: str, value: str):
    assert fetches(name, value)


@given(st.text(max_size=20), st.sampled_from(["s3", "https", "git+ssh", "hf", "ftp"]), st.text("abc.-/", max_size=9))
def test_an_address_is_found_wherever_it_stands_in_a_value(before: str, scheme: str, after: str):
    assert fetches("ANY", f"{before} {scheme}://example.com/{after}")


@given(st.text(max_size=30))
def test_an_identifier_of_a_hub_is_one_whatever_the_case_of_its_variable(value: str):
    assert fetches("hf_model_id", value) == fetches("HF_MODEL_ID", value)
