"""ETags in a manifest: checked against what was uploaded, and then said of the vault's copies."""

from typing import Any

import pytest

from signoff.model_package import etags
from tests.support.manifests import IMAGE, found, with_container, with_source

ETAG = {"model.tar.gz": "a1", "code.tar.gz": "b2", "manifest.jsonl": "c3"}
S3 = "ModelDataSource.S3DataSource"
HUB = {"S3Uri": "s3://hub/model/", "HubAccessConfig": {"HubContentArn": "arn:aws:sagemaker:..."}, "ETag": "whatever"}


def faults(document: dict[str, Any]) -> dict[str, str]:
    return {fault.path: fault.message for fault in etags.faults(document, ETAG.__getitem__)}


def in_a_container(**fields: Any) -> dict[str, Any]:
    return {"InferenceSpecification": {"Containers": [fields]}}


DOCUMENTS = [
    ("ModelDataETag", with_container(ModelDataETag="{}")),
    (f"{S3}.ETag", with_source(ETag="{}")),
    ("AdditionalS3DataSource.ETag",
     with_container(AdditionalS3DataSource={"S3Uri": "model.tar.gz", "S3DataType": "S3Object", "ETag": "{}"})),
    ("AdditionalModelDataSources[0].S3DataSource.ETag",
     with_container(AdditionalModelDataSources=[
         {"ChannelName": "a", "S3DataSource": {"S3Uri": "model.tar.gz", "ETag": "{}"}}])),
]  # fmt: skip


def said(document: Any, etag: str) -> Any:
    if isinstance(document, dict):
        return {field: said(value, etag) for field, value in document.items()}
    if isinstance(document, list):
        return [said(value, etag) for value in document]
    return document.format(etag) if isinstance(document, str) else document


@pytest.mark.parametrize(("path", "document"), DOCUMENTS, ids=[path for path, _ in DOCUMENTS])
def test_an_etag_is_that_of_its_object_or_a_fault_by_its_path(path: str, document: dict[str, Any]):
    whole = f"InferenceSpecification.Containers[0].{path}"
    assert faults(said(document, "a1")) == {}
    assert "which is a1" in faults(said(document, "b2"))[whole]


@pytest.mark.parametrize(("path", "document"), DOCUMENTS, ids=[path for path, _ in DOCUMENTS])
def test_quotes_make_no_difference_and_stay(path: str, document: dict[str, Any]):
    quoted = said(document, '"a1"')
    assert faults(quoted) == {}
    assert etags.replaced(quoted, lambda _: "copy-1") == said(document, '"copy-1"'), path
    assert etags.replaced(said(document, "a1"), lambda _: "copy-1") == said(document, "copy-1"), path


def test_the_manifest_given_is_not_changed():
    document = with_container(ModelDataETag="a1")
    etags.replaced(document, lambda _: "copy-1")
    assert document == with_container(ModelDataETag="a1")


def test_hub_content_keeps_the_etag_it_has():
    document = in_a_container(Image=IMAGE, ModelDataSource={"S3DataSource": HUB})
    assert faults(document) == {}
    assert etags.replaced(document, lambda _: "copy-1") == document


def test_a_manifest_file_beside_hub_content_is_checked_and_replaced_all_the_same():
    source = {**HUB, "ManifestS3Uri": "manifest.jsonl", "ManifestEtag": "b2"}
    document = in_a_container(Image=IMAGE, ModelDataSource={"S3DataSource": source})
    assert set(faults(document)) == {f"InferenceSpecification.Containers[0].{S3}.ManifestEtag"}
    replaced = etags.replaced(document, lambda _: "copy-1")["InferenceSpecification"]["Containers"][0]
    assert replaced["ModelDataSource"]["S3DataSource"] == {**source, "ManifestEtag": "copy-1"}


def test_an_etag_of_nothing_or_of_a_prefix_is_refused_before_anything_is_looked_up():
    container = {"Image": IMAGE, "ModelDataETag": "a1"}
    prefix = with_source(S3Uri="model/", S3DataType="S3Prefix", CompressionType="None", ETag="a1")
    where = "InferenceSpecification.Containers[0]"
    assert "missing beside it" in found(in_a_container(**container))[f"{where}.ModelDataETag"]
    assert "is a prefix" in found(prefix)[f"{where}.{S3}.ETag"]
