"""docs/scale.md prices no less than the stack has."""

from tests.support.scale_page import PARTS


def test_at_rest_no_more_is_paid_for_than_is_priced(template, central):
    for each in (template, central):
        assert len(each.of_type("AWS::CloudWatch::Alarm")) <= PARTS["alarms"]
        assert not each.of_type("AWS::CloudWatch::Dashboard")
        sources = [one["EventSourceArn"] for one in each.of_type("AWS::Lambda::EventSourceMapping").values()]
        assert sum(":sqs:" in source for source in sources) == PARTS["queues"]
