"""PyPI's `segment-analytics-python`: every call it offers, and each of its ways to send."""

import unittest
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import segment.analytics as shared
from dunlin import URL, activity, count, eventually, issue_token, profile, properties_of, somebody, subjects
from segment.analytics.client import Client
from segment.analytics.request import APIError


class Segment(unittest.TestCase):
    """Each call has its effect."""

    @classmethod
    def setUpClass(cls):
        cls.token = issue_token("segment in Python")

    def setUp(self):
        self.failed = []
        self.client = self.open()

    def tearDown(self):
        self.assertEqual(self.failed, [])

    def fail_later(self, error, _):
        """Keeps what a client could not send: it says so on a thread of its own."""
        self.failed.append(error)

    def open(self, **settings):
        """A client as an application makes it."""
        client = Client(self.token, host=URL, on_error=self.fail_later, upload_interval=0.05, **settings)
        if not client.sync_mode:
            self.addCleanup(client.join)
        return client

    def known(self, name, **traits):
        """Identifies somebody new."""
        user, email = somebody(name)
        self.client.identify(user, {"email": email, **traits})
        return user, email

    def test_identify_makes_a_profile_and_merges_traits(self):
        user, email = self.known("ann", first_name="Ann", plan="free", born=date(1990, 5, 1), paid=Decimal("9.5"))
        self.client.identify(user, {"plan": "pro", "city": "Zürich 🏔"})
        self.client.flush()

        def check():
            seen = profile(user)
            told = {"first_name": "Ann", "plan": "pro", "born": "1990-05-01", "paid": 9.5, "city": "Zürich 🏔"}
            self.assertEqual((seen["email"], properties_of(seen)), (email, told))
            self.assertEqual(count(seen, "Identified"), 2)

        eventually(check)

    def test_track_records_an_event_at_its_own_time_with_the_address_of_the_context(self):
        user, email = somebody("eve")
        at = datetime(2026, 1, 5, 9, 30, tzinfo=timezone(timedelta(hours=1)))
        context = {"traits": {"email": email}}
        self.client.track(user, "Viewed product", {"sku": "A-1"}, context=context, timestamp=at)
        self.client.flush()

        def check():
            seen = profile(user)
            [viewed] = seen["events"]
            self.assertEqual((seen["email"], viewed["name"], viewed["count"]), (email, "Viewed product", 1))
            self.assertEqual(viewed["first_at"], "2026-01-05T08:30:00Z")

        eventually(check)

    def test_the_same_event_twice_is_two_events_and_the_same_message_twice_is_one(self):
        user, _ = somebody("twice")
        for _ in range(2):
            self.client.track(user, "Read page")
            self.client.track(user, "Paid", message_id=f"message of {user}")
            self.client.flush()
        self.client.track(user, "Left")
        self.client.flush()
        eventually(lambda: self.assertEqual(count(profile(user), "Left"), 1))
        seen = profile(user)
        self.assertEqual((count(seen, "Read page"), count(seen, "Paid")), (2, 1))

    def test_page_and_screen_are_events_that_tell_what_was_viewed(self):
        user, _ = somebody("pia")
        context = {"page": {"url": "https://shop.example/beans"}}
        self.client.page(user, "Shop", "Beans", {"sort": "price"}, context=context)
        self.client.screen(user, None, "Basket", {"items": 2})
        self.client.flush()
        page = {"category": "Shop", "name": "Beans", "sort": "price", "url": "https://shop.example/beans"}
        screen = {"name": "Basket", "items": 2}
        viewed = {"Viewed page": page, "Viewed screen": screen}
        eventually(lambda: self.assertEqual(dict(activity(user)), viewed))
        self.assertEqual([count(profile(user), name) for name in viewed], [1, 1])

    def test_group_puts_its_traits_into_the_profile(self):
        user, _ = self.known("gil", plan="pro")
        self.client.group(user, "acme", {"name": "ACME"})
        self.client.flush()
        told = {"plan": "pro", "group": {"name": "ACME"}}
        eventually(lambda: self.assertEqual(properties_of(profile(user)), told))

    def test_alias_makes_the_visitor_of_before_the_person_who_signed_up(self):
        visitor, _ = somebody("visitor")
        user, email = somebody("member")
        self.client.track(anonymous_id=visitor, event="Read page")
        self.client.alias(visitor, user)
        self.client.identify(user, {"email": email})
        self.client.track(user, "Read page")
        self.client.flush()

        def check():
            seen = profile(visitor)
            self.assertEqual((seen["id"], seen["former_ids"], seen["email"]), (user, [visitor], email))
            self.assertEqual(count(seen, "Read page"), 2)

        eventually(check)

    def test_tags_and_an_unsubscribe_come_as_integrations_and_as_an_event(self):
        user, _ = self.known("tess")
        tags = {"Vero": {"tags": {"action": "add", "values": ["beta"]}}}
        self.client.track(user, "Email Unsubscribed", integrations=tags)
        self.client.flush()
        eventually(lambda: self.assertEqual((profile(user)["tags"], profile(user)["subscribed"]), (["beta"], False)))

    def test_who_signs_up_gets_the_welcome_mail(self):
        user, email = self.known("wim", first_name="Wim")
        self.client.track(user, "Signed up")
        self.client.flush()
        eventually(lambda: self.assertEqual(subjects(email), ["Welcome to Larkspur, Wim"]))

    def test_many_calls_go_in_batches_plain_or_gzip_and_shutdown_sends_what_is_left(self):
        users = [somebody("batch")[0] for _ in range(6)]
        for gzip in (False, True):
            client = self.open(gzip=gzip, upload_size=7)
            for number in range(7):
                for user in users:
                    client.track(user, f"Plain {number}" if gzip else f"Packed {number}")
            client.shutdown()
        for user in users:
            eventually(lambda user=user: self.assertEqual(len(profile(user)["events"]), 14))
            self.assertEqual({one["count"] for one in profile(user)["events"]}, {1})

    def test_sync_mode_sends_at_once_and_raises_what_was_refused(self):
        user, _ = somebody("sync")
        self.open(sync_mode=True).track(user, "Read page")
        eventually(lambda: self.assertEqual(count(profile(user), "Read page"), 1))
        stranger = Client("wrong", host=URL, sync_mode=True)
        with self.assertLogs("segment", "ERROR"), self.assertRaises(APIError) as refused:
            stranger.track(user, "Read page")
        self.assertEqual(refused.exception.status, 401)

    def test_the_shared_client_of_the_module_works_as_one_of_its_own(self):
        shared.write_key, shared.host = self.token, URL
        shared.on_error = self.fail_later
        (visitor, _), (user, email) = somebody("visitor"), somebody("sho")
        shared.page(anonymous_id=visitor, name="Beans")
        shared.screen(anonymous_id=visitor, name="Basket")
        shared.alias(visitor, user)
        shared.identify(user, {"email": email})
        shared.group(user, "acme", {"name": "ACME"})
        shared.flush()
        shared.track(user, "Read page")
        shared.shutdown()
        names = ["Identified", "Read page", "Viewed page", "Viewed screen"]

        def check():
            seen = profile(visitor)
            self.assertEqual((seen["email"], properties_of(seen)), (email, {"group": {"name": "ACME"}}))
            self.assertEqual([count(seen, name) for name in names], [1, 1, 1, 1])

        eventually(check)
