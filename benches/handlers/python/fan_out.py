"""Fan-out with boto3: for every line of standard input, sends the line to all listeners once, and prints the duration.
One thread posts to one listener after the other; several threads share them through a pool."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config


def main(endpoint, listeners, threads):
    # A connection per thread, and no retries in the client, as in ours.
    config = Config(max_pool_connections=threads, retries={"total_max_attempts": 1})
    client = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        aws_session_token="session-token-of-nobody",
        config=config,
    )
    audience = [f"L0SM9cOF{number:05}cCIhw=" for number in range(listeners)]
    with ThreadPoolExecutor(threads) as pool:
        for line in sys.stdin:
            message = line.rstrip("\n").encode()

            def post(listener):
                try:
                    client.post_to_connection(ConnectionId=listener, Data=message)
                except client.exceptions.GoneException:
                    return False
                return True

            start = time.perf_counter()
            sent = sum(map(post, audience) if threads == 1 else pool.map(post, audience))
            seconds = time.perf_counter() - start
            print(json.dumps({"seconds": seconds, "sent": sent}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
