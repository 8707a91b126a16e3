#!/usr/bin/env python3
"""Signs every shape of request that Quarry sends with botocore, as an oracle for Tests/AWSSigningTests.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install botocore
    /tmp/venv/bin/python scripts/generate-sigv4-expectations.py > Tests/AWSSigningTests/Vectors/botocore.json
"""

import datetime
import json
import sys
from unittest import mock
from urllib.parse import quote, urlsplit

import botocore
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 2, 28, 23, 59, 7, tzinfo=datetime.timezone.utc)
ARN = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-3-haiku-20240307-v1:0"
JSON = {"Content-Type": "application/json"}


def segments(*parts):
    return "/" + "/".join(quote(part, safe="-_.~") for part in parts)


SHAPES = [
    # name, service, method, host, path as sent, query, headers, body
    ("bedrock titan", "bedrock", "POST", "bedrock-runtime.eu-central-1.amazonaws.com",
     segments("model", "amazon.titan-embed-text-v2:0", "invoke"), [], JSON, '{"inputText":"Überblick"}'),
    ("bedrock converse by ARN", "bedrock", "POST", "bedrock-runtime.eu-central-1.amazonaws.com",
     segments("model", ARN, "converse-stream"), [], JSON, "{}"),
    ("sagemaker", "sagemaker", "POST", "runtime.sagemaker.us-east-1.amazonaws.com",
     segments("endpoints", "my-endpoint", "invocations"), [],
     {"Content-Type": "application/json", "X-Amzn-SageMaker-Custom-Attributes": "accept_eula=true"}, "{}"),
    ("s3 get", "s3", "GET", "bucket.s3.eu-central-1.amazonaws.com",
     "/" + quote("a folder/Überblick (1)+2=3~.pdf", safe="/-_.~"), [], {"Range": "bytes=0-1023"}, ""),
    ("s3 dots", "s3", "GET", "s3.eu-central-1.amazonaws.com", "/bucket/a/../b//c/./d", [], {}, ""),
    ("s3 list", "s3", "GET", "bucket.s3.eu-central-1.amazonaws.com", "/",
     [("list-type", "2"), ("prefix", "a b/ü+&="), ("continuation-token", "1//x+y=="), ("encoding-type", "url")],
     {}, ""),
    ("s3 put", "s3", "PUT", "bucket.s3.eu-central-1.amazonaws.com", "/events/v1/2026/02/28/23/x.jsonl.gz", [],
     {"Content-Type": "application/gzip"}, "bytes"),
    ("s3 multipart", "s3", "POST", "bucket.s3.eu-central-1.amazonaws.com", "/k", [("uploads", "")], {}, ""),
    ("s3 port", "s3", "GET", "localhost:9000", "/bucket/key", [("versionId", "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY")],
     {"x-amz-request-payer": "requester"}, ""),
    ("sqs", "sqs", "POST", "sqs.us-east-1.amazonaws.com", "/", [],
     {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ReceiveMessage"}, '{"QueueUrl":"q"}'),
    ("firehose", "firehose", "POST", "firehose.us-east-1.amazonaws.com", "/", [],
     {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Firehose_20150804.PutRecordBatch"}, "{}"),
    ("cloudwatch", "monitoring", "POST", "monitoring.us-east-1.amazonaws.com", "/", [],
     {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
     "Action=PutMetricData&Namespace=rag&Version=2010-08-01"),
    ("sts", "sts", "POST", "sts.eu-west-1.amazonaws.com", "/", [],
     {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, "Action=GetCallerIdentity&Version=2011-06-15"),
    ("es bulk", "es", "POST", "search-d.eu-central-1.es.amazonaws.com", "/quarry-chunks%2A/_bulk",
     [("refresh", "wait_for"), ("filter_path", "items.*.error,errors")],
     {"Content-Type": "application/x-ndjson"}, '{"index":{}}\n{}\n'),
    ("es refresh of several", "es", "POST", "search-d.eu-central-1.es.amazonaws.com",
     "/quarry-chunks-0a-1%2Cquarry-pages/_refresh", [], {}, ""),
    ("es conditional write", "es", "PUT", "search-d.eu-central-1.es.amazonaws.com", "/quarry-control/_doc/state",
     [("if_seq_no", "7"), ("if_primary_term", "1")], JSON, '{"record":{}}'),
    ("aoss search", "aoss", "POST", "abc.eu-central-1.aoss.amazonaws.com", "/quarry/_search", [], JSON, '{"size":5}'),
    ("header spaces", "es", "GET", "h.example.com", "/", [], {"X-Note": "  a   b  "}, ""),
]


def credentials(token):
    return Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)


def sign(shape, token):
    name, service, method, host, path, query, headers, body = shape
    # As botocore's own serializer gives it: the query encoded, in the order of the parameters.
    text = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in query)
    url = f"https://{host}{path}" + ("?" + text if text else "")
    request = AWSRequest(method=method, url=url, headers=dict(headers), data=body.encode())
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    if service == "s3":
        request.context["client_config"] = None
        request.context["payload_signing_enabled"] = True
    auth = kind(credentials(token), service, "eu-central-1")
    if service == "aoss":
        request.headers["X-Amz-Content-Sha256"] = auth.payload(request)
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        auth.add_auth(request)
    return {
        "name": name + (" with token" if token else ""), "service": service, "method": method, "host": host,
        "path": path, "query": query, "headers": list(headers.items()), "body": body, "token": token,
        "authorization": request.headers["Authorization"],
    }


def presign(token):
    url = "https://bucket.s3.eu-central-1.amazonaws.com/a%20b.pdf?versionId=1%2F2"
    request = AWSRequest(method="GET", url=url)
    auth = botocore.auth.S3SigV4QueryAuth(credentials(token), "s3", "eu-central-1", expires=900)
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        auth.add_auth(request)
    return {"token": token, "url": request.url}


out = {
    "botocore": botocore.__version__,
    "time": NOW.timestamp(),
    "requests": [sign(shape, token) for shape in SHAPES for token in (None, "FQoG/+token==")],
    "presigned": [presign(None), presign("FQoG/+token==")],
}
json.dump(out, sys.stdout, indent=1, ensure_ascii=False)
print()
