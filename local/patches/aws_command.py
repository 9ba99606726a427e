"""What builds call of the AWS CLI: `aws s3api get-object --bucket NAME --key KEY FILE`.

This file is executed by path, not imported as part of `local`.
https://docs.aws.amazon.com/cli/latest/reference/s3api/get-object.html
"""

import argparse
import sys
from pathlib import Path


def main() -> None:
    """Write the object to FILE, fetched under the credentials in the environment."""
    parser = argparse.ArgumentParser(prog="aws")
    parser.add_argument("service", choices=["s3api"])
    parser.add_argument("operation", choices=["get-object"])
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("file", type=Path)
    asked = parser.parse_args()

    import boto3
    from botocore.exceptions import ClientError

    try:
        answer = boto3.client("s3").get_object(Bucket=asked.bucket, Key=asked.key)
    except ClientError as error:
        sys.exit(str(error))
    asked.file.write_bytes(answer["Body"].read())


if __name__ == "__main__":
    main()
