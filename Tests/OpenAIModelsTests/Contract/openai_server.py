#!/usr/bin/env python3
"""A stand-in for servers that speak OpenAI's chat completions, strict by openai-python's own types.

Requests are validated against CompletionCreateParams, and every chunk sent is built as a ChatCompletionChunk.
    openai_server.py       prints "ready PORT"; ends with its standard input
POST /-/fault sets what the next request meets: {"status": 429, "body": …} | {"cut": true} | {"nonsense": true}
| {"error_chunk": true} | {"bytewise": true} | {"silent_end": true}
"""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter, ValidationError

REQUEST = TypeAdapter(CompletionCreateParamsStreaming)
KNOWN = set(CompletionCreateParamsStreaming.__annotations__)
for base in CompletionCreateParamsStreaming.__orig_bases__:
    KNOWN |= set(getattr(base, "__annotations__", {}))
FAULT = {}


def chunk(choices, usage=None):
    value = ChatCompletionChunk.model_validate({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices,
        "usage": usage})
    return "data: " + value.model_dump_json(exclude_unset=True) + "\n\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def refuse(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/-/fault":
            FAULT.clear()
            FAULT.update(json.loads(body))
            return self.refuse(200, {})
        fault = dict(FAULT)
        FAULT.clear()
        if self.path != "/v1/chat/completions":
            return self.refuse(404, {"detail": "Not Found"})
        if self.headers["Authorization"] != "Bearer right-key":
            return self.refuse(401, {"error": {"message": "Incorrect API key provided", "type": "invalid_request_error"}})
        if "status" in fault:
            return self.refuse(fault["status"], fault.get("body", {}))
        try:
            request = json.loads(body)
            REQUEST.validate_python(request)
            assert set(request) <= KNOWN, set(request) - KNOWN
            assert 0 <= request.get("temperature", 1) <= 2 and 0 <= request.get("top_p", 1) <= 1
        except (ValueError, ValidationError, AssertionError) as error:
            return self.refuse(400, {"error": {"message": str(error), "type": "invalid_request_error"}})
        if request["model"] == "gone":
            return self.refuse(404, {"error": "model 'gone' not found, try pulling it first"})
        said = [m["role"] + "=" + m["content"] for m in request["messages"]]
        words = re.findall(r"\S+\s*", " | ".join(said))
        parts = [": welcome\n\n", chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])]
        parts += [chunk([{"index": 0, "delta": {"content": w}, "finish_reason": None}]) for w in words]
        if fault.get("nonsense"):
            parts = parts[:4] + ["data: {not json}\n\n"]
        if fault.get("error_chunk"):
            parts = parts[:4] + ['data: {"error": {"message": "out of memory"}}\n\n']
        if not fault.get("silent_end"):
            parts += [chunk([{"index": 0, "delta": {}, "finish_reason": "length" if request.get("max_tokens") == 3 else "stop"}])]
            if request.get("stream_options", {}).get("include_usage"):
                parts += [chunk([], {"prompt_tokens": 5, "completion_tokens": len(words), "total_tokens": 5 + len(words)})]
            parts += ["data: [DONE]\n\n"]
        data = "".join(parts).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if fault.get("cut"):
            self.wfile.write(b"%x\r\n%s" % (len(data), data[: len(data) // 2]))
            self.close_connection = True
            return
        size = 1 if fault.get("bytewise") else 100
        for start in range(0, len(data), size):
            piece = data[start:start + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
