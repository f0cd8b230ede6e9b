// What the script tag of Stripe.js leaves on the page.

import type { StripeConstructor } from "@stripe/stripe-js";

declare global {
  const Stripe: StripeConstructor;
}
