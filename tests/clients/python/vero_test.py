"""PyPI's `vero`: every call it offers.

The package has no setting for its host. What its users can do, and what is done here, is to set anew the attributes of
`VeroEndpoints`, each an `Endpoint`: same methods, same paths, behind another address. Nothing else is touched.
"""

import random
import unittest

import vero
from dunlin import URL, activity, count, eventually, issue_token, profile, properties_of, somebody, subjects


def point_to(url):
    """Sets the addresses of `vero` anew."""
    for name, endpoint in vars(vero.VeroEndpoints).items():
        if isinstance(endpoint, vero.client.Endpoint):
            path = endpoint.url.partition("/api/v2")[2]
            setattr(vero.VeroEndpoints, name, endpoint._replace(url=f"{url}/api/v2{path}"))


class Vero(unittest.TestCase):
    """Each call says yes in the client's own words, and has its effect."""

    @classmethod
    def setUpClass(cls):
        cls.logger = vero.VeroEventLogger(issue_token("vero in Python"))

    def setUp(self):
        point_to(URL)

    def call(self, name, *args, **kwargs):
        """Makes a call that dunlin takes."""
        answer = getattr(self.logger, name)(*args, **kwargs)
        self.assertEqual((answer.status_code, answer.json()), (200, {"status": 200, "message": "Success."}))

    def known(self, name, **data):
        """Adds somebody new."""
        user, email = somebody(name)
        self.call("add_user", user, data, user_email=email)
        return user, email

    def test_add_user_makes_a_profile_and_merges_properties(self):
        user, email = self.known("ann", first_name="Ann", plan="free")
        self.call("add_user", user, {"plan": "pro", "city": "Zürich 🏔"}, user_email=email)

        def check():
            seen = profile(user)
            self.assertEqual(seen["email"], email)
            self.assertEqual(properties_of(seen), {"first_name": "Ann", "plan": "pro", "city": "Zürich 🏔"})

        eventually(check)

    def test_a_number_is_an_id_and_an_address_may_be_missing(self):
        user = random.randrange(10**15)
        self.call("add_user", user, {"plan": "pro"})
        self.call("add_event", "Read page", {}, user)

        def check():
            seen = profile(str(user))
            self.assertEqual((seen.get("email"), seen["properties"]), (None, {"plan": "pro"}))
            self.assertEqual(count(seen, "Read page"), 1)

        eventually(check)

    def test_edit_user_changes_whom_it_finds_and_makes_nobody(self):
        user, _ = self.known("ed", plan="free")
        stranger, _ = somebody("stranger")
        self.call("edit_user", stranger, {"plan": "pro"})
        self.call("edit_user", user, {"plan": "pro", "old": None})
        self.call("add_tags", user, ["after"])
        self.call("add_user", stranger, {"seen": True})
        eventually(lambda: self.assertEqual(profile(user)["tags"], ["after"]))
        self.assertEqual(properties_of(profile(user)), {"plan": "pro"})
        eventually(lambda: self.assertEqual(profile(stranger)["properties"], {"seen": True}))

    def test_tags_are_added_and_removed(self):
        user, _ = self.known("tess")
        self.call("add_tags", user, ["beta", "staff"])
        self.call("remove_tags", user, ["staff", "never there"])
        eventually(lambda: self.assertEqual(profile(user)["tags"], ["beta"]))

    def test_unsubscribe_user_and_resubscribe_user_change_the_subscription(self):
        user, _ = self.known("uma")
        self.call("unsubscribe_user", user)
        eventually(lambda: self.assertIs(profile(user)["subscribed"], False))
        self.call("resubscribe_user", user)
        eventually(lambda: self.assertIs(profile(user)["subscribed"], True))

    def test_reidentify_user_renames(self):
        user, email = self.known("old", plan="pro")
        self.call("reidentify_user", user, f"{user}-renamed")

        def check():
            seen = profile(user)
            self.assertEqual((seen["id"], seen["former_ids"]), (f"{user}-renamed", [user]))
            self.assertEqual((seen["email"], seen["properties"]["plan"]), (email, "pro"))

        eventually(check)

    def test_delete_user_erases(self):
        user, _ = self.known("gone")
        eventually(lambda: self.assertIsNotNone(profile(user)))
        self.call("delete_user", user)
        eventually(lambda: self.assertIsNone(profile(user)))

    def test_add_event_records_and_its_mail_goes_out(self):
        user, email = self.known("wim", first_name="Wim")
        self.call("add_event", "Signed up", {"plan": "free"}, user, user_email=email)
        self.call("add_event", "Signed up", {"plan": "free"}, user, user_email=email)
        self.call("add_tags", user, ["after"])
        eventually(lambda: self.assertEqual(profile(user)["tags"], ["after"]))
        self.assertEqual(count(profile(user), "Signed up"), 1, "the same event within five minutes is one event")
        eventually(lambda: self.assertEqual(subjects(email), ["Welcome to Larkspur, Wim"]))
        eventually(lambda: self.assertIn(("Signed up", {"plan": "free"}), activity(user)))

    def test_heartbeat_is_heard(self):
        self.assertIs(self.logger.heartbeat(), True)

    def test_a_wrong_token_is_refused_and_the_answer_says_so(self):
        answer = vero.VeroEventLogger("wrong").add_user(somebody("eva")[0], {})
        self.assertEqual((answer.status_code, answer.json()["status"]), (401, 401))
