"""DataProcessing of a transform job: what of each record a model gets, and what of record and answer is kept.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

import csv
import io
import json
from typing import Any

from local.sagemaker.account import Document
from local.sagemaker.json_paths import NotAPath, select
from local.sagemaker.transform_rules import CSV
from local.transforms.records import NotRecords, Record


class DataProcessing:
    """What a job (its description) filters and joins: nothing, unless it says so."""

    def __init__(self, job: Document) -> None:
        self._given = job["DataProcessing"]
        self._kind = job["TransformInput"].get("ContentType", "")
        self._split = job["TransformInput"]["SplitType"]

    def filtered(self, record: Record) -> Record:
        """The part of a record that the model gets. Raises NotRecords."""
        path = self._given["InputFilter"]
        return record if path == "$" else self._written(self._selected(path, self._read(record)))

    def joined(self, records: list[Record], answer: bytes) -> bytes:
        """What is stored of a mini-batch's records and the model's answer. Raises NotRecords if they do not match.

        An answer is read only if it is joined or filtered.
        """
        if self._given["JoinSource"] != "Input" and self._given["OutputFilter"] == "$":
            return answer
        answers = [answer] if self._split == "None" else answer.strip(b"\n").split(b"\n")
        if len(answers) != len(records):
            raise NotRecords(f"the model answered {len(records)} records with {len(answers)}")
        pairs = zip(records, answers, strict=True)
        lines = [self._written(self._kept(self._read(record), self._read(each))) for record, each in pairs]
        return b"\n".join(lines)

    def _kept(self, record: Any, answer: Any) -> Any:
        return self._selected(
            self._given["OutputFilter"], self._both(record, answer) if self._given["JoinSource"] == "Input" else answer
        )

    def _both(self, record: Any, answer: Any) -> Any:
        if self._kind == CSV:
            return [*record, *answer]
        return (record if isinstance(record, dict) else {"SageMakerInput": record}) | {"SageMakerOutput": answer}

    def _selected(self, path: str, value: Any) -> Any:
        try:
            return select(path, value)
        except NotAPath as fault:
            raise NotRecords(str(fault)) from fault

    def _read(self, record: Record) -> Any:
        try:
            text = record.decode()
            if self._kind != CSV:
                return json.loads(text)
            (row,) = csv.reader([text], strict=True)
        except (ValueError, csv.Error) as fault:
            raise NotRecords(f"a record is not {self._kind}: {fault}") from fault
        return row

    def _written(self, value: Any) -> Record:
        if self._kind != CSV:
            return json.dumps(value).encode()
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return line.getvalue().encode()
