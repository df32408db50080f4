"""The rehearsal: what `sam build` made is deployed, used through its API and deleted, against ministack.

Every step prints what it did; the first that fails ends the rehearsal with 1. Times are printed, never judged.
"""

import argparse
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PREFIX = "dunlin-rehearsal-"
STACK = "dunlin-rehearsal"
ARTIFACTS = "dunlin-rehearsal-artifacts"
# Seconds within which the pipeline must be through: a cold start of each function, and ministack's polling.
PATIENCE = 60
# Seconds that the campaign `later` waits.
WAIT = 20

CAMPAIGNS = {
    "welcome.yaml": """
name: Welcome
kind: behavioural
trigger: {event: Signed up}
from: Larkspur <hello@larkspur.example>
message:
  subject: "Welcome, {{ user.first_name }}"
  html: '<p>Hello</p><p><a href="{{ url.unsubscribe }}">No more</a></p>'
""",
    "later.yaml": f"""
name: Later
kind: behavioural
trigger: {{event: Signed up}}
wait: {WAIT} seconds
from: Larkspur <hello@larkspur.example>
message:
  subject: Still there?
  text: Hello again
""",
}

passed = 0


def check(what, holds, detail=""):
    global passed
    if not holds:
        print(f"FAILED  {what} {detail}", flush=True)
        print(f"{passed} passed, 1 failed", flush=True)
        raise SystemExit(1)
    passed += 1
    print(f"ok      {what}", flush=True)


def eventually(what, look):
    """Looks until there is something, for as long as patience lasts; returns it."""
    started = time.monotonic()
    while True:
        found = look()
        if found or time.monotonic() - started > PATIENCE:
            check(what, found)
            return found
        time.sleep(0.2)


class Rehearsal:
    def __init__(self, endpoint, sam, python, dunlin, scratch):
        self.endpoint, self.sam, self.python, self.dunlin, self.scratch = endpoint, sam, python, dunlin, Path(scratch)
        self.base = None

    def aws(self, service):
        return boto3.client(service, endpoint_url=self.endpoint, region_name="us-east-1")

    def run(self, *command, **settings):
        started = time.monotonic()
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=ROOT, **settings)
        check(f"{' '.join(Path(str(part)).name for part in command[:2])} ({time.monotonic() - started:.1f} s)",
              done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:])
        return done.stdout

    def deploy(self):
        """`sam package`, the transform, `sam deploy`: the built artifacts, unchanged."""
        self.aws("s3").create_bucket(Bucket=ARTIFACTS)
        packaged, translated = self.scratch / "packaged.yaml", self.scratch / "translated.json"
        self.run(self.sam, "package", "--template-file", "target/sam-x86_64/template.yaml", "--s3-bucket", ARTIFACTS,
                 "--output-template-file", packaged)
        print(self.run(self.python, HERE / "translate.py", packaged, translated), end="")
        self.refuse()
        self.run(self.sam, "deploy", "--template-file", translated, "--stack-name", STACK, "--s3-bucket", ARTIFACTS,
                 "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides",
                 f"Prefix={PREFIX}", "Protection=false", "Architecture=x86_64", "AlarmEmail=ops@larkspur.example")
        stack = self.aws("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        check("the stack is complete", stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason", ""))
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        api = re.match(r"https://([a-z0-9]+)\.execute-api\.", outputs["ApiUrl"])
        check("the stack says its API's address", api, outputs["ApiUrl"])
        # ministack serves `https://ID.execute-api…` under this path, for clients that find no such host.
        self.base = f"{self.endpoint}/_aws/execute-api/{api[1]}/$default"
        secret = self.aws("secretsmanager").get_secret_value(SecretId=outputs["AdminKeySecret"])
        self.admin_key = secret["SecretString"]
        return outputs

    def refuse(self):
        """Parameters out of their bounds are refused by the template, before anything is made."""
        template = (self.scratch / "translated.json").read_text(encoding="utf-8")
        for name, value in [("Prefix", "Dunlin"), ("SendConcurrency", "1"), ("Architecture", "mips"), ("PublicUrl", "example.com")]:
            try:
                self.aws("cloudformation").create_stack(
                    StackName=f"{STACK}-refused", TemplateBody=template, Capabilities=["CAPABILITY_IAM"],
                    Parameters=[{"ParameterKey": name, "ParameterValue": value}])
                refused = ""
            except ClientError as error:
                refused = str(error)
            check(f"{name}={value} is refused", name in refused, refused)

    def http(self, method, path, body=None, headers=None):
        """A request to the API: status and text."""
        headers = {"content-type": "application/json", **(headers or {})}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def manage(self, method, path, body=None):
        """A request to the control plane, which must be granted."""
        status, text = self.http(method, f"/manage/v1{path}", body, {"authorization": f"Bearer {self.admin_key}"})
        if status not in (200, 201):
            check(f"{method} /manage/v1{path}", False, f"{status} {text}")
        return json.loads(text)

    def mails(self):
        """What ministack's SES was given, in order."""
        return [one for many in self.aws_json("/_ministack/ses/messages")["messages"].values() for one in many]

    def aws_json(self, path):
        with urllib.request.urlopen(self.endpoint + path, timeout=30) as answer:
            return json.load(answer)

    def subjects(self, address):
        return [mail["Subject"] for mail in self.mails() if address in mail["To"]]

    def use(self):
        """A project, campaigns, the official client, mails, an unsubscribe."""
        status, text = self.http("GET", "/api/v2/heartbeat")
        check("the API answers", status == 200, f"{status} {text}")
        self.aws("sesv2").create_email_identity(EmailIdentity="hello@larkspur.example")
        check("a wrong admin key is refused", self.http("GET", "/manage/v1/projects")[0] == 401)
        self.manage("POST", "/projects", {"id": "prj_shop", "name": "Shop"})
        check("a project is made through manage", True)
        token = self.manage("POST", "/projects/prj_shop/tokens", {"label": "rehearsal"})["token"]
        folder = self.scratch / "campaigns"
        folder.mkdir()
        for name, text in CAMPAIGNS.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.run(self.dunlin, "push", folder, "--url", self.base, "--project", "prj_shop", "--admin-key", self.admin_key)

        self.client(token, "ann")
        called = time.monotonic()
        eventually("the welcome mail is in SES's outbox", lambda: "Welcome, Ann" in self.subjects("ann@example.com"))
        check("the mail behind the wait is not there yet", "Still there?" not in self.subjects("ann@example.com"))
        eventually("the mail behind the wait is in SES's outbox", lambda: "Still there?" in self.subjects("ann@example.com"))
        waited = time.monotonic() - called
        check(f"it was never early ({waited:.1f} s for a wait of {WAIT} s)", waited >= WAIT - 1)
        self.report_delivery("ann")
        self.unsubscribe()
        self.client(token, "ann", event_only=True)
        eventually("the second event was held back for who unsubscribed", lambda: self.held_back("ann"))
        check("each mail left once", self.subjects("ann@example.com") == ["Welcome, Ann", "Still there?"],
              str(self.subjects("ann@example.com")))

    def client(self, token, person, event_only=False):
        environment = {"PATH": subprocess.os.environ["PATH"], "BASE": self.base, "TOKEN": token, "PERSON": person,
                       "EVENT_ONLY": "1" if event_only else ""}
        self.run("node", ROOT / "tests/clients/rehearse.mjs", env=environment)

    def deliveries(self, person):
        return self.manage("GET", f"/projects/prj_shop/profiles/{person}/deliveries")["deliveries"]

    def report_delivery(self, person):
        """ministack's SES tells nobody what became of a mail: its event is put on the topic as SES would write it."""
        delivery = self.deliveries(person)[0]["id"]
        record = json.loads((ROOT / "tests/fixtures/invoke/feedback.json").read_text(encoding="utf-8"))["Records"][0]
        event = json.loads(record["body"])
        event["mail"]["tags"].update({"dunlin_project": ["prj_shop"], "dunlin_delivery": [delivery]})
        topic = next(one["TopicArn"] for one in self.aws("sns").list_topics()["Topics"] if one["TopicArn"].endswith(f"{PREFIX}mail"))
        self.aws("sns").publish(TopicArn=topic, Message=json.dumps(event))
        shown = f"/projects/prj_shop/deliveries/{delivery}"
        eventually("SES's event comes home through topic and queue", lambda: "delivered" in json.dumps(self.manage("GET", shown)))

    def held_back(self, person):
        return any((one.get("reason") or {}).get("code") == "unsubscribed" for one in self.deliveries(person))

    def unsubscribe(self):
        mail = next(mail for mail in self.mails() if mail["Subject"] == "Welcome, Ann")
        link = re.search(r"https://[^/\s\"]+(/l/u/[A-Za-z0-9_.~-]+)", mail["BodyHtml"] or "")
        check("the mail has a link to unsubscribe", link, str(mail))
        status, page = self.http("GET", link[1])
        check("the link shows a page with a button, and does nothing by itself", status == 200 and "<form" in page, page)
        status, page = self.http("POST", link[1], headers={"content-type": "application/x-www-form-urlencoded"})
        check("the button unsubscribes", status == 200, page)
        eventually("the person is unsubscribed", lambda: not self.manage("GET", "/projects/prj_shop/profiles/ann")["subscribed"])

    def delete(self, outputs):
        """`sam delete` leaves the tables, and nothing else."""
        bucket = outputs["StoreBucket"]
        for one in self.aws("s3").list_objects_v2(Bucket=bucket).get("Contents", []):
            self.aws("s3").delete_object(Bucket=bucket, Key=one["Key"])
        self.run(self.sam, "delete", "--stack-name", STACK, "--no-prompts", "--region", "us-east-1")
        left = self.left()
        tables = sorted(left.pop("tables"))
        wanted = sorted(PREFIX + name for name in ["control", "deliveries", "parked", "profiles", "runs", "timers"])
        check("the tables are retained", tables == wanted, str(tables))
        check("nothing else is left", not any(left.values()), str(left))

    def left(self):
        ours = lambda names: [name for name in names if PREFIX in name]
        return {
            "tables": ours(self.aws("dynamodb").list_tables()["TableNames"]),
            "functions": ours(one["FunctionName"] for one in self.aws("lambda").list_functions()["Functions"]),
            "queues": ours(self.aws("sqs").list_queues().get("QueueUrls", [])),
            "buckets": ours(one["Name"] for one in self.aws("s3").list_buckets()["Buckets"] if one["Name"] != ARTIFACTS),
            "topics": ours(one["TopicArn"] for one in self.aws("sns").list_topics()["Topics"]),
            "apis": ours(one["Name"] for one in self.aws("apigatewayv2").get_apis()["Items"]),
            "secrets": ours(one["Name"] for one in self.aws("secretsmanager").list_secrets()["SecretList"]),
            "alarms": ours(one["AlarmName"] for one in self.aws("cloudwatch").describe_alarms()["MetricAlarms"]),
            "logs": ours(one["logGroupName"] for one in self.aws("logs").describe_log_groups()["logGroups"]),
            "roles": [one["RoleName"] for one in self.aws("iam").list_roles()["Roles"] if one["RoleName"].startswith(STACK)],
            "configuration sets": ours(self.aws("sesv2").list_configuration_sets()["ConfigurationSets"]),
        }


def main():
    options = argparse.ArgumentParser(description=__doc__)
    for name in ["endpoint", "sam", "python", "dunlin", "scratch"]:
        options.add_argument(f"--{name}", required=True)
    rehearsal = Rehearsal(**vars(options.parse_args()))
    outputs = rehearsal.deploy()
    rehearsal.use()
    rehearsal.delete(outputs)
    print(f"{passed} passed, 0 failed")


main()
