"""The topics of notifications: one for each stage, on which only Announce may publish."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.settings import STAGES, Subscriber

_PROTOCOLS = {
    "email": sns.SubscriptionProtocol.EMAIL,
    "https": sns.SubscriptionProtocol.HTTPS,
    "sqs": sns.SubscriptionProtocol.SQS,
    "lambda": sns.SubscriptionProtocol.LAMBDA,
}


class NotificationTopics(Construct):
    """The topics and their `subscribers`.

    Without a customer's key they use alias/aws/sns. Its policy lets all of the account's principals that may publish
    use it through SNS, which is enough for a function's role; AWS services could not publish, and none does. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey | None, subscribers: Sequence[Subscriber]
    ) -> None:
        super().__init__(scope, construct_id)
        key = key or kms.Alias.from_alias_name(self, "ManagedKey", "alias/aws/sns")
        self.topics = {stage: self._topic(stage, key) for stage in STAGES}
        for number, subscriber in enumerate(subscribers):
            # The queue's or function's own policy must allow the topic; this stack cannot change it.
            sns.Subscription(
                self,
                f"Subscriber{number}",
                topic=self.topics[subscriber.stage],
                protocol=_PROTOCOLS[subscriber.protocol],
                endpoint=subscriber.endpoint,
            )

    def _topic(self, stage: str, key: kms.IKey) -> sns.Topic:
        return sns.Topic(
            self, f"{stage.title()}Topic", display_name=f"Signoff {stage}", master_key=key, enforce_ssl=True
        )

    @property
    def arns(self) -> list[str]:
        """The ARNs of the topics."""
        return [topic.topic_arn for topic in self.topics.values()]

    @property
    def environment(self) -> dict[str, str]:
        """Announce's environment variables for the topics."""
        return {f"SIGNOFF_TOPIC_{stage.upper()}": topic.topic_arn for stage, topic in self.topics.items()}

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs with the topics to subscribe to."""
        return {f"{stage.title()}TopicArn": topic.topic_arn for stage, topic in self.topics.items()}

    def protect(self, *, announcer: iam.IRole) -> None:
        """Deny publishing to everyone but `announcer`: people trust messages from Signoff."""
        for topic in self.topics.values():
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="OnlyAnnouncePublishes",
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions={"ArnNotEquals": {"aws:PrincipalArn": announcer.role_arn}},
                )
            )
