"""Stripe's published test cards, as a table: what each one does.

https://docs.stripe.com/testing. A name is what follows `pm_card_`; one that starts
with an underscore has no such id. No other number is ever accepted, and a number
itself is never stored: an object remembers the name.
"""

import re
from dataclasses import dataclass

AMEX, DINERS, DISCOVER = "amex", "diners", "discover"
JCB, MASTERCARD, UNIONPAY, VISA = "jcb", "mastercard", "unionpay", "visa"


@dataclass(frozen=True, kw_only=True)
class Card:
    """A test card; what is not said works like 4242 4242 4242 4242."""

    name: str
    number: str
    brand: str = VISA
    funding: str = "credit"
    country: str = "US"
    networks: tuple[str, ...] = ()

    # The decline, and what the shopper is asked for before.
    code: str | None = None
    decline_code: str | None = None
    blocked: bool = False
    attaches: bool = False  # to a customer although it declines
    three_d_secure: str = "optional"  # required, optional, frictionless, unsupported

    # Checks and risk.
    cvc_check: str = "pass"
    line1_check: str = "pass"
    postal_code_check: str = "pass"
    risk_level: str = "normal"

    # What happens after the payment.
    disputes: tuple[str, ...] = ()
    early_fraud_warning: bool = False
    refund: str = "succeeded"  # pending: succeeds later; failed: fails later
    funds: str = "pending"  # available at once, or pending

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def is_declined(self) -> bool:
        return self.code is not None


def _brand(name: str, number: str, brand: str, **rest: str | tuple[str, ...]) -> Card:
    return Card(name=name, number=number, brand=brand, **rest)  # type: ignore[arg-type]


BRANDS = [
    Card(name="visa", number="4242424242424242"),
    Card(name="visa_debit", number="4000056655665556", funding="debit"),
    _brand("mastercard", "5555555555554444", MASTERCARD),
    _brand("_mastercard_2series", "2223003122003222", MASTERCARD),
    _brand("mastercard_debit", "5200828282828210", MASTERCARD, funding="debit"),
    _brand("mastercard_prepaid", "5105105105105100", MASTERCARD, funding="prepaid"),
    _brand("amex", "378282246310005", AMEX, three_d_secure="unsupported"),
    _brand("_amex_2", "371449635398431", AMEX, three_d_secure="unsupported"),
    _brand("discover", "6011111111111117", DISCOVER),
    _brand("_discover_2", "6011000990139424", DISCOVER),
    _brand("_discover_debit", "6011981111111113", DISCOVER, funding="debit"),
    _brand("diners", "3056930009020004", DINERS),
    _brand("_diners_14_digits", "36227206271667", DINERS),
    _brand("_bccard", "6555900000604105", DISCOVER, country="KR"),
    _brand("jcb", "3566002020360505", JCB),
    _brand("unionpay", "6200000000000005", UNIONPAY, country="CN"),
    _brand(
        "_unionpay_debit", "6200000000000047", UNIONPAY, country="CN", funding="debit"
    ),
    _brand("_unionpay_19_digits", "6205500000000000004", UNIONPAY, country="CN"),
    Card(
        name="visa_cartesBancaires",
        number="4000002500001001",
        country="FR",
        networks=("cartes_bancaires", VISA),
    ),
    _brand(
        "mastercard_cartesBancaires",
        "5555552500001001",
        MASTERCARD,
        country="FR",
        networks=("cartes_bancaires", MASTERCARD),
    ),
    _brand("_eftpos_visa", "4000050360000001", VISA, country="AU", funding="debit"),
    _brand(
        "_eftpos_mastercard",
        "5555050360000080",
        MASTERCARD,
        country="AU",
        funding="debit",
    ),
    Card(name="_hsa_visa", number="4000051230000072", funding="prepaid"),
    _brand("_hsa_mastercard", "5200828282828897", MASTERCARD, funding="prepaid"),
]

# Country code and number; the id is pm_card_<cc>.
COUNTRY_NUMBERS = """
AE 4000007840000001  AR 4000000320000021  AT 4000000400000008  AU 4000000360000006
BE 4000000560000004  BG 4000001000000000  BR 4000000760000002  BY 4000001120000005
CA 4000001240000000  CH 4000007560000009  CL 4000001520000001  CN 4000001560000002
CO 4000001700000003  CR 4000001880000005  CY 4000001960000008  CZ 4000002030000002
DE 4000002760000016  DK 4000002080000001  EC 4000002180000000  EE 4000002330000009
ES 4000007240000007  FI 4000002460000001  FR 4000002500000003  GB 4000008260000000
GI 4000002920000005  GR 4000003000000030  HK 4000003440000004  HR 4000001910000009
HU 4000003480000005  IE 4000003720000005  IN 4000003560000008  IT 4000003800000008
JP 4000003920000003  LI 4000004380000004  LT 4000004400000000  LU 4000004420000006
LV 4000004280000005  MT 4000004700000007  MX 4000004840008001  MY 4000004580000002
NL 4000005280000002  NO 4000005780000007  NZ 4000005540000008  PA 4000005910000000
PE 4000006040000068  PL 4000006160000005  PT 4000006200000007  PY 4000006000000066
RO 4000006420000001  SA 4000006820000007  SE 4000007520000008  SG 4000007020000003
SI 4000007050000006  SK 4000007030000001  TH 4000007640000003  TW 4000001580000008
UY 4000008580000003
"""
COUNTRIES = [
    Card(name=country.lower(), number=number, country=country)
    for country, number in re.findall(r"([A-Z]{2}) (\d+)", COUNTRY_NUMBERS)
] + [
    Card(name="gb_debit", number="4000058260000005", country="GB", funding="debit"),
    _brand("gb_mastercard", "5555558265554449", MASTERCARD, country="GB"),
    _brand("_jp_jcb", "3530111333300000", JCB, country="JP"),
    _brand("_mx_carnet", "5062210000000009", MASTERCARD, country="MX"),
    _brand("ae_mastercard", "5200007840000022", MASTERCARD, country="AE"),
    Card(name="th_debit", number="4000057640000008", country="TH", funding="debit"),
]


def _declined(name: str, number: str, code: str, decline_code: str = "") -> Card:
    return Card(name=name, number=number, code=code, decline_code=decline_code or None)


DECLINED = "card_declined"
DECLINES = [
    _declined("visa_chargeDeclined", "4000000000000002", DECLINED, "generic_decline"),
    _declined(
        "visa_chargeDeclinedInsufficientFunds",
        "4000000000009995",
        DECLINED,
        "insufficient_funds",
    ),
    _declined("visa_chargeDeclinedLostCard", "4000000000009987", DECLINED, "lost_card"),
    _declined(
        "visa_chargeDeclinedStolenCard", "4000000000009979", DECLINED, "stolen_card"
    ),
    _declined("chargeDeclinedExpiredCard", "4000000000000069", "expired_card"),
    Card(
        name="chargeDeclinedIncorrectCvc",
        number="4000000000000127",
        code="incorrect_cvc",
        cvc_check="fail",
    ),
    _declined("chargeDeclinedProcessingError", "4000000000000119", "processing_error"),
    _declined(
        "visa_chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        DECLINED,
        "card_velocity_exceeded",
    ),
    Card(
        name="chargeCustomerFail",
        number="4000000000000341",
        code=DECLINED,
        decline_code="generic_decline",
        attaches=True,
    ),
    Card(
        name="radarBlock",
        number="4100000000000019",
        code=DECLINED,
        decline_code="fraudulent",
        blocked=True,
        risk_level="highest",
    ),
]

CHECKS = [
    Card(name="riskLevelHighest", number="4000000000004954", risk_level="highest"),
    Card(name="riskLevelElevated", number="4000000000009235", risk_level="elevated"),
    Card(name="cvcCheckFail", number="4000000000000101", cvc_check="fail"),
    Card(name="avsZipFail", number="4000000000000036", postal_code_check="fail"),
    Card(name="_avsLine1Fail", number="4000000000000028", line1_check="fail"),
    Card(
        name="avsFail",
        number="4000000000000010",
        line1_check="fail",
        postal_code_check="fail",
    ),
    Card(
        name="avsUnchecked",
        number="4000000000000044",
        line1_check="unavailable",
        postal_code_check="unavailable",
    ),
    Card(
        name="_cvcCheckFailElevated",
        number="4000058400307872",
        cvc_check="fail",
        risk_level="elevated",
    ),
    Card(
        name="_avsZipFailElevated",
        number="4000058400306072",
        postal_code_check="fail",
        risk_level="elevated",
    ),
    Card(name="highFraudDisputeScore", number="4000008400000407"),
    Card(name="highEfwScore", number="4000008400000159"),
    Card(name="radarDynamicRiskThreshold", number="4000008400001017"),
    Card(name="freeTrialAbuseBlock", number="4001858821843804"),
    Card(name="adaptive3dsChallenge", number="4000008405600003"),
]


def _asks(name: str, number: str, **rest: str) -> Card:
    return Card(name=name, number=number, three_d_secure="required", **rest)  # type: ignore[arg-type]


THREE_D_SECURE = [
    _asks("authenticationRequired", "4000002760003184", country="DE"),
    _asks("authenticationRequiredOnSetup", "4000002500003155", country="FR"),
    _asks("authenticationRequiredSetupForOffSession", "4000003800000446", country="IT"),
    _asks(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        country="GB",
        code=DECLINED,
        decline_code="insufficient_funds",
    ),
    _asks("threeDSecure2Required", "4000000000003220", country="IE"),
    _asks("_threeDSecure2RequiredUS", "4000008400000027"),
    _asks(
        "threeDSecureRequiredChargeDeclined",
        "4000008400001629",
        code=DECLINED,
        decline_code="generic_decline",
    ),
    Card(
        name="threeDSecureRequiredProcessingError",
        number="4000008400001280",
        three_d_secure="broken",
    ),
    Card(name="threeDSecureOptional", number="4000000000003055"),
    Card(
        name="threeDSecureOptionalProcessingError",
        number="4000000000003097",
        three_d_secure="broken if asked",
    ),
    Card(
        name="_frictionless", number="4000000032200000", three_d_secure="frictionless"
    ),
]


def _disputed(name: str, number: str, *disputes: str, brand: str = VISA) -> Card:
    return Card(name=name, number=number, brand=brand, disputes=disputes)


AFTERWARDS = [
    _disputed("createDispute", "4000000000000259", "fraudulent"),
    _disputed(
        "createDisputeProductNotReceived", "4000000000002685", "product_not_received"
    ),
    _disputed("createDisputeInquiry", "4000000000001976", "inquiry"),
    Card(
        name="createIssuerFraudRecord",
        number="4000000000005423",
        early_fraud_warning=True,
    ),
    _disputed("createMultipleDisputes", "4000000404000079", "fraudulent", "general"),
    _disputed("createCe3EligibleDispute", "4000000404000038", "fraudulent"),
    _disputed("createComplianceDispute", "4000008400000779", "noncompliant"),
    _disputed(
        "_mastercardComplianceDispute",
        "5105008400000002",
        "noncompliant",
        brand=MASTERCARD,
    ),
    Card(name="pendingRefund", number="4000000000007726", refund="pending"),
    Card(name="refundFail", number="4000000000005126", refund="failed"),
    Card(name="bypassPending", number="4000000000000077", funds="available"),
    Card(
        name="bypassPendingInternational",
        number="4000003720000278",
        country="IE",
        funds="available",
    ),
]

CARDS = [
    *BRANDS,
    *COUNTRIES,
    *DECLINES,
    *CHECKS,
    *THREE_D_SECURE,
    *AFTERWARDS,
]
BY_NUMBER = {card.number: card for card in CARDS}
BY_NAME = {card.name: card for card in CARDS}

# Other ids for the same cards.
ALIASES = {
    "us": "visa",
    "chargeDeclined": "visa_chargeDeclined",
    "chargeDeclinedInsufficientFunds": "visa_chargeDeclinedInsufficientFunds",
    "visa_chargeDeclinedExpiredCard": "chargeDeclinedExpiredCard",
    "visa_chargeDeclinedIncorrectCvc": "chargeDeclinedIncorrectCvc",
    "visa_chargeDeclinedProcessingError": "chargeDeclinedProcessingError",
    "th_credit": "th",
    "amex_threeDSecureNotSupported": "amex",
}


def by_id(payment_method_id: str) -> Card | None:
    """Return the card of `pm_card_…`, or None if there is no such id."""
    name = payment_method_id.removeprefix("pm_card_")
    if name == payment_method_id or name.startswith("_"):
        return None
    return BY_NAME.get(ALIASES.get(name, name))
