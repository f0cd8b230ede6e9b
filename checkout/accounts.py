"""Accounts: sign up by a mailed link, sign in, and keep this browser's orders.

No answer tells who has an account: signing up gives the same page for every address,
and what the mail says only its owner reads. The account starts with the link.
"""

import logging
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django import forms
from django.contrib.auth import login
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.views import (
    LoginView,
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetView,
)
from django.core import signing
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from checkout import emails, limits, visitor, words
from checkout.backends import RETRY_AFTER
from checkout.forms import (
    ChangePasswordForm,
    ChoosePasswordForm,
    EmailField,
    SignInForm,
    SignUpForm,
)
from checkout.models import Order, User

SALT = "checkout.signup"
LINK_LASTS_SECONDS = 24 * 60 * 60

logger = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def signup(request: HttpRequest) -> HttpResponse:
    """Ask for an e-mail address and mail it a link; the same page for every address."""
    form = SignUpForm(request.POST or None)
    if not form.is_valid():
        return render(request, "registration/signup.html", {"form": form})
    try:
        limits.spend(limits.SIGN_UPS_OF_ADDRESS, limits.address_of(request))
    except limits.TooMany as refusal:
        return _refuse_too_many(request, refusal)
    email = form.cleaned_data["email"].lower()
    _mail_link(request, email)
    return render(request, "registration/signup_sent.html", {"email": email})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def signup_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Let the owner of a mailed link choose a password; the account starts now."""
    try:
        email = signing.loads(token, salt=SALT, max_age=LINK_LASTS_SECONDS)
    except signing.BadSignature:
        return _refuse_link(request)
    if User.objects.filter(email=email).exists():
        return _refuse_link(request)
    user = User(email=email)
    form = ChoosePasswordForm(user, request.POST or None)
    if not form.is_valid():
        context = {"form": form, "email": email}
        return render(request, "registration/signup_confirm.html", context)
    user.set_password(form.cleaned_data["new_password1"])
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        return _refuse_link(request)
    login(request, user)
    claim_orders(request, user)
    return redirect("orders")


def limited(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let a page that signs in say when to try again: 429, and else as ever."""

    @wraps(view)
    def with_status(request: HttpRequest, *args: Any, **sent: Any) -> HttpResponseBase:
        response = view(request, *args, **sent)
        if RETRY_AFTER in request.META:
            response.status_code = 429
            response["Retry-After"] = str(request.META[RETRY_AFTER])
        return response

    return with_status


class SignInView(LoginView):
    """Django's own, and this browser's guest orders come along."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        claim_orders(self.request, form.get_user())
        return response


sign_in = limited(SignInView.as_view())


class ResetForm(PasswordResetForm):
    """Django's own, but as quick for an address without an account."""

    email = EmailField(widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        subject = render_to_string(subject_template_name, context).strip()
        text = render_to_string(email_template_name, context)
        emails.send_soon(EmailMessage(subject, text, from_email, [to_email]))


class ResetView(PasswordResetView):
    """Django's own, only so often."""

    form_class = ResetForm

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            limits.spend(limits.RESETS_OF_ADDRESS, limits.address_of(self.request))
        except limits.TooMany as refusal:
            return _refuse_too_many(self.request, refusal)
        return super().form_valid(form)


reset_password = never_cache(ResetView.as_view())


class ConfirmResetView(PasswordResetConfirmView):
    """Django's own; its page says that one can sign in now, so one can."""

    form_class = ChoosePasswordForm

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        limits.forgive_sign_ins(
            account=form.user.email.lower(), address=limits.address_of(self.request)
        )
        mail_password_changed(self.request, form.user)
        return response


confirm_reset = ConfirmResetView.as_view()


class ChangeView(PasswordChangeView):
    """Django's own, and the account's address is told."""

    form_class = ChangePasswordForm

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        mail_password_changed(self.request, form.user)
        return response


change_password = never_cache(ChangeView.as_view())


def mail_password_changed(request: HttpRequest, user: User) -> None:
    """Tell the account's address; the link of the mail signs nobody in."""
    context = {"url": request.build_absolute_uri(reverse("password_reset"))}
    message = emails.render_message("password_changed", context, to=user.email)
    transaction.on_commit(partial(emails.send_soon, message))


def claim_orders(request: HttpRequest, user: User) -> None:
    """Give the orders placed in this browser as a guest to `user`."""
    here = visitor.of(request)
    if here is not None:
        Order.objects.all().claim(user, visitor=here.id)


def _refuse_too_many(request: HttpRequest, refusal: limits.TooMany) -> HttpResponse:
    context = {"wait": words.wait(refusal.retry_after)}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(refusal.retry_after)
    return response


def _refuse_link(request: HttpRequest) -> HttpResponse:
    return render(request, "registration/signup_invalid.html", status=410)


def _mail_link(request: HttpRequest, email: str) -> None:
    if User.objects.filter(email=email).exists():
        name, address = "account_exists", reverse("login")
    else:
        token = signing.dumps(email, salt=SALT)
        name, address = "signup", reverse("signup_confirm", args=[token])
    context = {"url": request.build_absolute_uri(address), "email": email}
    subject = render_to_string(f"email/{name}_subject.txt", context).strip()
    text = render_to_string(f"email/{name}.txt", context)
    emails.send_soon(EmailMessage(subject, text, to=[email]))
