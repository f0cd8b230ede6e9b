// What the shop answers with (README: routes), and names the page's modules share.

import type * as stripe from "@stripe/stripe-js";

declare global {
  type StripeClient = stripe.Stripe;
  type StripeElementLocale = stripe.StripeElementLocale;

  type OrderState = {
    number: string;
    token: string;
    url: string;
    status: "pending" | "processing" | "paid" | "canceled";
    amount: number;
    currency: string;
    amount_refunded: number;
    paid_at: string | null;
    /** Why a canceled order was closed; empty for any other. */
    closed_reason: "" | "expired" | "replaced" | "operator" | "failed" | "declined";
    /** Whether the bank refused the last attempt; `message` then says it. */
    is_declined: boolean;
    message: string;
  };

  type Price = { product: string; unit_amount: number };

  /** Why the shop would not do it; what else it says depends on `code`. */
  type Refusal = {
    code: string;
    message: string;
    /** What of the request was wrong, if the shopper can correct it. */
    field?: string;
    order?: OrderState;
    lines?: Price[];
    amount?: number;
    currency?: string;
  };

  /** "silent": nobody knows whether the request arrived. */
  type Answer =
    | { kind: "answered"; body: any }
    | { kind: "refused"; status: number; error: Refusal | null; reference: string }
    | { kind: "silent" };

  type CartLine = { product: string; quantity: number; unitAmount: number };
}
