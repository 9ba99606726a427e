"""The SNS topics for notifications, one for each stage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from signoff.ledger.entries import Stage
from signoff.notification.message_format import Notification


class Topics:
    """The topics of the stages, by their ARNs."""

    def __init__(self, sns: Any, arns: Mapping[Stage, str]) -> None:
        self._sns = sns
        self._arns = arns

    def publish(self, notification: Notification) -> None:
        """Publish `notification` on its stage's topic: the document for chat to HTTPS subscribers, the text to others.

        Amazon Q Developer in chat applications subscribes by HTTPS, and takes its document as the whole message.
        """
        message = {"default": notification.text, "https": json.dumps(notification.chat, ensure_ascii=False)}
        self._sns.publish(
            TopicArn=self._arns[notification.stage],
            Subject=notification.subject,
            Message=json.dumps(message, ensure_ascii=False),
            MessageStructure="json",
            MessageAttributes={name: _attribute(name, value) for name, value in notification.attributes.items()},
        )


def _attribute(name: str, value: str) -> dict[str, str]:
    # A number can be filtered by ranges: https://docs.aws.amazon.com/sns/latest/dg/numeric-value-matching.html
    return {"DataType": "Number" if name == "version" else "String", "StringValue": value}
