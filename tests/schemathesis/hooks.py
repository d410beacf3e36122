"""What schemathesis cannot know by itself: how files and lines of JSON are sent and read."""

import atexit
import collections
import json
import os

import schemathesis

# Media types of files, out of the document, and where to tell what was answered.
FILES = [*os.environ["DUBAN_FILES"].split(","), "application/x-ndjson"]
ANSWERED = os.environ["DUBAN_ANSWERED"]

answered = collections.Counter()


@schemathesis.serializer(*FILES)
def raw(ctx, value):
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else str(data).encode("utf-8", "surrogatepass")


@schemathesis.deserializer("application/x-ndjson")
def first_line(ctx, response):
    lines = response.content.splitlines()
    return json.loads(lines[0])


@schemathesis.hook
def after_call(context, case, response):
    answered[f"{case.operation.label} {response.status_code}"] += 1


@atexit.register
def tell():
    with open(ANSWERED, "w") as file:
        json.dump(answered, file)
