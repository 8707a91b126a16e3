#!/usr/bin/env python3
"""A stand-in for Bedrock's and SageMaker's runtimes, Textract and Firehose, as strict as their published models.

Routes and validates from botocore's own service models (required members, types, ranges, lengths, enums, patterns),
recomputes the signature with botocore's signer, frames event streams with both checksums, and misbehaves on demand.
Embeddings are bags of hashed words and answers quote the first passage, so that retrieval on top behaves plausibly.

    contract_server.py [--port N]     prints "ready PORT"; ends with its standard input

Credentials: AKIDCONTRACT / contract-secret, and the session token of the request if it has one. Control:
POST /-/faults  a list of faults, each used once, in order, by the next calls:
    {"status": 429, "code": "ThrottlingException", "headers": {...}} | {"drop": true} | {"delay": seconds}
    | {"stream": "exception" | "bad_crc" | "cut" | "unknown_event" | "bytewise"} | {"short": true} | {"dimension": 7}
    | {"model_error": "body" | "reason"} (status 200) | {"silent_end": true} | {"nonsense": true}
    | {"parts": 7} (the lines of a stream are cut anew into parts of that many bytes)
    | {"pages": true} | {"strange": true} (of a reranker: two results a page, an index that was not sent)
    | {"refuse": [places of records in a PutRecordBatch]} | {"truncate": true} (an answer that is no stream)
POST /-/storm   {"rate": 0.3, "seed": 1}: from now on a share of the calls is throttled, refused, dropped, cut or corrupt
GET /-/calls    the calls that were answered, the most at one time, the input texts of all embedding calls, the prompts
                and parameters that SageMaker's containers got, or Converse's additional fields, records taken, and
                how many calls met which fault of a storm
"""

import argparse
import base64
import json
import random
import re
import struct
import subprocess
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

import sagemaker_containers
from sagemaker_containers import embedding

SESSION = botocore.session.get_session()
SERVICES = [("bedrock-runtime", "bedrock"), ("bedrock-agent-runtime", "bedrock"), ("sagemaker-runtime", "sagemaker")]
TEXTRACT = SESSION.get_service_model("textract")
FIREHOSE = SESSION.get_service_model("firehose")
LOCK = threading.Lock()
FAULTS, CALLS, TEXTS, PROMPTS, RECORDS = [], [], [], [], []
FLIGHT = {"now": 0, "most": 0}
STORM = {"rate": 0.0, "chance": random.Random(1), "met": {}}


def next_fault():
    """What the next call meets."""
    if FAULTS:
        return FAULTS.pop(0)
    if STORM["chance"].random() >= STORM["rate"]:
        return {}
    kind = STORM["chance"].choices(["429", "503", "drop", "broken"], [4, 3, 2, 1])[0]
    STORM["met"][kind] = STORM["met"].get(kind, 0) + 1
    return {
        "429": {"status": 429, "code": "ThrottlingException"},
        "503": {"status": 503, "code": "ServiceUnavailableException"},
        "drop": {"drop": True},
        # Answers that are no streams are cut short instead.
        "broken": {"truncate": True, "stream": STORM["chance"].choice(["bad_crc", "cut", "exception"])},
    }[kind]


class Refused(Exception):
    def __init__(self, status, code, message):
        self.status, self.code, self.message = status, code, message


def routes():
    for service, signing in SERVICES:
        model = SESSION.get_service_model(service)
        for name in model.operation_names:
            operation = model.operation_model(name)
            uri = operation.http["requestUri"].split("?")[0]
            pattern = re.compile("^" + re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(uri)) + "$")
            yield operation.http["method"], pattern, operation, signing


ROUTES = list(routes())


def check_constraints(shape, value, path):
    """What ParamValidator leaves out: maxima, patterns and enums."""
    kind = shape.type_name
    if kind == "structure":
        for name, member in (value or {}).items():
            if name in shape.members:
                check_constraints(shape.members[name], member, f"{path}.{name}")
    elif kind == "list":
        if "max" in shape.metadata and len(value) > shape.metadata["max"]:
            raise Refused(400, "ValidationException", f"{path} has more than {shape.metadata['max']} members")
        for index, member in enumerate(value):
            check_constraints(shape.member, member, f"{path}[{index}]")
    elif kind == "string":
        if "max" in shape.metadata and len(value) > shape.metadata["max"]:
            raise Refused(400, "ValidationException", f"{path} is longer than {shape.metadata['max']}")
        if shape.enum and value not in shape.enum:
            raise Refused(400, "ValidationException", f"{path} is none of {shape.enum}")
        pattern = shape.metadata.get("pattern", "")
        for theirs, ours in (("\\p{ASCII}", r"[\x00-\x7f]"), ("[\\p{Print}]", r"[\x20-\x7e]"), ("\\z", r"\Z")):
            pattern = pattern.replace(theirs, ours)
        if not re.search(pattern, value):
            raise Refused(400, "ValidationException", f"{path} does not match {shape.metadata['pattern']}")
    elif kind in ("integer", "float", "long", "double"):
        if "max" in shape.metadata and value > shape.metadata["max"]:
            raise Refused(400, "ValidationException", f"{path} is above {shape.metadata['max']}")


def input_of(operation, groups, query, headers, body):
    shape, values = operation.input_shape, {}
    payload = shape.serialization.get("payload")
    document = None
    for name, member in shape.members.items():
        place, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri":
            values[name] = unquote(groups[wire])
        elif place == "header" and headers.get(wire) is not None:
            values[name] = headers[wire]
        elif place == "querystring" and wire in query:
            values[name] = query[wire]
        elif place is None and name == payload:
            values[name] = body
        elif place is None:
            if document is None:
                try:
                    document = json.loads(body or b"{}")
                except ValueError:
                    raise Refused(400, "SerializationException", "the body is not JSON")
                unknown = set(document) - {m.serialization.get("name", n) for n, m in shape.members.items()}
                if unknown:
                    raise Refused(400, "ValidationException", f"unknown members {sorted(unknown)}")
            if wire in document:
                values[name] = document[wire]
    report = ParamValidator().validate(values, shape)
    if report.has_errors():
        raise Refused(400, "ValidationException", report.generate_report())
    check_constraints(shape, values, "input")
    return values


def check_signature(signing, method, url, headers, body):
    given = headers.get("Authorization") or ""
    match = re.match(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=(\w{64})$",
        given)
    if not match:
        raise Refused(403, "MissingAuthenticationTokenException", "no signature of version 4")
    key, day, region, service, names, _ = match.groups()
    if key != "AKIDCONTRACT":
        raise Refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
    if service != signing:
        raise Refused(403, "InvalidSignatureException", f"Credential should be scoped to correct service: '{signing}'.")
    stamp = headers.get("X-Amz-Date") or ""
    age = abs(time.mktime(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) - time.mktime(time.gmtime()))
    if age > 300:
        raise Refused(403, "InvalidSignatureException", "Signature not yet current or expired: " + stamp)
    signed = {n: headers[n] for n in names.split(";") if n != "host" and headers.get(n) is not None}
    request = AWSRequest(method=method, url=url, headers=signed, data=body)
    request.context["timestamp"] = stamp
    auth = SigV4Auth(Credentials("AKIDCONTRACT", "contract-secret"), service, region)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if not given.endswith(expected):
        raise Refused(403, "InvalidSignatureException",
                      "The request signature we calculated does not match the signature you provided.")


# --- models ---

def need(condition, message):
    if not condition:
        raise Refused(400, "ValidationException", message)


def only(document, *names):
    need(isinstance(document, dict) and set(document) <= set(names), f"extraneous key in {sorted(document)}")


def invoke(model, body, fault):
    document = json.loads(body)
    if "titan-embed-text-v2" in model:
        only(document, "inputText", "dimensions", "normalize", "embeddingTypes")
        dimension = document.get("dimensions", 1024)
        need(dimension in (256, 512, 1024), "dimensions must be 256, 512 or 1024")
        text = document["inputText"]
        need(1 <= len(text) <= 50000, "inputText: expected minLength: 1, maxLength: 50000")
        TEXTS.append(text)
        vector = embedding(text, fault.get("dimension", dimension))
        return {"embedding": vector, "inputTextTokenCount": len(text) // 4, "embeddingsByType": {"float": vector}}
    if "titan-embed-text-v1" in model:
        only(document, "inputText")
        TEXTS.append(document["inputText"])
        return {"embedding": embedding(document["inputText"], 1536), "inputTextTokenCount": 1}
    if "cohere.embed" in model:
        only(document, "texts", "input_type", "truncate", "embedding_types", *(["output_dimension", "max_tokens"] if "v4" in model else []))
        texts = document["texts"]
        need(1 <= len(texts) <= 96, "texts: at most 96")
        need(document.get("input_type") in ("search_document", "search_query", "classification", "clustering"), "input_type")
        need("v4" in model or all(len(t) <= 2048 for t in texts), "texts: expected maxLength: 2048")
        need(document.get("truncate", "NONE") in ("NONE", "START", "END", "LEFT", "RIGHT"), "truncate")
        dimension = document.get("output_dimension", 1536) if "v4" in model else 1024
        need(dimension in (256, 512, 1024, 1536), "output_dimension")
        TEXTS.extend(texts)
        vectors = [embedding(t, dimension) for t in texts]
        if fault.get("short"):
            vectors = vectors[:-1]
        by_type = document.get("embedding_types")
        return {"id": "x", "texts": texts, "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
                "embeddings": {"float": vectors} if by_type else vectors}
    raise Refused(404, "ResourceNotFoundException", f"Could not resolve the foundation model from the model identifier: {model}")


RERANKERS = ("cohere.rerank-v3-5:0", "amazon.rerank-v1:0")


def rerank(values, fault):
    """Scores are the share of the query's words that a source has; pages of two results when asked for."""
    configuration = values["rerankingConfiguration"]["bedrockRerankingConfiguration"]
    arn = configuration["modelConfiguration"]["modelArn"]
    if not re.fullmatch(r"arn:aws:bedrock:[a-z0-9-]+::foundation-model/(.+)", arn) or not arn.endswith(RERANKERS):
        raise Refused(404, "ResourceNotFoundException", f"Could not resolve the foundation model from {arn}")
    query = set(re.findall(r"\w+", values["queries"][0]["textQuery"]["text"].lower()))
    need(query, "queries: no words")
    texts = [source["inlineDocumentSource"]["textDocument"]["text"] for source in values["sources"]]
    TEXTS.extend(texts)
    scores = [len(query & set(re.findall(r"\w+", text.lower()))) / len(query) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: -scores[index])[: configuration.get("numberOfResults", len(texts))]
    start = int(values.get("nextToken", "0"))
    end = start + 2 if fault.get("pages") else len(order)
    if fault.get("strange"):
        return {"results": [{"index": len(texts), "relevanceScore": 1.0}]}
    answer = {"results": [{"index": index, "relevanceScore": scores[index]} for index in order[start:end]]}
    return {**answer, "nextToken": str(end)} if end < len(order) else answer


def frame(headers, payload):
    raw = b""
    for name, value in headers.items():
        raw += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
    prelude = struct.pack(">II", 16 + len(raw) + len(payload), len(raw))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + raw + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(name, document, kind="event"):
    return frame({":message-type": kind, f":{kind}-type": name, ":content-type": "application/json"},
                 json.dumps(document).encode())


def converse_frames(values, fault):
    question = values["messages"][-1]["content"][0]["text"]
    PROMPTS.append(json.dumps(values.get("additionalModelRequestFields", {}), sort_keys=True))
    if "claude-none" in values["modelId"]:
        raise Refused(403, "AccessDeniedException", "You don't have access to the model with the specified model ID.")
    sentence = re.split(r"(?<=[.?!])\s", question.strip())[0]
    text = f"You said: {sentence}"
    yield event("messageStart", {"role": "assistant"})
    if fault.get("stream") == "unknown_event":
        yield event("contentBlockStart", {"start": {}, "contentBlockIndex": 0})
        yield event("somethingNew", {"p": "abc"})
    for word in re.findall(r"\S+\s*", text):
        yield event("contentBlockDelta", {"delta": {"text": word}, "contentBlockIndex": 0, "p": "abcdef"})
        if fault.get("stream") == "exception":
            yield event("throttlingException", {"message": "Too many tokens, please wait before trying again."}, "exception")
            return
    yield event("contentBlockStop", {"contentBlockIndex": 0})
    guarded = "guardrailConfig" in values
    yield event("messageStop", {"stopReason": "guardrail_intervened" if guarded else "end_turn"})
    yield event("metadata", {"usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}, "metrics": {"latencyMs": 1}})


def blocks(image):
    """What Tesseract reads on an image, in Textract's blocks."""
    run = subprocess.run(["tesseract", "stdin", "stdout", "tsv"], input=image, check=True, capture_output=True)
    rows = [dict(zip(ROW, line.split("\t"))) for line in run.stdout.decode().splitlines()[1:]]
    width, height = (int(rows[0][name]) for name in ("width", "height"))
    yield {"Id": "page", "BlockType": "PAGE", "Geometry": geometry(0, 0, width, height, width, height)}
    lines = {}
    for row in rows:
        if row["level"] == "5" and row["text"].strip():
            lines.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row)
    for number, words in enumerate(lines.values()):
        places = [[int(word[name]) for name in ("left", "top", "width", "height")] for word in words]
        left, top = min(p[0] for p in places), min(p[1] for p in places)
        right, bottom = max(p[0] + p[2] for p in places), max(p[1] + p[3] for p in places)
        ids = [f"w{number}-{index}" for index in range(len(words))]
        yield {"Id": f"l{number}", "BlockType": "LINE", "Confidence": 99.0,
               "Text": " ".join(word["text"] for word in words),
               "Geometry": geometry(left, top, right - left, bottom - top, width, height),
               "Relationships": [{"Type": "CHILD", "Ids": ids}]}
        for identifier, word, place in zip(ids, words, places):
            yield {"Id": identifier, "BlockType": "WORD", "TextType": "PRINTED", "Text": word["text"],
                   "Confidence": float(word["conf"]), "Geometry": geometry(*place, width, height)}


ROW = ["level", "page_num", "block_num", "par_num", "line_num", "word_num", "left", "top", "width", "height", "conf",
       "text"]


def geometry(left, top, wide, high, width, height):
    return {"BoundingBox": {"Left": left / width, "Top": top / height, "Width": wide / width, "Height": high / height}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, document, headers=None):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers or {"Content-Type": "application/json"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with LOCK:
            self.answer(200, {"calls": CALLS, "texts": TEXTS, "prompts": PROMPTS, "records": RECORDS, "most": FLIGHT["most"],
                              "faults": FAULTS, "met": STORM["met"]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        if parts.path == "/-/faults":
            with LOCK:
                FAULTS[:] = json.loads(body)
                CALLS.clear()
                TEXTS.clear()
                PROMPTS.clear()
                FLIGHT["most"] = 0
                RECORDS.clear()
            return self.answer(200, {})
        if parts.path == "/-/storm":
            asked = json.loads(body)
            with LOCK:
                STORM.update(rate=asked["rate"], chance=random.Random(asked.get("seed", 1)), met={})
                CALLS.clear()
                TEXTS.clear()
            return self.answer(200, {})
        with LOCK:
            fault = next_fault()
            FLIGHT["now"] += 1
            FLIGHT["most"] = max(FLIGHT["most"], FLIGHT["now"])
        try:
            self.serve(parts, body, fault)
        except sagemaker_containers.ModelError as error:
            self.answer(424, {"Message": f"Received client error ({error.status}) from primary. See the log.",
                              "OriginalStatusCode": error.status, "OriginalMessage": error.message, "LogStreamArn": "arn:x"},
                        {"Content-Type": "application/json", "x-amzn-ErrorType": "ModelError"})
        except Refused as refused:
            self.answer(refused.status, {"message": refused.message},
                        {"Content-Type": "application/json", "x-amzn-ErrorType": refused.code + ":http://internal.amazon.com/"})
        finally:
            with LOCK:
                FLIGHT["now"] -= 1

    def truncated(self, document):
        """Half of an answer, then the end of the connection."""
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2])
        self.close_connection = True

    def serve(self, parts, body, fault):
        if "delay" in fault:
            time.sleep(fault["delay"])
        if fault.get("drop"):
            self.close_connection = True
            return
        if "status" in fault:
            return self.answer(fault["status"], {"message": "a fault that was asked for"},
                               {"x-amzn-ErrorType": fault.get("code", "InternalServerException"), **fault.get("headers", {})})
        if (self.headers.get("X-Amz-Target") or "").startswith("Textract."):
            return self.textract(body)
        target = self.headers.get("X-Amz-Target") or ""
        if target.startswith(FIREHOSE.metadata["targetPrefix"] + "."):
            return self.firehose(target.split(".")[1], body, fault)
        for method, pattern, operation, signing in ROUTES:
            match = pattern.match(parts.path)
            if method == "POST" and match:
                break
        else:
            raise Refused(404, "UnknownOperationException", self.path)
        check_signature(signing, "POST", f"http://{self.headers['Host']}{self.path}", self.headers, body)
        values = input_of(operation, match.groupdict(), dict(parse_qsl(parts.query)), self.headers, body)
        with LOCK:
            CALLS.append(operation.name)
        if operation.name == "InvokeModel":
            document = invoke(values["modelId"], values["body"], fault)
            return self.truncated(document) if fault.get("truncate") else self.answer(200, document)
        if operation.name == "Rerank":
            return self.answer(200, rerank(values, fault))
        if operation.name == "ConverseStream":
            return self.stream(converse_frames(values, fault), fault)
        if signing == "sagemaker":
            return self.sagemaker(operation.name, values, fault)
        raise Refused(400, "UnknownOperationException", operation.name)

    def sagemaker(self, operation, values, fault):
        name = values["EndpointName"]
        if name.endswith("-eula") and values.get("CustomAttributes") != "accept_eula=true":
            raise sagemaker_containers.ModelError(403, "accept_eula is not set to true")
        if name.endswith("-component") and values.get("InferenceComponentName") != "component-1":
            raise Refused(400, "ValidationError", "Inference Component Name header is required for endpoints to which you plan to deploy inference components.")
        if operation == "InvokeEndpointWithResponseStream":
            lines = [line.encode() for line in sagemaker_containers.lines(name, values, fault, PROMPTS)]
            if "parts" in fault:
                data = b"".join(lines)
                lines = [data[i:i + fault["parts"]] for i in range(0, len(data), fault["parts"])]
            frames = [frame({":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"},
                            line) for line in lines]
            if fault.get("stream") == "exception":
                frames[2:] = [event("ModelStreamError", {"Message": "The model took too long.", "ErrorCode":
                                                         "ModelInvocationTimeExceeded"}, "exception")]
            return self.stream(frames, fault)
        if sagemaker_containers.kind_of(name):
            return self.answer(200, sagemaker_containers.generate(name, values, fault, PROMPTS))
        if not re.match("gptj|hf-[1-4]|tei|custom-embed", name):
            raise Refused(400, "ValidationError", f"Endpoint {name} of account 123456789012 not found.")
        return self.answer(200, sagemaker_containers.embed(name, values, fault, TEXTS))

    def textract(self, body):
        """The JSON protocol: the operation is in a header, blobs are in base64, the body is the input."""
        check_signature("textract", "POST", f"http://{self.headers['Host']}{self.path}", self.headers, body)
        if self.headers.get("Content-Type") != "application/x-amz-json-1.1":
            raise Refused(404, "UnknownOperationException", "the content type is not the protocol's")
        operation = TEXTRACT.operation_model(self.headers["X-Amz-Target"].split(".")[1])
        values = input_of(operation, {}, {}, self.headers, body)
        image = base64.b64decode(values["Document"]["Bytes"], validate=True)
        with LOCK:
            CALLS.append(operation.name)
        if not image.startswith(b"\x89PNG") and not image.startswith(b"%PDF"):
            raise Refused(400, "UnsupportedDocumentException", "Request has unsupported document format")
        self.answer(200, {"DocumentMetadata": {"Pages": 1}, "DetectDocumentTextModelVersion": "1.0",
                          "Blocks": list(blocks(image))})

    def firehose(self, name, body, fault):
        if self.headers.get("Content-Type") != "application/x-amz-json-1.1":
            raise Refused(400, "UnknownOperationException", "not JSON 1.1")
        check_signature("firehose", "POST", f"http://{self.headers['Host']}{self.path}", self.headers, body)
        values = json.loads(body)
        for record in values.get("Records", []):
            record["Data"] = base64.b64decode(record["Data"], validate=True)
        shape = FIREHOSE.operation_model(name).input_shape
        report = ParamValidator().validate(values, shape)
        if report.has_errors():
            raise Refused(400, "InvalidArgumentException", report.generate_report())
        check_constraints(shape, values, "input")
        records = [record["Data"] for record in values["Records"]]
        # Of the documentation, not of the model: 4 MiB a call and 1,000 KiB a record, before base64.
        if sum(map(len, records)) > 4 << 20 or any(len(data) > 1024000 for data in records):
            raise Refused(400, "InvalidArgumentException", "too large")
        refused = set(fault.get("refuse", []))
        with LOCK:
            CALLS.append(name)
            RECORDS.extend(data.decode() for place, data in enumerate(records) if place not in refused)
        self.answer(200, {"FailedPutCount": len(refused), "RequestResponses": [
            {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."} if place in refused
            else {"RecordId": f"r{place}"} for place in range(len(records))]},
            {"Content-Type": "application/x-amz-json-1.1"})

    def stream(self, frames, fault):
        frames = list(frames)
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.amazon.eventstream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = b"".join(frames)
        kind = fault.get("stream")
        if kind == "bad_crc":
            data = data[:60] + bytes([data[60] ^ 1]) + data[61:]
        if kind == "cut":
            data = data[: len(data) * 2 // 3]
        pieces = [data[i:i + 1] for i in range(len(data))] if kind == "bytewise" else frames if kind is None else [data]
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients that give a call up are no errors of this server's."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    server = Server(("127.0.0.1", parser.parse_args().port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
