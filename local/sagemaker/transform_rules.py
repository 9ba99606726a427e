"""The API's rules on a transform job: what it may ask of a model and of data, and how records and formats go together.

The rules are those of the API reference (CreateTransformJob, TransformInput, TransformS3DataSource, DataProcessing) and
of SageMaker's guide, "Associate Prediction Results with Input Records"; the rule on a model's data is what
CreateTransformJob was seen to answer (https://github.com/aws/sagemaker-python-sdk/issues/4777).
"""

from local.sagemaker.account import Document, RequestRefused
from local.sagemaker.json_paths import NotAPath, parse

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
_MOST_MEGABYTES = 100
_DATA_TYPES = ("S3Prefix", "ManifestFile")
_FORMATS = {CSV: "Line", JSON: "None", JSON_LINES: "Line"}  # the records of what a job can filter and join


def check_request(request: Document) -> None:
    """Raise RequestRefused when a CreateTransformJob request contradicts itself or asks for what there is not."""
    _check_payload(request)
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] not in _DATA_TYPES:
        raise RequestRefused(f"S3DataType {source['S3DataType']} is not supported for transform jobs")
    if request["TransformInput"].get("SplitType") == "TFRecord":
        raise RequestRefused("SplitType TFRecord is not available in the local engine")
    if processes(request):
        _check_processing(request)


def check_model(containers: list[Document]) -> None:
    """Raise RequestRefused when batch transform cannot load what one of a model's containers loads."""
    for container in containers:
        if container.get("Mode") == "MultiModel":
            raise RequestRefused("SageMaker Batch doesn't support containers in MultiModel mode")
        for field in ("ModelDataSource", "AdditionalModelDataSources"):
            if container.get(field):
                raise RequestRefused(
                    "SageMaker Batch currently doesn't support Model entity with container definitions "
                    f"which use {field} attribute"
                )


def processes(request: Document) -> bool:
    """Whether a job filters or joins: its DataProcessing says something else than the defaults."""
    given = request.get("DataProcessing") or {}
    filters = [given.get(name) or "$" for name in ("InputFilter", "OutputFilter")]
    return filters != ["$", "$"] or given.get("JoinSource", "None") != "None"


def _check_payload(request: Document) -> None:
    payload, concurrent = request.get("MaxPayloadInMB"), request.get("MaxConcurrentTransforms")
    if payload is None:
        return
    if payload * max(concurrent or 1, 1) > _MOST_MEGABYTES:
        raise RequestRefused(
            f"MaxConcurrentTransforms * MaxPayloadInMB must not exceed {_MOST_MEGABYTES} MB, and it is "
            f"{concurrent or 1} * {payload}"
        )


def _check_processing(request: Document) -> None:
    given, output = request["TransformInput"], request["TransformOutput"]
    formats = {given.get("ContentType"), output.get("Accept")}
    if len(formats) > 1 or not formats <= set(_FORMATS):
        raise RequestRefused(f"DataProcessing needs ContentType and Accept to be one of {', '.join(sorted(_FORMATS))}")
    kind = formats.pop()
    split, assemble = given.get("SplitType", "None"), output.get("AssembleWith", "None")
    if kind == CSV and (split, assemble) != ("Line", "Line"):
        raise RequestRefused("DataProcessing of text/csv needs SplitType and AssembleWith to be Line")
    if split != assemble:
        raise RequestRefused("DataProcessing needs the same SplitType and AssembleWith")
    for name in ("InputFilter", "OutputFilter"):
        try:
            parse((request["DataProcessing"].get(name)) or "$")
        except NotAPath as fault:
            raise RequestRefused(f"DataProcessing.{name}: {fault}") from fault
