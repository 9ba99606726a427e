"""ECR: basic scans of images. No image of the engine has content: what is found stands in its manifest's annotations.

An image is scanned when somebody starts it (StartImageScan), or when it is pushed to a repository with `scanOnPush`. No
image is signed: there is no signing configuration.
"""

import json
import time
from collections.abc import Callable
from typing import Any

Request = dict[str, Any]
# The annotation of an image's manifest with its findings, a JSON list of what ECR calls ImageScanFinding.
FINDINGS = "signoff.local/findings"
_INDEX = "application/vnd.oci.image.index.v1+json"
_PAGE = 100  # findings of an answer, unless the request says otherwise


def install() -> None:
    """Patch ECR in the running emulator."""
    from ministack import app
    from ministack.core.responses import AccountRegionScopedDict

    registry = _Scans(AccountRegionScopedDict())
    app.SERVICE_HANDLERS["ecr"] = registry.before(app.SERVICE_HANDLERS["ecr"])


class _Scans:
    """When each image was scanned, by repository and digest."""

    def __init__(self, ended: Any) -> None:
        self._ended = ended

    def before(self, handle: Callable[..., Any]) -> Callable[..., Any]:
        """Return what answers the requests about scans, and has `handle` answer all others."""
        own = {
            "StartImageScan": self._start,
            "DescribeImageScanFindings": self._describe,
            "DescribeImageSigningStatus": self._signatures,
        }

        async def handle_request(method: str, path: str, headers: dict[str, str], body: Any, query: Any) -> Any:
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            if action in own:
                return _of_its_registry(own[action], json.loads(body))
            answer = await handle(method, path, headers, body, query)
            if action == "PutImage" and answer[0] == 200:
                self._pushed(json.loads(body), json.loads(answer[2]))
            return answer

        return handle_request

    def _pushed(self, request: Request, answer: Request) -> None:
        from ministack.services import ecr

        name, image = request["repositoryName"], answer["image"]
        on_push = ecr._repositories[name].get("imageScanningConfiguration", {}).get("scanOnPush")
        if on_push and image.get("imageManifestMediaType") != _INDEX:
            self._scanned(name, image["imageId"]["imageDigest"])

    def _scanned(self, repository: str, digest: str) -> None:
        self._ended[repository] = {**self._ended.get(repository, {}), digest: int(time.time())}

    def _start(self, request: Request, image: Request) -> Any:
        if image.get("imageManifestMediaType") == _INDEX:
            message = f"An artifact with media type '{_INDEX}' cannot be scanned."
            return _refused("UnsupportedImageTypeException", message)
        self._scanned(request["repositoryName"], image["imageDigest"])
        return _answer(request, image, imageScanStatus={"status": "IN_PROGRESS"})

    def _describe(self, request: Request, image: Request) -> Any:
        digest, name = image["imageDigest"], request["repositoryName"]
        ended = self._ended.get(name, {}).get(digest)
        if ended is None:
            which = f"{{imageDigest:'{digest}', imageTag:'{request['imageId'].get('imageTag', 'null')}'}}"
            message = f"Image scan does not exist for the image with '{which}' in the repository with the name '{name}'"
            return _refused("ScanNotFoundException", message)
        found = _findings(image)
        begin, most = int(request.get("nextToken") or 0), int(request.get("maxResults") or _PAGE)
        more = {"nextToken": str(begin + most)} if begin + most < len(found) else {}
        severities = [finding.get("severity", "UNDEFINED") for finding in found]
        scan = {
            "imageScanCompletedAt": ended,
            "vulnerabilitySourceUpdatedAt": ended,
            "findingSeverityCounts": {each: severities.count(each) for each in severities},
            "findings": found[begin : begin + most],
        }
        status = {"status": "COMPLETE", "description": "The scan was completed successfully."}
        return _answer(request, image, imageScanStatus=status, imageScanFindings=scan, **more)

    def _signatures(self, request: Request, image: Request) -> Any:
        return _answer(request, image, signingStatuses=[])


def _of_its_registry(act: Callable[[Request, Request], Any], request: Request) -> Any:
    """Return the answer to a request about an image, in the registry that it names."""
    from ministack.core.responses import get_account_id, get_region, request_scope
    from ministack.services import ecr

    with request_scope(request.get("registryId") or get_account_id(), get_region()):
        name = request["repositoryName"]
        if name not in ecr._repositories:
            return _refused("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")
        image = ecr._find_image(name, request["imageId"])
        if image is None:
            return _refused("ImageNotFoundException", f"The image with imageId {request['imageId']} does not exist")
        return act(request, image)


def _findings(image: Request) -> list[Request]:
    annotations = json.loads(image["imageManifest"]).get("annotations") or {}
    found: list[Request] = json.loads(annotations.get(FINDINGS, "[]"))
    return found


def _answer(request: Request, image: Request, **said: Any) -> Any:
    from ministack.core.responses import get_account_id, json_response

    which = {"imageId": {"imageDigest": image["imageDigest"]}, "repositoryName": request["repositoryName"]}
    return json_response({"registryId": get_account_id(), **which, **said})


def _refused(code: str, message: str) -> Any:
    from ministack.core.responses import error_response_json

    return error_response_json(code, message, 400)
