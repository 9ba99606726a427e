"""What a Lambda worker of the engine finds, and how it reports."""

import json
from pathlib import Path

import pytest

from local.patches.lambda_worker import MARK, BundleFinder, reporting


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = tmp_path / "site-packages"
    for name in ("bundled", "boto3", "elsewhere", "locked"):
        (directory / name).mkdir(parents=True)
        (directory / name / "__init__.py").touch()
    return directory


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    directory = tmp_path / "bundle"
    for name in ("bundled", "own"):
        (directory / name).mkdir(parents=True)
    return directory


def test_what_the_bundle_and_the_environment_have_is_taken_from_the_environment(site: Path, bundle: Path) -> None:
    spec = BundleFinder(bundle, [str(site)]).find_spec("bundled")

    assert spec is not None
    assert spec.origin == str(site / "bundled" / "__init__.py")


def test_what_lambdas_runtime_has_need_not_be_in_the_bundle(site: Path, bundle: Path) -> None:
    assert BundleFinder(bundle, [str(site)]).find_spec("boto3") is not None


def test_what_only_the_environment_has_is_not_found(site: Path, bundle: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="elsewhere"):
        BundleFinder(bundle, [str(site)]).find_spec("elsewhere")


@pytest.mark.parametrize("name", ["own", "json", "bundled.part"])
def test_everything_else_is_left_to_the_ordinary_search(site: Path, bundle: Path, name: str) -> None:
    assert BundleFinder(bundle, [str(site)]).find_spec(name) is None


def test_a_bundle_of_sources_alone_is_lent_what_is_locked(site: Path, bundle: Path) -> None:
    assert BundleFinder(bundle, [str(site)], ["locked"]).find_spec("locked") is not None


def test_a_whole_bundle_is_lent_nothing(site: Path, bundle: Path) -> None:
    finder = BundleFinder(bundle, [str(site)], ["locked", "bundled"])

    with pytest.raises(ModuleNotFoundError, match="locked"):
        finder.find_spec("locked")


def test_an_exceptions_class_and_text_are_in_the_report() -> None:
    class Picky(Exception):
        pass

    def handler(event: object, context: object) -> None:
        raise Picky("not that one")

    with pytest.raises(RuntimeError) as caught:
        reporting(handler)({}, None)

    report = json.loads(str(caught.value).removeprefix(MARK))
    assert (report["errorType"], report["errorMessage"]) == ("Picky", "not that one")


def test_what_a_handler_returns_is_returned() -> None:
    assert reporting(lambda event, context: event["a"])({"a": 1}, None) == 1
