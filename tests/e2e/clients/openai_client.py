"""Drives a gateway with the real `openai` package, as an app would.

usage: openai_client.py SCENARIO BASE_URL API_KEY MODEL

Exits with an assertion's message when the gateway does something that an app would not expect.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import openai

scenario, base_url, api_key, model = sys.argv[1:5]
client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=60)
question = [{"role": "user", "content": "What is the capital of France?"}]


def ask(**more):
    return client.chat.completions.create(model=model, messages=question, **more)


def answer_not_streamed():
    answer = ask(temperature=0)
    text = answer.choices[0].message.content
    assert "Paris" in text, text
    assert answer.choices[0].finish_reason == "stop", answer
    usage = answer.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0, usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage
    assert int(usage.cost["amount"]) >= 0 and usage.cost["denom"] == "ulode", usage
    raw = client.chat.completions.with_raw_response.create(model=model, messages=question)
    assert len(raw.headers["x-lode-receipt"]) == 64, raw.headers
    return text


def answer_streamed():
    parts, usage, finish = [], None, None
    for chunk in ask(stream=True, temperature=0, stream_options={"include_usage": True}):
        if chunk.choices:
            parts.append(chunk.choices[0].delta.content or "")
            finish = chunk.choices[0].finish_reason or finish
        usage = chunk.usage or usage
    assert len(parts) > 3, parts
    assert finish == "stop", finish
    assert usage.completion_tokens > 0 and "cost" in usage.model_dump(), usage
    assert "".join(parts) == answer_not_streamed(), parts


def completion():
    answer = client.completions.create(model=model, prompt="The capital of France is", max_tokens=8)
    assert answer.object == "text_completion" and answer.usage.completion_tokens <= 8, answer


def models():
    ids = [listed.id for listed in client.models.list()]
    assert model in ids, ids
    assert client.models.retrieve(model).id == model


def seeds():
    one = ask(seed=7, temperature=1).choices[0].message.content
    two = ask(seed=7, temperature=1).choices[0].message.content
    assert one == two, (one, two)


def limits():
    short = ask(max_tokens=2, temperature=0)
    assert short.choices[0].finish_reason == "length", short
    assert short.usage.completion_tokens <= 2, short
    stopped = ask(stop=["Paris"], temperature=0).choices[0]
    assert "Paris" not in stopped.message.content and stopped.finish_reason == "stop", stopped


def refused(kind, status, call):
    try:
        call()
    except kind as error:
        assert error.status_code == status, error
        assert error.body and error.body.get("message"), error.body
        return
    raise AssertionError(f"{kind.__name__} was expected")


def errors():
    stranger = openai.OpenAI(base_url=base_url, api_key="lode-sk-no", max_retries=0)
    refused(openai.AuthenticationError, 401, lambda: stranger.models.list())
    refused(
        openai.NotFoundError,
        404,
        lambda: client.chat.completions.create(model="no-such-model", messages=question),
    )
    refused(openai.BadRequestError, 400, lambda: ask(max_tokens=-1))
    refused(openai.BadRequestError, 400, lambda: ask(temperature="hot"))
    long = [{"role": "user", "content": "word " * 20_000}]
    refused(
        openai.BadRequestError,
        400,
        lambda: client.chat.completions.create(model=model, messages=long),
    )


def cancel():
    stream = ask(stream=True)
    next(iter(stream))
    stream.close()
    # The gateway goes on serving, and what was cut is no error of the next answer.
    answer_not_streamed()


def parallel(streams=16, seconds=0):
    """Streams until a whole session has passed: `seconds` says how long that is."""
    import time

    until = time.monotonic() + seconds

    def one(number):
        done = 0
        while done == 0 or time.monotonic() < until:
            text = "".join(
                chunk.choices[0].delta.content or ""
                for chunk in ask(stream=True, temperature=0)
                if chunk.choices
            )
            assert "Paris" in text, (number, text)
            done += 1
        return done

    with ThreadPoolExecutor(streams) as pool:
        served = list(pool.map(one, range(streams)))
    print(json.dumps({"streams": sum(served)}))


def all_but_parallel():
    for step in [answer_not_streamed, answer_streamed, completion, models, seeds, limits, errors, cancel]:
        step()
        print(json.dumps({"passed": step.__name__}), flush=True)


if scenario == "parallel":
    parallel(seconds=float(sys.argv[5]))
else:
    all_but_parallel()
