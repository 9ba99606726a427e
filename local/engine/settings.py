"""What an engine is started with."""

import tempfile
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from local.engine import users
from local.patches import quotas


class EngineSettings(Struct, frozen=True):
    """Where an engine listens, as which account, and how strict it is; `accounts` are others whose users it knows.

    port 0 is any free port; `auth` checks signatures and evaluates IAM policies; `wait_scale` scales the seconds
    that state machines wait and retry; `faults` is a file that collects requests which break a service's model,
    `role_use` one that collects what each role used of what its policies allow, and `quotas` one that the quotas in
    force are read from.
    """

    host: str = "127.0.0.1"
    port: int = 0
    auth: bool = False
    account: str = users.ACCOUNT
    accounts: tuple[str, ...] = ()
    region: str = users.REGION
    wait_scale: float = 1.0
    log: str = ""
    faults: str = ""
    quotas: str = ""
    role_use: str = ""

    # The caller's own AWS settings must not leak into the emulator, nor from there into its functions.
    UNWANTED: ClassVar[tuple[str, ...]] = (
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SESSION_TOKEN",
        "MOTO_ACCOUNT_ID",
        "SERVICES",
    )

    def emulator(self, port: int) -> dict[str, str]:
        """The emulator's environment, listening on `port`."""
        access_key_id, secret = users.keys(None, self.account)
        return {
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_REGION": self.region,
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AUTH": "true" if self.auth else "false",
            "SFN_WAIT_SCALE": str(self.wait_scale),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "LOG_LEVEL": "WARNING",
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            "S3_DATA_DIR": str(Path(tempfile.gettempdir()) / f"signoff-local-{port}"),
            "SIGNOFF_REQUEST_FAULTS": self.faults,
            quotas.FILE: self.quotas,
            "SIGNOFF_ROLE_USE": self.role_use,
        }
