"""What `POST /orders/` refuses before Stripe hears of it, and what it says."""

import json

from django.test import Client, TestCase, override_settings

from checkout.models import Order
from tests.factories import make_order, make_product


class InvalidTests(TestCase):
    def setUp(self):
        self.product = make_product(slug="mug", unit_amount=1850)
        self.good = {
            "lines": [{"product": "mug", "quantity": 2}],
            "email": "shopper@example.com",
            "amount": 3700,
            "currency": "usd",
        }

    def post(self, body):
        data = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.post("/orders/", data, content_type="application/json")

    def assert_refused(self, body, code="invalid_cart"):
        response = self.post(body)
        assert response.status_code == 400, response.content
        error = response.json()["error"]
        assert error["code"] == code
        assert error["message"]
        assert response["Cache-Control"].count("no-store")
        assert not Order.objects.exists()

    def test_not_json(self):
        for body in (b"", b"{", b"null", b"[]", b"5", b"\xff", b"[" * 100_000):
            self.assert_refused(body)

    def test_lines(self):
        mug = {"product": "mug", "quantity": 1}
        for lines in (
            None, [], {}, "mug", [mug, mug], [None], [{}], [[]], [mug] * 101,
            [{"product": "mug"}], [{"quantity": 1}], [{"product": 5, "quantity": 1}],
            [{"product": "", "quantity": 1}], [{"product": "mug\0", "quantity": 1}],
            [{"product": "\ud800", "quantity": 1}], [{"product": "no", "quantity": 1}],
        ):  # fmt: skip
            self.assert_refused({**self.good, "lines": lines})

    def test_quantities(self):
        for quantity in (0, -1, 100, 10**30, 1.0, 1.5, "1", True, None, [1]):
            lines = [{"product": "mug", "quantity": quantity}]
            self.assert_refused({**self.good, "lines": lines})

    def test_email(self):
        for email in (
            None, "", " ", 5, "shopper", "a@b", "a@b\0.de", "a@\ud800.com",
            "x" * 250 + "@example.com", "a@b.de\nBcc: c@d.de", ["a@b.de"],
        ):  # fmt: skip
            self.assert_refused({**self.good, "email": email})

    def test_amount_and_currency(self):
        for amount in (None, -1, "3700", 3700.0, True):
            self.assert_refused({**self.good, "amount": amount})
        for currency in (None, 5, ["usd"]):
            self.assert_refused({**self.good, "currency": currency})

    def test_checkout(self):
        for checkout in (None, "", "short", 5, "x" * 65, "a" * 20 + "\0", "ä" * 20):
            self.assert_refused({**self.good, "checkout": checkout})

    def test_product_no_longer_on_sale(self):
        self.product.active = False
        self.product.save()
        self.assert_refused(self.good)

    def test_product_in_another_currency(self):
        make_product(slug="krona", currency="sek")
        self.assert_refused(
            {**self.good, "lines": [{"product": "krona", "quantity": 1}]}
        )

    def test_below_stripes_minimum(self):
        make_product(slug="sticker", unit_amount=49)
        lines = [{"product": "sticker", "quantity": 1}]
        self.assert_refused(
            {**self.good, "lines": lines, "amount": 49}, "amount_too_small"
        )

    def test_more_than_can_be_paid(self):
        make_product(slug="house", unit_amount=99_999_999)
        lines = [{"product": "house", "quantity": 2}]
        self.assert_refused({**self.good, "lines": lines, "amount": 199_999_998})

    def test_other_amount_than_seen(self):
        for change in ({"amount": 3699}, {"amount": 0}, {"currency": "eur"}):
            response = self.post({**self.good, **change})

            assert response.status_code == 409
            error = response.json()["error"]
            assert error["code"] == "price_changed"
            assert (error["amount"], error["currency"]) == (3700, "usd")
            assert error["lines"] == [
                {
                    "product": "mug",
                    "name": self.product.name,
                    "quantity": 2,
                    "unit_amount": 1850,
                    "amount": 3700,
                }
            ]
        assert not Order.objects.exists()

    def test_without_csrf_token(self):
        client = Client(enforce_csrf_checks=True)

        response = client.post(
            "/orders/", json.dumps(self.good), content_type="application/json"
        )

        assert response.status_code == 403
        assert response.json()["error"]["code"] == "csrf_failed"

    def test_a_form_is_not_json_and_its_token_was_looked_for(self):
        client = Client(enforce_csrf_checks=True)
        page = client.get("/")
        token = page.context["csrf_token"]

        response = client.post(
            "/orders/", self.good | {"lines": "[]", "csrfmiddlewaretoken": str(token)}
        )

        assert response.status_code == 400
        assert response.json()["error"]["code"] == "invalid_cart"

    def test_checkout_of_another_browser(self):
        other = make_order()
        body = {**self.good, "checkout": other.checkout}

        response = self.post(body)

        assert response.status_code == 400
        assert other.token not in response.content.decode()
        assert Order.objects.get() == other


class UnreachableTests(TestCase):
    """Nothing listens where the settings of the tests point."""

    def test_stripe_does_not_answer(self):
        make_product(slug="mug", unit_amount=1850)

        response = self.client.post(
            "/orders/",
            {
                "lines": [{"product": "mug", "quantity": 1}],
                "email": " Shopper@example.com ",
                "amount": 1850,
                "currency": "USD",
            },
            content_type="application/json",
        )

        assert response.status_code == 503
        error = response.json()["error"]
        assert error["code"] == "stripe_unavailable"
        assert "You have not been charged, and your order is kept." in error["message"]
        order = Order.objects.get()
        assert order.status == Order.Status.PENDING
        assert order.email == "Shopper@example.com"
        assert [(row.to_status, row.source) for row in order.history.all()] == [
            ("pending", "shopper")
        ]


class OrderAddressTests(TestCase):
    def test_unknown_links_are_not_found(self):
        for token in ("x" * 32, "1", "a%00b" * 6, "../" * 8, "x" * 200):
            for tail in ("", "status/", "payment/"):
                method = self.client.post if tail == "payment/" else self.client.get
                assert method(f"/orders/{token}/{tail}").status_code == 404

    def test_status_of_an_order(self):
        order = make_order(payment_intent_id=None)

        response = self.client.get(f"/orders/{order.token}/status/")

        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
        assert response.json()["order"] == {
            "number": order.number,
            "token": order.token,
            "url": f"/orders/{order.token}/",
            "status": "pending",
            "amount": 1099,
            "currency": "usd",
            "amount_refunded": 0,
            "paid_at": None,
            "closed_reason": "",
            "is_declined": False,
            "message": "This order has not been paid yet.",
        }

    def test_edited_return_address_pays_nothing_and_is_cleaned(self):
        order = make_order(payment_intent_id=None)

        response = self.client.get(
            f"/orders/{order.token}/?redirect_status=succeeded&payment_intent=pi_1"
            "&payment_intent_client_secret=pi_1_secret_2"
        )

        assert response.status_code == 302
        assert response["Location"] == f"/orders/{order.token}/"
        order.refresh_from_db()
        assert order.status == Order.Status.PENDING

    @override_settings(DEBUG=False)
    def test_health(self):
        assert self.client.get("/healthz").content == b"ok"
        assert self.client.get("/readyz").content == b"ok"
