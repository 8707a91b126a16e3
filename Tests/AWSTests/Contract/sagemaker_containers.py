"""The containers behind SageMaker endpoints, by the endpoint's name, as strict about bodies as the real ones.

gptj (JSON and text/x-text), hf-1 … hf-4 (levels of nesting), tei, custom-embed, tgi, djl, falcon, flan, custom-text; a
name ending in -eula answers only with accept_eula=true, one ending in -component only through an inference component.
Embeddings are bags of hashed words; texts are "You said: " and the first sentence of the last question.
"""

import hashlib
import json
import re

DIMENSION = 48


class ModelError(Exception):
    """What the container answered with another status than 200."""

    def __init__(self, status, message):
        self.status, self.message = status, message


def embedding(text, dimension):
    vector = [0.0] * dimension
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.sha256(word.encode()).digest()
        vector[int.from_bytes(digest[:4], "big") % dimension] += 1 if digest[4] & 1 else -1
    if not any(vector):
        vector[0] = 1.0
    norm = sum(v * v for v in vector) ** 0.5
    return [v / norm for v in vector]


def need(condition, message):
    if not condition:
        raise ModelError(422, message)


def only(document, *names):
    need(isinstance(document, dict) and set(document) <= set(names), f"unexpected members of {sorted(document)}")


def member(document, name):
    need(isinstance(document, dict) and name in document, f"missing field `{name}`")
    return document[name]


def document_of(values, accepts=("application/json",)):
    kind = values.get("ContentType")
    if kind not in accepts:
        raise ModelError(415, f"unsupported content type {kind}")
    try:
        return json.loads(values["Body"])
    except ValueError as error:
        raise ModelError(400, f"not JSON: {error}")


def embed(name, values, fault, texts_seen):
    if name.startswith("gptj"):
        if values.get("ContentType") == "application/x-text":
            texts = [values["Body"].decode()]
        else:
            document = document_of(values)
            only(document, "text_inputs")
            texts = member(document, "text_inputs")
            texts = [texts] if isinstance(texts, str) else texts
        texts_seen.extend(texts)
        return {"embedding": [embedding(t, 4096) for t in texts]}
    document = document_of(values)
    if name.startswith("custom-embed"):
        only(document, "input", "model", "note")
        texts_seen.extend(member(document, "input"))
        return {"data": [{"index": i, "embedding": embedding(t, DIMENSION)} for i, t in enumerate(member(document, "input"))]}
    inputs = member(document, "inputs")
    texts = [inputs] if isinstance(inputs, str) else inputs
    texts_seen.extend(texts)
    if name.startswith("tei"):
        only(document, "inputs", "truncate", "normalize")
        need(document.get("truncate") is False, "the test wants no silent cut")
        need(len(texts) <= 32, "batch size > maximum allowed batch size 32")
        if any(len(t.split()) > 60 for t in texts):
            raise ModelError(413, "Input validation error: `inputs` must have less than 512 tokens. Given: 600")
        return [embedding(t, fault.get("dimension", DIMENSION)) for t in texts]
    only(document, "inputs", "parameters")
    levels = int(name[3])
    # The first token's vector says how many words there are, so that mean and first token differ.
    tokens = [[embedding(str(len(t.split())), DIMENSION)] + [embedding(w, DIMENSION) for w in t.split()] for t in texts]
    if levels == 1:
        return embedding(texts[0], DIMENSION)
    if levels == 2:
        return tokens[0] if len(texts) == 1 else [embedding(t, DIMENSION) for t in texts]
    return tokens if levels == 3 else [[t] for t in tokens]


PARAMETERS = {
    "tgi": {"details", "do_sample", "frequency_penalty", "max_new_tokens", "repetition_penalty", "return_full_text", "stop",
            "temperature", "top_k", "top_p"},
    "djl": {"details", "do_sample", "frequency_penalty", "max_new_tokens", "presence_penalty", "repetition_penalty",
            "return_full_text", "stop_sequences", "temperature", "top_k", "top_p"},
    "falcon": {"details", "do_sample", "max_new_tokens", "repetition_penalty", "return_full_text", "stop", "temperature",
               "top_k", "top_p"},
}


def kind_of(name):
    return next((k for k in ("tgi", "djl", "falcon", "flan", "custom-text") if name.startswith(k)), None)


def prompt_of(name, document, prompts, streams):
    """The prompt and the parameters, after the container's own checks."""
    kind = kind_of(name)
    if kind == "flan":
        only(document, "text_inputs", "max_length", "do_sample", "temperature", "top_k", "top_p", "seed")
        prompt, parameters = member(document, "text_inputs"), {k: v for k, v in document.items() if k != "text_inputs"}
    elif kind == "custom-text":
        only(document, "ask", "limit", "note", "heat")
        prompt, parameters = member(document, "ask"), {k: v for k, v in document.items() if k != "ask"}
    else:
        only(document, "inputs", "parameters", "stream")
        need(document.get("stream", False) == streams, "stream does not fit the operation")
        prompt, parameters = member(document, "inputs"), member(document, "parameters")
        unknown = set(parameters) - PARAMETERS[kind]
        need(not unknown, f"unknown parameters {sorted(unknown)}")
        need(len(parameters.get("stop", [])) <= 4, "`stop` supports up to 4 stop sequences")
        need(parameters.get("return_full_text") is False, "the prompt would be repeated")
    need(parameters.get("temperature", 1) > 0, "`temperature` must be strictly positive")
    need(0 < parameters.get("top_p", 0.5) < 1, "`top_p` must be > 0.0 and < 1.0")
    prompts.append(json.dumps({"prompt": prompt, "parameters": parameters}, sort_keys=True))
    return prompt, parameters


def said(prompt):
    question = re.findall(r"User: (.*?)\n\nAssistant:", prompt, re.S)[-1:] or [prompt.split("\n\n")[-1]]
    return "You said: " + re.split(r"(?<=[.?!])\s", question[0].strip())[0]


def tokens_of(text, parameters):
    tokens = re.findall(r"\S+\s*", text)
    limit = parameters.get("max_new_tokens")
    return (tokens[:limit], "length") if limit and limit < len(tokens) else (tokens, "eos_token")


def generate(name, values, fault, prompts):
    document = document_of(values)
    prompt, parameters = prompt_of(name, document, prompts, False)
    kind, text = kind_of(name), said(prompt)
    if fault.get("model_error"):
        return {"error": "Pool is exhausted", "code": 503} if fault["model_error"] == "body" else {
            "generated_text": "", "details": {"finish_reason": "error", "generated_tokens": None}}
    if kind == "flan":
        return {"generated_texts": [text + " STOP and more"]}
    if kind == "custom-text":
        return {"results": [{"outputText": text}]}
    tokens, reason = tokens_of(text, parameters)
    whole = {"generated_text": "".join(tokens),
             "details": {"finish_reason": reason, "generated_tokens": len(tokens), "prefill": [], "seed": None}}
    return whole if kind == "djl" else [whole]


def lines(name, values, fault, prompts):
    """The lines of a streamed answer, one by one."""
    document = document_of(values)
    prompt, parameters = prompt_of(name, document, prompts, True)
    kind, text = kind_of(name), said(prompt)
    if kind not in ("tgi", "djl", "falcon"):
        raise ModelError(400, "this container does not stream")
    need(values["Accept"] == ("application/jsonlines" if kind == "djl" else "text/event-stream"), "accept")
    form = "{}\n" if kind == "djl" else "data:{}\n\n"
    special = "special_token" if kind == "djl" else "special"
    if kind == "falcon":
        text += "\nUser: and what else?"
    tokens, reason = tokens_of(text, parameters)
    for number, token in enumerate(tokens):
        if number == 2 and fault.get("model_error"):
            last = {"token": {"id": -1, "text": "", "log_prob": -1, "special_token": True}, "generated_text": "",
                    "details": {"finish_reason": "error", "generated_tokens": None, "inputs": None}}
            failure = {"error": "Model is overloaded", "error_type": "overloaded"}
            yield form.format(json.dumps(failure if fault["model_error"] == "body" else last))
            return
        if number == 2 and fault.get("nonsense"):
            yield form.format("{not json")
        yield form.format(json.dumps({"token": {"id": number, "text": token, "logprob": -0.1, special: False},
                                      "generated_text": None, "details": None}, ensure_ascii=False))
    if not fault.get("silent_end"):
        yield form.format(json.dumps({
            "token": {"id": 2, "text": "</s>", "logprob": 0, special: True}, "generated_text": "".join(tokens),
            "details": {"finish_reason": reason, "generated_tokens": len(tokens), "input_length": 9}}, ensure_ascii=False))
