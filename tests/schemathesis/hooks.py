"""What schemathesis cannot know by itself: how files and lines of JSON are sent and read."""

import json

import schemathesis

FILES = [
    "application/pdf",
    "application/ofd",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
    "image/jpeg",
    "image/png",
    "audio/mpeg",
    "audio/mp4",
    "audio/amr",
    "audio/wav",
    "video/mp4",
    "application/x-ndjson",
]


@schemathesis.serializer(*FILES)
def raw(ctx, value):
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else str(data).encode("utf-8", "surrogatepass")


@schemathesis.deserializer("application/x-ndjson")
def first_line(ctx, response):
    lines = response.content.splitlines()
    return json.loads(lines[0])
