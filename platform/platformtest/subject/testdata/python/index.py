# The subject in Python: see subject.go, whose behaviour this is.
import json
import os
import time

import beacon

if os.environ.get("SUBJECT_BROKEN"):
    os._exit(3)


def handler(event, context):
    own = beacon.next()
    do = event.get("do")
    if do == "sleep":
        time.sleep(event["ms"] / 1000)
    elif do == "fail":
        raise RuntimeError("failed as it was told: " + event.get("text", ""))
    elif do == "exit":
        os._exit(3)
    elif do == "large":
        return "x" * (event["bytes"] - 2)
    size = len(json.dumps(event, separators=(",", ":")).encode())
    return {"text": event.get("text", ""), "instance": own["instance"], "ordinal": own["ordinal"], "size": size}
