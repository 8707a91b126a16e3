#!/usr/bin/env python3
"""Packs the published Signature Version 4 test suite into one JSON file for Tests/AWSSigningTests.

    pip download --no-deps --no-binary :all: botocore && tar xzf botocore-*.tar.gz
    scripts/generate-sigv4-vectors.py botocore-*/tests/unit/auth/aws4_testsuite Tests/AWSSigningTests/Vectors/aws4.json

Only `.req`, `.creq`, `.sts` and `.authz` are taken: one `.sreq` of the suite is wrong.
"""

import json
import pathlib
import sys

root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
vectors = []
for request in sorted(root.rglob("*.req")):
    entry = {"name": str(request.parent.relative_to(root))}
    for kind, key in (("req", "request"), ("creq", "canonical"), ("sts", "stringToSign"), ("authz", "authorization")):
        text = request.with_suffix("." + kind).read_text(encoding="utf-8").replace("\r\n", "\n")
        entry[key] = text if kind == "req" else text.rstrip("\n") if kind == "authz" else text
    token = [l for l in entry["canonical"].split("\n") if l.startswith("x-amz-security-token:")]
    entry["token"] = token[0].split(":", 1)[1] if token else None
    vectors.append(entry)
out.write_text(json.dumps(vectors, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
print(f"{len(vectors)} vectors")
