"""A transform job runs to its end: its records are sent to its containers, and it says what came of that."""

from collections.abc import Mapping
from typing import Any

import pytest

from local.sagemaker.account import TransformJob
from local.transforms import run
from local.transforms.container import BadAnswer
from local.transforms.objects import Unreadable
from local.transforms.run import Transform

HEADERS = {"Content-Type": "text/csv", "Accept": "application/json"}


class FakeContainer:
    """A container that answers each request with `answers` in turn, or refuses it with a status."""

    def __init__(self, *answers: bytes | int, content_type: str = "application/json") -> None:
        self.answers, self.content_type = list(answers), content_type
        self.asked: list[tuple[bytes, dict[str, str], float]] = []

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[bytes, str]:
        self.asked.append((body, dict(headers), timeout))
        answer = self.answers.pop(0)
        if isinstance(answer, int):
            raise BadAnswer(answer, b"no")
        return answer, self.content_type


class FakeObjects:
    """Objects of which none can be read."""

    def extract(self, url: str, folder: Any) -> None:
        raise Unreadable(f"ClientError: Could not read {url}")


def description(**more: Any) -> dict[str, Any]:
    return {
        "TransformJobStatus": "InProgress",
        "TransformInput": {"ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"Accept": "application/json", "AssembleWith": "Line", "S3OutputPath": "s3://data/out"},
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"},
        **more,
    }


def output(content: bytes, *containers: Any, **more: Any) -> bytes:
    return Transform(description(**more), containers, lambda line: None).output("s3://data/in", content)


def test_records_are_sent_as_one_mini_batch_where_they_fit() -> None:
    container = FakeContainer(b"[1, 2]")

    assert output(b"a\nb\n", container) == b"[1, 2]\n"
    assert container.asked == [(b"a\nb", HEADERS, 600)]


def test_records_are_sent_one_by_one_where_that_is_asked_for() -> None:
    container = FakeContainer(b"1", b"2")

    assert output(b"a\nb\n", container, BatchStrategy="SingleRecord") == b"1\n2\n"
    assert [body for body, _, _ in container.asked] == [b"a", b"b"]


def test_each_container_is_asked_with_the_answer_of_the_one_before() -> None:
    first, second = FakeContainer(b"scaled", content_type="application/x-npy"), FakeContainer(b"scored")

    assert output(b"a", first, second) == b"scored\n"
    assert second.asked == [(b"scaled", {**HEADERS, "Content-Type": "application/x-npy"}, 600)]


def test_a_job_may_say_neither_what_it_sends_nor_what_it_accepts() -> None:
    container = FakeContainer(b"1")
    result = {"Accept": "", "AssembleWith": "None"}

    output(b"a", container, TransformInput={"SplitType": "None"}, TransformOutput=result)

    assert container.asked == [(b"a", {}, 600)]


def test_a_container_that_fails_is_asked_again() -> None:
    container = FakeContainer(500, 0, b"1")

    assert output(b"a", container, ModelClientConfig={"InvocationsTimeoutInSeconds": 5}) == b"1\n"
    assert [timeout for _, _, timeout in container.asked] == [5, 5, 5]


@pytest.mark.parametrize(("status", "asked"), [(500, 2), (415, 1)])
def test_a_container_that_goes_on_failing_is_not_asked_for_ever(status: int, asked: int) -> None:
    container = FakeContainer(*[status] * 9)

    with pytest.raises(BadAnswer):
        output(b"a", container, ModelClientConfig={"InvocationsMaxRetries": 1})
    assert len(container.asked) == asked


def test_a_container_gets_and_the_output_has_what_the_filters_select() -> None:
    container = FakeContainer(b"0.1\n0.9\n", content_type="text/csv")
    result = {"Accept": "text/csv", "AssembleWith": "Line"}
    join = {"InputFilter": "$[1:]", "OutputFilter": "$[0,-1]", "JoinSource": "Input"}

    found = output(b"7,a\n8,b\n", container, TransformOutput=result, DataProcessing=join)

    assert (found, container.asked[0][0]) == (b"7,0.1\n8,0.9\n", b"a\nb")


def job(*containers: dict[str, Any], **more: Any) -> TransformJob:
    return TransformJob(description(**more), list(containers), "role", lambda: 1.0)


def ended(job: TransformJob) -> tuple[str, str]:
    lines: list[str] = []
    run.run(job, FakeObjects(), lines.append)  # type: ignore[arg-type]
    return job.status, job.described.get("FailureReason", "")


def test_a_job_whose_model_cannot_be_read_fails() -> None:
    failed = ended(job({"Image": "i", "ModelDataUrl": "s3://data/model.tar.gz"}))

    assert failed == ("Failed", "ClientError: Could not read s3://data/model.tar.gz")


def test_a_job_whose_image_has_no_server_fails_as_one_that_is_not_answered() -> None:
    status, reason = ended(job({"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/other:1"}))

    assert status == "Failed"
    assert reason.startswith("AlgorithmError: Model container failed to respond to ping.")


def test_a_job_that_was_stopped_before_it_began_runs_nothing() -> None:
    assert ended(job({"Image": "none"}, TransformJobStatus="Stopping")) == ("Stopped", "")


def test_a_job_ends_whatever_happens() -> None:
    status, reason = ended(job({"Image": None}))

    assert (status, reason[:20]) == ("Failed", "InternalServerError:")
