/** Every word the frames say, in English and German. */

const EN = {
  cardNumber: "Card number",
  expiry: "Expiration date",
  expiryPlaceholder: "MM / YY",
  cvc: "Security code",
  cvcPlaceholder: "CVC",
  cvcHint: "3-digit code on the back of the card",
  cvcHintAmex: "4-digit code on the front of the card",
  country: "Country",
  postalCode: "Postal code",
  zip: "ZIP code",
  name: "Full name",
  namePlaceholder: "First and last name",
  email: "Email",
  phone: "Phone number",
  iban: "IBAN",
  routingNumber: "Routing number",
  accountNumber: "Account number",
  methods: "Payment methods",
  more: "More payment methods",
  supportedBrands: "Supported cards: Visa, Mastercard, American Express, Discover",
  badge: "Sandbox",
  loading: "Loading payment form…",
  redirect: (/** @type {string} */ name) =>
    `After you submit, you will be redirected to ${name} to securely complete the next steps.`,
  redirectBank: "After you submit, you will be redirected to your bank to securely complete the next steps.",
  cardTerms: (/** @type {string} */ business) =>
    `By providing your card information, you allow ${business} to charge your card for future payments in accordance with their terms.`,
  sepaTerms: (/** @type {string} */ business) =>
    `By providing your payment information and confirming this payment, you authorise (A) ${business} and its payment service provider to send instructions to your bank to debit your account and (B) your bank to debit your account in accordance with those instructions. As part of your rights, you are entitled to a refund from your bank under the terms and conditions of your agreement with your bank. A refund must be claimed within 8 weeks starting from the date on which your account was debited. You agree to receive notifications for future debits up to 2 days before they occur.`,
  usBankTerms: (/** @type {string} */ business) =>
    `By continuing, you authorize ${business} to debit the bank account specified above for any amount owed for charges arising from your purchase, until this authorization is revoked.`,
  merchant: "the merchant",
  methodNames: {
    card: "Card",
    sepa_debit: "SEPA Direct Debit",
    us_bank_account: "US bank account",
    ideal: "iDEAL",
    bancontact: "Bancontact",
    eps: "EPS",
    p24: "Przelewy24",
    klarna: "Klarna",
    alipay: "Alipay",
  },
  // Stripe's own test pages are in English only; these follow the page.
  bank: {
    name: "Test bank",
    close: "Close",
    challenge: "3D Secure 2 test page",
    challengeWords: "Your bank asks whether this payment is yours. Choose what it should find.",
    complete: "Complete",
    fail: "Fail",
    payment: "Test payment page",
    paymentWords: "Authorize or fail the payment to go back to the shop. Close this page to never come back.",
    authorize: "Authorize test payment",
    failPayment: "Fail test payment",
    unreachable: "The bank could not be reached. Please try again.",
  },
  problems: {
    incomplete_number: "Your card number is incomplete.",
    invalid_number: "Your card number is invalid.",
    incomplete_expiry: "Your card's expiration date is incomplete.",
    invalid_expiry_month: "Your card's expiration date is invalid.",
    invalid_expiry_month_past: "Your card's expiration date is in the past.",
    invalid_expiry_year_past: "Your card's expiration year is in the past.",
    invalid_expiry_year: "Your card's expiration year is invalid.",
    incomplete_cvc: "Your card's security code is incomplete.",
    incomplete_zip: "Your postal code is incomplete.",
    invalid_zip: "Your ZIP code is invalid.",
    incomplete_name: "Please provide your full name.",
    incomplete_email: "Your email is incomplete.",
    invalid_email: "Your email is invalid.",
    incomplete_phone: "Your phone number is incomplete.",
    incomplete_iban: "The IBAN you entered is incomplete.",
    invalid_iban: "The IBAN you entered is invalid.",
    incomplete_routing_number: "Your routing number is incomplete.",
    invalid_routing_number: "Your routing number is invalid.",
    incomplete_account_number: "Your account number is incomplete.",
    incomplete_payment_method: "Please select a payment method.",
  },
  // By decline_code, code or type: what Stripe.js says in other words than the API.
  declines: {
    payment_intent_authentication_failure:
      "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
  },
};

/** @type {Omit<typeof EN, "declines"> & {declines: Record<string, string>}} */
const DE = {
  cardNumber: "Kartennummer",
  expiry: "Ablaufdatum",
  expiryPlaceholder: "MM / JJ",
  cvc: "Prüfziffer",
  cvcPlaceholder: "CVC",
  cvcHint: "3-stelliger Code auf der Rückseite der Karte",
  cvcHintAmex: "4-stelliger Code auf der Vorderseite der Karte",
  country: "Land",
  postalCode: "Postleitzahl",
  zip: "Postleitzahl",
  name: "Vollständiger Name",
  namePlaceholder: "Vor- und Nachname",
  email: "E-Mail",
  phone: "Telefonnummer",
  iban: "IBAN",
  routingNumber: "Bankleitzahl (Routing Number)",
  accountNumber: "Kontonummer",
  methods: "Zahlungsmethoden",
  more: "Weitere Zahlungsmethoden",
  supportedBrands: "Unterstützte Karten: Visa, Mastercard, American Express, Discover",
  badge: "Sandbox",
  loading: "Zahlungsformular wird geladen …",
  redirect: (name) =>
    `Nach dem Absenden werden Sie zu ${name} weitergeleitet, um die nächsten Schritte sicher abzuschließen.`,
  redirectBank:
    "Nach dem Absenden werden Sie zu Ihrer Bank weitergeleitet, um die nächsten Schritte sicher abzuschließen.",
  cardTerms: (business) =>
    `Mit der Angabe Ihrer Kartendaten gestatten Sie ${business}, Ihre Karte für künftige Zahlungen gemäß den dortigen Bedingungen zu belasten.`,
  sepaTerms: (business) =>
    `Mit der Angabe Ihrer Zahlungsdaten und der Bestätigung dieser Zahlung ermächtigen Sie (A) ${business} und dessen Zahlungsdienstleister, Ihrer Bank Anweisungen zur Belastung Ihres Kontos zu senden, und (B) Ihre Bank, Ihr Konto gemäß diesen Anweisungen zu belasten. Sie haben Anspruch auf Erstattung durch Ihre Bank gemäß den mit ihr vereinbarten Bedingungen. Die Erstattung ist innerhalb von 8 Wochen ab dem Tag der Belastung zu verlangen. Sie stimmen zu, bis zu 2 Tage vor künftigen Abbuchungen benachrichtigt zu werden.`,
  usBankTerms: (business) =>
    `Mit dem Fortfahren ermächtigen Sie ${business}, das oben angegebene Bankkonto mit Beträgen aus Ihrem Einkauf zu belasten, bis Sie diese Ermächtigung widerrufen.`,
  merchant: "den Händler",
  methodNames: {
    card: "Karte",
    sepa_debit: "SEPA-Lastschrift",
    us_bank_account: "US-Bankkonto",
    ideal: "iDEAL",
    bancontact: "Bancontact",
    eps: "EPS",
    p24: "Przelewy24",
    klarna: "Klarna",
    alipay: "Alipay",
  },
  bank: {
    name: "Testbank",
    close: "Schließen",
    challenge: "3D Secure 2: Testseite",
    challengeWords: "Ihre Bank fragt, ob diese Zahlung von Ihnen ist. Wählen Sie, was sie feststellen soll.",
    complete: "Bestätigen",
    fail: "Ablehnen",
    payment: "Testseite für Zahlungen",
    paymentWords: "Bestätigen Sie die Zahlung oder lassen Sie sie scheitern, um zum Shop zurückzukehren. Schließen Sie diese Seite, um nie zurückzukehren.",
    authorize: "Testzahlung bestätigen",
    failPayment: "Testzahlung scheitern lassen",
    unreachable: "Die Bank war nicht erreichbar. Bitte versuchen Sie es erneut.",
  },
  problems: {
    incomplete_number: "Ihre Kartennummer ist unvollständig.",
    invalid_number: "Ihre Kartennummer ist ungültig.",
    incomplete_expiry: "Das Ablaufdatum Ihrer Karte ist unvollständig.",
    invalid_expiry_month: "Das Ablaufdatum Ihrer Karte ist ungültig.",
    invalid_expiry_month_past: "Das Ablaufdatum Ihrer Karte liegt in der Vergangenheit.",
    invalid_expiry_year_past: "Das Ablaufjahr Ihrer Karte liegt in der Vergangenheit.",
    invalid_expiry_year: "Das Ablaufjahr Ihrer Karte ist ungültig.",
    incomplete_cvc: "Die Prüfziffer Ihrer Karte ist unvollständig.",
    incomplete_zip: "Ihre Postleitzahl ist unvollständig.",
    invalid_zip: "Ihre Postleitzahl ist ungültig.",
    incomplete_name: "Bitte geben Sie Ihren vollständigen Namen an.",
    incomplete_email: "Ihre E-Mail-Adresse ist unvollständig.",
    invalid_email: "Ihre E-Mail-Adresse ist ungültig.",
    incomplete_phone: "Ihre Telefonnummer ist unvollständig.",
    incomplete_iban: "Die eingegebene IBAN ist unvollständig.",
    invalid_iban: "Die eingegebene IBAN ist ungültig.",
    incomplete_routing_number: "Ihre Bankleitzahl ist unvollständig.",
    invalid_routing_number: "Ihre Bankleitzahl ist ungültig.",
    incomplete_account_number: "Ihre Kontonummer ist unvollständig.",
    incomplete_payment_method: "Bitte wählen Sie eine Zahlungsmethode.",
  },
  declines: {
    api_connection_error:
      "Der Zahlungsdienst war nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es erneut.",
    card_declined: "Ihre Karte wurde abgelehnt.",
    insufficient_funds: "Ihre Karte ist nicht ausreichend gedeckt.",
    expired_card: "Ihre Karte ist abgelaufen.",
    incorrect_cvc: "Die Prüfziffer Ihrer Karte ist falsch.",
    incorrect_number: "Ihre Kartennummer ist falsch.",
    processing_error:
      "Bei der Verarbeitung Ihrer Karte ist ein Fehler aufgetreten. Bitte versuchen Sie es in Kürze erneut.",
    payment_intent_authentication_failure:
      "Ihre Zahlungsmethode konnte nicht authentifiziert werden. Bitte wählen Sie eine andere Zahlungsmethode und versuchen Sie es erneut.",
  },
};

/**
 * The texts of a language; English for one that is not here.
 * @param {string | undefined} locale "auto" is the browser's
 */
export function textsFor(locale) {
  const wanted = !locale || locale === "auto" ? navigator.language : locale;
  const language = /^de\b/i.test(wanted) ? "de" : "en";
  return { language, texts: language === "de" ? DE : EN };
}
