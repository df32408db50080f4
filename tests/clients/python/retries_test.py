"""On a bad network nothing is lost and nothing doubled, as `retries.test.mjs` asks for JavaScript and curl."""

import logging
import unittest

import requests
import vero
from dunlin import URL, count, deliveries, eventually, flaky, issue_token, profile, somebody, subjects
from segment.analytics.client import Client
from segment.analytics.request import APIError
from vero_test import point_to


class BadNetwork:
    """What holds for each fault of `flaky.mjs`. `reached`: whether dunlin takes the spoiled call all the same."""

    fault: str
    reached: bool

    @classmethod
    def setUpClass(cls):
        cls.token = issue_token("retries in Python")
        logging.getLogger("segment").setLevel(logging.CRITICAL)
        cls.addClassCleanup(logging.getLogger("segment").setLevel, logging.NOTSET)

    def setUp(self):
        self.failed = []

    def spoil(self, times=1):
        """Spoils the next call and lets the one after it pass, so often."""
        return flaky(*[self.fault, None] * times)

    def assert_spoiled(self, proxy, times=1):
        """Every other call was spoiled, and reached dunlin if its fault says so."""
        seen = [(call["fault"], call.get("status")) for call in proxy.calls]
        self.assertEqual(seen, [(self.fault, 200 if self.reached else None), (None, 200)] * times)

    def outcome(self, user, email, first_name):
        """The profile once all that was taken before is through: a person's calls keep their order, so a later
        purchase is counted after them. Two mails have left, and no others."""
        Client(self.token, host=URL, sync_mode=True).track(user, "Purchased item", {"order": "last"})

        def check():
            seen = profile(user)
            self.assertEqual(count(seen, "Purchased item"), 1)
            self.assertEqual(subjects(email), [f"Welcome to Larkspur, {first_name}", "Your order last"])
            self.assertEqual(len(deliveries(user)), 2)
            return seen

        return eventually(check)

    def test_segment_sends_again_by_itself(self):
        user, email = somebody("sam")
        tags = {"Vero": {"tags": {"action": "add", "values": ["web"]}}}
        with self.spoil() as proxy:
            client = Client(self.token, host=proxy.url, on_error=lambda *error: self.failed.append(error))
            client.identify(user, {"email": email, "first_name": "Sam"})
            client.track(user, "Signed up", integrations=tags)
            for _ in range(3):
                client.page(user, name="Beans")
            client.shutdown()
        self.assertEqual(self.failed, [])
        self.assert_spoiled(proxy)
        seen = self.outcome(user, email, "Sam")
        self.assertEqual([count(seen, name) for name in ("Identified", "Signed up", "Viewed page")], [1, 1, 3])
        self.assertEqual(seen["tags"], ["web"])

    def test_segment_in_sync_mode_raises_and_a_call_made_again_with_its_message_id_counts_once(self):
        user, email = somebody("sync")
        with self.spoil(times=2) as proxy:
            client = Client(self.token, host=proxy.url, sync_mode=True)
            identify = {"user_id": user, "traits": {"email": email, "first_name": "Sy"}}
            track = {"user_id": user, "event": "Signed up"}
            for call, fields in ((client.identify, identify), (client.track, track)):
                fields["message_id"] = f"{call.__name__} {user}"
                with self.assertRaises((APIError, requests.ConnectionError)):
                    call(**fields)
                call(**fields)
        self.assert_spoiled(proxy, times=2)
        seen = self.outcome(user, email, "Sy")
        self.assertEqual([count(seen, name) for name in ("Identified", "Signed up")], [1, 1])

    def test_each_call_of_vero_has_its_effect_once_when_it_is_called_again(self):
        self.addCleanup(point_to, URL)
        logger = vero.VeroEventLogger(self.token)
        (old, email), (gone, _) = somebody("vic"), somebody("gone")
        user = f"{old}-renamed"
        calls = [
            (logger.add_user, old, {"first_name": "Vic"}, email),
            (logger.add_event, "Signed up", {}, old, email),
            (logger.add_event, "Read page", {"page": 1}, old, email),
            (logger.add_event, "Read page", {"page": 2}, old, email),
            (logger.edit_user, old, {"plan": "pro"}),
            (logger.add_tags, old, ["web", "staff"]),
            (logger.remove_tags, old, ["staff"]),
            (logger.unsubscribe_user, old),
            (logger.resubscribe_user, old),
            (logger.reidentify_user, old, user),
            (logger.add_user, gone, {}),
            (logger.delete_user, gone),
        ]
        with self.spoil(len(calls)) as proxy:
            point_to(proxy.url)
            for call, *fields in calls:
                self.insist(call, *fields)
        self.assert_spoiled(proxy, len(calls))
        seen = self.outcome(user, email, "Vic")
        self.assertEqual([count(seen, name) for name in ("Signed up", "Read page")], [1, 2])
        self.assertEqual((seen["tags"], seen["properties"]["plan"]), (["web"], "pro"))
        self.assertEqual((seen["subscribed"], seen["former_ids"]), (True, [old]))
        eventually(lambda: self.assertIsNone(profile(gone)))

    @staticmethod
    def insist(call, *fields):
        """What an application does: `vero` raises or returns what failed, and never sends again."""
        try:
            if call(*fields).ok:
                return
        except requests.ConnectionError:
            pass
        call(*fields).raise_for_status()


class Refused(BadNetwork, unittest.TestCase):
    """A 503 with `Retry-After`."""

    fault, reached = "refused", False


class Cut(BadNetwork, unittest.TestCase):
    """A connection that drops before the call is through."""

    fault, reached = "cut", False


class Lost(BadNetwork, unittest.TestCase):
    """A connection that drops before the answer is through."""

    fault, reached = "lost", True


class Denied(BadNetwork, unittest.TestCase):
    """A 503 with `Retry-After` for a call that was taken."""

    fault, reached = "denied", True
