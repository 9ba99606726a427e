"""What the command says of models in other accounts and regions."""

import io
from typing import Any

from signoff.report.document import document as document_of
from signoff.report.sentences import describe_entry
from signoff_cli.output import console
from signoff_cli.output.package_page import print_package
from signoff_cli.packages.progress import is_settled
from tests.support.world import ROLE, World

PLACE = "222222222222/eu-west-1"
TARGET = {"account": "222222222222", "region": "eu-west-1", "execution_role": ROLE}


def approved(*, closed: bool = False) -> tuple[World, str]:
    """A world with an approved package and a target, which lets nobody in when it is `closed`."""
    world = World(deployment={"execution_role": ROLE, "targets": [TARGET]})
    if closed:
        world.places.closed.add(PLACE)
    return world, world.approved()


def page(world: World, arn: str) -> str:
    history = world.history(arn)
    told = io.StringIO()
    document: dict[str, Any] = {**document_of(history), "champion": None}
    print_package(history, document, console.console(told))
    return told.getvalue()


def test_show_names_the_model_of_each_place():
    world, arn = approved()
    model = world.state(arn).targets[PLACE].model
    assert f"elsewhere     {PLACE}: {model['arn']}" in page(world, arn)
    assert document_of(world.history(arn))["elsewhere"] == {
        PLACE: {"model": model, "retirement_blocked_by": [], "failed": None}
    }


def test_show_says_why_a_place_has_no_model():
    world, arn = approved(closed=True)
    assert f"elsewhere     {PLACE}: the role of {PLACE} cannot be assumed" in page(world, arn)


def test_show_names_the_endpoints_that_keep_a_model():
    world, arn = approved()
    world.places.of(PLACE).endpoints["live"] = {world.state(arn).model["name"]}
    world.decide(arn, "revoke")
    world.deliver()
    assert "in use by live" in page(world, arn)


def test_each_entry_about_another_place_names_it():
    world, arn = approved()
    world.decide(arn, "revoke")
    world.deliver()
    told = [describe_entry(entry) for entry in world.history(arn).entries]
    name = next(e.details["model"]["name"] for e in world.history(arn).entries if e.kind == "ModelCreated")
    assert f"model {name} created in {PLACE}" in told
    assert f"model {name} retired in {PLACE}" in told
    failed, arn = approved(closed=True)
    assert describe_entry(failed.history(arn).entries[-1]).startswith(
        f"its model in {PLACE} is not up to date yet: the role"
    )


def test_a_package_with_a_place_that_somebody_must_mend_has_settled():
    world, arn = approved(closed=True)
    assert is_settled(world.state(arn))
    assert world.state(arn).next_step == "create_model"
