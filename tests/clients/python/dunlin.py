"""A running dunlin, as an operator sees it: `manage` and the outbox. As `dunlin.mjs`, in Python's own words."""

import contextlib
import json
import os
import pathlib
import secrets
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["DUNLIN_URL"]
ADMIN = json.loads(pathlib.Path(os.environ["DUNLIN_KEYS"]).read_text())["admin_key"]
PROJECT = "/projects/prj_demo"
FLAKY = pathlib.Path(__file__).parent.parent / "flaky.mjs"

# How long the pipeline may take until something is visible, and how often we look, in seconds.
PATIENCE = 20
PAUSE = 0.025


def get(url, body=None, headers=None):
    """A request; POST where there is a body. Its JSON, or None when what it asks for is not there."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **(headers or {})}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return None


def manage(path, body=None):
    """A request to `manage`."""
    return get(f"{URL}/manage/v1{PROJECT}{path}", body, {"authorization": f"Bearer {ADMIN}"})


def issue_token(label):
    """A token of the demo project."""
    return manage("/tokens", {"label": label})["token"]


def profile(user):
    """A person's profile, or None."""
    return manage(f"/profiles/-?id={urllib.parse.quote(user, safe='')}")


def properties_of(person):
    """The properties that were given, besides the address."""
    return {name: value for name, value in person["properties"].items() if name != "email"}


def activity(user):
    """What happened to a person, as pairs of what and with which data, newest first."""
    found = manage(f"/profiles/{urllib.parse.quote(user, safe='')}/activity") or {"activity": []}
    return [(one["what"], one["data"]) for one in found["activity"]]


def count(person, event):
    """How often a person did what."""
    return next((one["count"] for one in (person or {}).get("events", []) if one["name"] == event), 0)


def subjects(address):
    """The subjects of the mails in the outbox to an address, sorted."""
    mails = get(f"{URL}/outbox.json?limit=1000")["mails"]
    return sorted(mail["subject"] for mail in mails if address in mail["to"])


def deliveries(user):
    """The mails to a person, sent or not."""
    return (manage(f"/profiles/{urllib.parse.quote(user, safe='')}/deliveries") or {"deliveries": []})["deliveries"]


def eventually(check):
    """Calls answer before they are processed: looks until `check` no longer fails, and returns what it returns."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return check()
        except (AssertionError, KeyError, TypeError):
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)


def somebody(name):
    """The id and the address of a person whom no other test knows."""
    user = f"{name}-{secrets.token_hex(4)}"
    return user, f"{user}@example.com"


class Flaky:
    """The proxy of `flaky.mjs` while it runs: `url`, and after its end the `calls` it saw."""

    def __init__(self, plan):
        faults = ",".join(fault or "" for fault in plan)
        self.process = subprocess.Popen(
            ["node", FLAKY, URL, faults], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().strip()
        self.calls = []

    def end(self):
        """Ends the proxy, and reads what it saw."""
        said, _ = self.process.communicate()
        self.calls += [json.loads(line) for line in said.splitlines()]


@contextlib.contextmanager
def flaky(*plan):
    """dunlin behind a bad network: a fault of `flaky.mjs`, or None, for each call in the order of their arrival."""
    proxy = Flaky(plan)
    try:
        yield proxy
    finally:
        proxy.end()
