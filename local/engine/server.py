"""The engine's own process: MiniStack with SageMaker plugged in and patched, served on one port.

Started by `python -m local.engine.process`; nothing else imports this module, for it imports the emulator.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from local.engine.settings import EngineSettings

# With policies evaluated, only Signoff and the stack's own policies restrict these users.
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def serve(settings: EngineSettings) -> None:
    """Serve until stdin closes or a signal says stop; prints one JSON line when the port answers."""
    listener = _listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    _configure(settings, port)
    from hypercorn.asyncio import serve as serve_asgi
    from hypercorn.config import Config
    from ministack import app

    app.BANNER = "{port}"
    plug_in()
    for account in (settings.account, *settings.accounts):
        create_users(account, settings.region)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    config.graceful_timeout = 0.2
    asyncio.run(_run(serve_asgi, app.app, config, port))
    _end_everything()


def plug_in() -> None:
    """Plug SageMaker into the emulator and patch it."""
    from ministack import app
    from ministack.core import router

    from local.patches import (
        access,
        accounts,
        actions,
        cloudformation,
        codebuild,
        endpoint_configurations,
        functions,
        image_scans,
        images,
        model_data,
        projects,
        queues,
        quotas,
        role_use,
        s3,
        sagemaker_resources,
        service_roles,
        states,
        streams,
        transform_jobs,
    )
    from local.sagemaker.api import SageMakerApi

    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "host_patterns": [r"api\.sagemaker\."],
    }
    rules = projects.plug_in()
    sagemaker = SageMakerApi(
        access.identify,
        publish,
        authorize=access.authorize,
        holds=model_data.holds,
        pulls=images.pulls,
        finds=model_data.finds,
        transforms=transform_jobs.start,
        rules=rules,
    )
    app.SERVICE_HANDLERS["sagemaker"] = sagemaker.handle
    for types in (sagemaker_resources, endpoint_configurations):
        types.install(lambda action, request: sagemaker.ask(action, request, *access.whose_stack()))
    changed = (access, cloudformation, codebuild, functions, images, image_scans, s3, accounts, states, streams)
    for patch in (*changed, transform_jobs, queues, quotas, actions, service_roles, role_use):
        patch.install()


def publish(arn: str, detail: dict[str, Any]) -> None:
    """Put a registry event on the default bus of the package's account, as SageMaker does and callers cannot."""
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    entry = {
        "Source": "aws.sagemaker",
        "DetailType": "SageMaker Model Package State Change",
        "Detail": json.dumps(detail),
        "Resources": [arn],
    }
    region, account = arn.split(":")[3:5]
    with request_scope(account, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def create_users(account: str, region: str) -> None:
    """Create the engine's IAM users with the keys that `local.engine.users` derives from their names."""
    from ministack.core.responses import request_scope
    from ministack.services import iam

    from local.engine.users import USERS, keys

    with request_scope(account, region):
        for name in USERS:
            iam._create_user({"UserName": [name]})
            iam._put_user_policy(
                {"UserName": [name], "PolicyName": ["everything"], "PolicyDocument": [json.dumps(_EVERYTHING)]}
            )
            iam._create_access_key({"UserName": [name]})
            issued = next(key for key, record in iam._access_keys.items() if record["UserName"] == name)
            chosen = keys(name, account)
            iam._access_keys[chosen.access_key_id] = iam._access_keys.pop(issued) | {
                "AccessKeyId": chosen.access_key_id,
                "SecretAccessKey": chosen.secret_access_key,
            }


async def _run(serve_asgi: Any, app: Any, config: Any, port: int) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_stop_at_end_of_input, args=(loop, stop), daemon=True).start()
    print(json.dumps({"port": port, "pid": os.getpid()}), flush=True)  # noqa: T201 - the parent waits for it
    await serve_asgi(app, config, shutdown_trigger=stop.wait)


def _stop_at_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # The parent holds the other end, so the engine never outlives it.
    while sys.stdin.buffer.read(1):
        pass
    loop.call_soon_threadsafe(stop.set)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(256)
    return listener


def _configure(settings: EngineSettings, port: int) -> None:
    os.environ.update(settings.emulator(port))
    for name in [name for name in os.environ if name in settings.UNWANTED]:
        del os.environ[name]
    # The emulator's threads log to stderr, which the parent redirects to a file.
    Path(os.environ["S3_DATA_DIR"]).mkdir(parents=True, exist_ok=True)


def _end_everything() -> None:
    """End the functions' processes, the builds', and then this one, whatever its threads still wait for."""
    from ministack.core import lambda_runtime

    from local.patches import codebuild

    lambda_runtime.reset()
    codebuild.end_all()
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
    shutil.rmtree(os.environ["S3_DATA_DIR"], ignore_errors=True)
    sys.stderr.flush()
    os._exit(0)
