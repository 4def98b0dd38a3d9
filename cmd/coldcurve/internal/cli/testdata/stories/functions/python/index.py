import os

with open("says.txt") as file:
    says = file.read().strip()


def handler(event, context):
    print("serving", event.get("name", ""))
    if event.get("fail"):
        raise RuntimeError("as it was asked to")
    return {
        "says": says,
        "greeting": os.environ.get("GREETING", ""),
        "name": event.get("name", ""),
        "memory": context.memory_limit_in_mb,
    }
