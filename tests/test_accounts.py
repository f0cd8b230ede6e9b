"""Accounts: they tell nothing, take this browser's orders along, stand in no way."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from checkout import emails, visitor
from checkout.models import Order, User
from tests.factories import make_order
from tests.sandbox_server import wait_for

pytestmark = pytest.mark.usefixtures("transactional_db")

PASSWORD = "a-long-and-quiet-evening"


def browse(client: Client) -> str:
    """Open the shop; return which visitor this browser is."""
    response = client.get("/")
    here = visitor.of(response.wsgi_request) or visitor.of(client.get("/").wsgi_request)
    assert here is not None
    return here.id


def mailed_link() -> str:
    wait_for(lambda: mail.outbox)
    found = re.search(r"https?://testserver(\S+)", mail.outbox.pop().body)
    assert found is not None
    return found[1]


def sign_up(client: Client, email: str = "Anna@Example.com") -> Any:
    client.post("/accounts/signup/", {"email": email})
    passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    return client.post(mailed_link(), passwords)


def sign_in(client: Client, email: str = "anna@example.com") -> Any:
    return client.post("/accounts/login/", {"username": email, "password": PASSWORD})


def test_account_starts_by_the_mailed_link_and_takes_the_orders_along() -> None:
    client = Client()
    mine = make_order(visitor=browse(client))
    other = make_order()
    assert not User.objects.exists()

    response = sign_up(client)

    assert response.status_code == 302
    user = User.objects.get()
    assert user.email == "anna@example.com"
    assert list(Order.objects.filter(user=user)) == [mine]
    page = client.get("/orders/").content.decode()
    assert mine.number in page
    assert other.number not in page


def test_sign_up_says_the_same_whether_or_not_there_is_an_account() -> None:
    sign_up(Client())
    pages = []
    for email in ("anna@example.com", "ANNA@example.com", "berta@example.com"):
        response = Client().post("/accounts/signup/", {"email": email})
        assert response.status_code == 200
        page = response.content.decode()
        pages.append(re.sub(r"(?i)(anna|berta)@example.com", "X", page))
        link = mailed_link()
        assert ("signup" in link) == email.startswith("berta")
    assert len(set(pages)) == 1


def test_link_works_once_and_only_unchanged() -> None:
    client = Client()
    client.post("/accounts/signup/", {"email": "anna@example.com"})
    link = mailed_link()
    passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post(link, passwords).status_code == 302

    assert Client().post(link, passwords).status_code == 410
    assert Client().get(link[:-2] + "x/").status_code == 410
    assert User.objects.count() == 1


def test_weak_password_is_refused_with_a_reason() -> None:
    client = Client()
    client.post("/accounts/signup/", {"email": "anna@example.com"})

    response = client.post(
        mailed_link(), {"new_password1": "12345678", "new_password2": "12345678"}
    )

    assert response.status_code == 200
    assert b"entirely numeric" in response.content
    assert not User.objects.exists()


def test_a_refused_sign_in_says_what_counts() -> None:
    page = sign_in(Client()).content.decode()
    assert "E-mail or password is wrong. Capital letters count in the password." in page


def test_signing_in_claims_guest_orders_and_signing_out_hides_them() -> None:
    sign_up(Client())
    client = Client()
    order = make_order(visitor=browse(client))
    assert order.number in client.get("/orders/").content.decode()

    assert sign_in(client, " ANNA@example.com").status_code == 302
    assert order.number in client.get("/orders/").content.decode()

    assert client.post("/accounts/logout/").status_code == 302
    assert order.number not in client.get("/orders/").content.decode()
    # The link is its own permission.
    assert client.get(order.get_absolute_url()).status_code == 200


def test_one_user_does_not_take_or_see_the_orders_of_another() -> None:
    client = Client()
    sign_up(client)
    mine = make_order(visitor=browse(client), user=User.objects.get())
    client.post("/accounts/logout/")

    sign_up(client, "berta@example.com")

    mine.refresh_from_db()
    assert mine.user is not None
    assert mine.user.email == "anna@example.com"
    assert mine.number not in client.get("/orders/").content.decode()


def test_wrong_password_and_unknown_address_read_the_same() -> None:
    sign_up(Client())
    pages = set()
    for email in ("anna@example.com", "nobody@example.com"):
        response = Client().post(
            "/accounts/login/", {"username": email, "password": "wrong"}
        )
        page = re.sub(r'value="[^"]*"', "", response.content.decode())
        pages.add(page)
    assert len(pages) == 1


def test_password_reset_says_the_same_and_works() -> None:
    sign_up(Client())
    client = Client()
    pages = set()
    for email in ("nobody@example.com", "anna@example.com"):
        response = client.post(
            "/accounts/password_reset/", {"email": email}, follow=True
        )
        pages.add(response.content)
    assert len(pages) == 1
    link = mailed_link()
    assert not mail.outbox

    form = client.get(link, follow=True)
    new = "another-long-evening"
    response = client.post(
        form.wsgi_request.path, {"new_password1": new, "new_password2": new}
    )

    assert response.status_code == 302
    assert client.login(email="anna@example.com", password=new) or client.post(
        "/accounts/login/", {"username": "anna@example.com", "password": new}
    )


def test_password_change_needs_the_old_one() -> None:
    client = Client()
    sign_up(client)
    new = "another-long-evening"
    fields = {"new_password1": new, "new_password2": new}

    refused = client.post(
        "/accounts/password_change/", {"old_password": "wrong", **fields}
    )
    changed = client.post(
        "/accounts/password_change/", {"old_password": PASSWORD, **fields}
    )

    assert refused.status_code == 200
    assert changed.status_code == 302


def changed_mail(client: Client, path: str, fields: dict[str, str]) -> Any:
    """Post a new password and return the one mail that follows."""
    mail.outbox.clear()
    assert client.post(path, fields).status_code == 302
    emails._mailroom.submit(int).result()
    [message] = mail.outbox
    assert message.to == ["anna@example.com"]
    html = message.alternatives[0].content
    for text in (message.body, html):
        assert "http://testserver/accounts/password_reset/" in text
        assert "/accounts/reset/" not in text
    return message


def test_changed_password_is_told_to_the_accounts_address() -> None:
    client = Client(headers={"Accept-Language": "de"})
    sign_up(client)
    new = "another-long-evening"
    fields = {"new_password1": new, "new_password2": new}
    change = "/accounts/password_change/"
    emails._mailroom.submit(int).result()
    mail.outbox.clear()
    client.post(change, {"old_password": "wrong", **fields})
    emails._mailroom.submit(int).result()
    assert not mail.outbox

    told = changed_mail(client, change, {"old_password": PASSWORD, **fields})

    assert told.subject == "Ihr Passwort bei Lamplight wurde geändert"
    assert "gerade eben geändert" in told.alternatives[0].content


def test_reset_password_is_told_to_the_accounts_address() -> None:
    sign_up(Client())
    client = Client()
    client.post("/accounts/password_reset/", {"email": "anna@example.com"})
    form = client.get(mailed_link(), follow=True)
    new = "another-long-evening"

    told = changed_mail(
        client, form.wsgi_request.path, {"new_password1": new, "new_password2": new}
    )

    assert told.subject == "Your password at Lamplight was changed"


def test_password_that_an_operator_changes_is_told_as_well() -> None:
    sign_up(Client())
    anna = User.objects.get()
    owner = User.objects.create_superuser("owner@example.com", PASSWORD)
    desk = Client()
    desk.force_login(owner)
    fields = {"password1": "another-long-evening", "password2": "another-long-evening"}

    changed_mail(desk, f"/admin/checkout/user/{anna.pk}/password/", fields)

    own = desk.get("/admin/password_change/")
    assert own["Location"] == "/accounts/password_change/"


def test_account_pages_are_never_stored() -> None:
    for page in ("signup/", "login/", "password_reset/"):
        response = Client().get(f"/accounts/{page}")
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]


def test_next_leads_nowhere_else() -> None:
    sign_up(Client())

    response = Client().post(
        "/accounts/login/?next=https://evil.example/",
        {"username": "anna@example.com", "password": PASSWORD},
    )

    assert response["Location"] == "/orders/"


def account_page(client: Client, path: str, **fields: str) -> str:
    """Post `fields` and return the page that answers."""
    response = client.post(path, fields, follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


def at_field(page: str, name: str) -> str:
    """Return the page's part about one field."""
    return page.partition(f'for="id_{name}"')[2].partition("</div>\n          </div>")[
        0
    ]


def test_a_used_link_says_so_at_once() -> None:
    client = Client()
    client.post("/accounts/signup/", {"email": "anna@example.com"})
    link = mailed_link()
    assert client.get(link).status_code == 200
    client.post(link, {"new_password1": PASSWORD, "new_password2": PASSWORD})

    again = Client().get(link)

    assert again.status_code == 410
    assert "This link no longer works" in again.content.decode()


def test_an_error_stands_at_the_password_it_is_about() -> None:
    client = Client()
    client.post("/accounts/signup/", {"email": "anna@example.com"})
    link = mailed_link()

    weak = account_page(client, link, new_password1="123", new_password2="123")
    assert "too short" in at_field(weak, "new_password1")
    assert 'class="errorlist"' not in at_field(weak, "new_password2")

    other = account_page(client, link, new_password1=PASSWORD, new_password2="other")
    assert 'class="errorlist"' not in at_field(other, "new_password1")
    assert "didn’t match" in at_field(other, "new_password2")


def test_a_weak_password_is_told_at_the_first_field_when_changed_or_reset() -> None:
    client = Client()
    sign_up(client)
    page = account_page(
        client, "/accounts/password_change/",
        old_password=PASSWORD, new_password1="123", new_password2="123",
    )  # fmt: skip
    assert "too short" in at_field(page, "new_password1")

    client.post("/accounts/password_reset/", {"email": "anna@example.com"})
    form = client.get(mailed_link(), follow=True)
    page = account_page(
        client, form.wsgi_request.path, new_password1="123", new_password2="123"
    )
    assert "too short" in at_field(page, "new_password1")


@pytest.mark.parametrize("page", ["login", "signup", "password_reset"])
def test_every_form_asks_for_the_e_mail_address_in_the_same_words(page: str) -> None:
    text = Client().get(f"/accounts/{page}/").content.decode()

    assert re.findall(r"<label [^>]*>(E-?mail[^<]*)</label>", text) == [
        "E-mail address"
    ]


def test_help_stands_under_its_field() -> None:
    client = Client()
    client.post("/accounts/signup/", {"email": "anna@example.com"})
    page = client.get(mailed_link()).content.decode()

    parts = ('<label for="id_new_password1"', 'name="new_password1"', 'helptext">')
    label, field, help_text = (page.index(part) for part in parts)
    assert label < field < help_text
    assert 'aria-describedby="id_new_password1_helptext"' in page


def test_the_password_is_changed_from_the_orders() -> None:
    client = Client()
    assert "/accounts/password_change/" not in client.get("/orders/").content.decode()
    sign_up(client)
    page = client.get("/orders/").content.decode()

    assert "Signed in as anna@example.com." in page
    assert 'href="/accounts/password_change/"' in page


def test_an_address_with_letters_of_its_own_is_taken_or_told_why_not() -> None:
    page = account_page(Client(), "/accounts/signup/", email="anna@müller.example")
    assert "Look into your mail" in page

    page = account_page(Client(), "/accounts/signup/", email="jürgen@example.com")
    assert "Before the @, only letters without accents" in page
