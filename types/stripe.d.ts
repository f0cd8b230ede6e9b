// What the script tag of Stripe.js leaves on the page, and its types by bare names:
// an `import("@stripe/stripe-js")` in a comment under static/ breaks collectstatic.

import type * as stripe from "@stripe/stripe-js";

declare global {
  const Stripe: stripe.StripeConstructor;
  type Appearance = stripe.Appearance;
  type PaymentIntentResult = stripe.PaymentIntentResult;
  type StripeElements = stripe.StripeElements;
  type StripeError = stripe.StripeError;
  type StripePaymentElement = stripe.StripePaymentElement;
}
