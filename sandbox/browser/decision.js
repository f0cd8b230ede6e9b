/** The bank's pages: 3-D Secure in a dialog of the shop's page, or a page of their own. */
import { connect } from "./channel.js";
import { textsFor } from "./texts.js";

const card = /** @type {HTMLElement} */ (document.querySelector("main"));
const alert = /** @type {HTMLElement} */ (card.querySelector("[role=alert]"));
const query = new URLSearchParams(location.search);
const isFullPage = window.parent === window || query.get("full") === "1";

const tell = connect({ fail: () => decide("fail"), speak });

/** @param {string | undefined} locale the page's, or the browser's */
function speak(locale) {
  const { language, texts } = textsFor(locale);
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-text]")) {
    const name = /** @type {keyof typeof texts.bank} */ (node.getAttribute("data-text"));
    if (node.matches(".card__close")) node.setAttribute("aria-label", texts.bank[name]);
    else node.textContent = texts.bank[name];
  }
}

/**
 * Send the shopper's decision.
 * @param {string} outcome succeed or fail
 * @returns {Promise<{paymentIntent?: any, error?: any}>}
 */
async function decide(outcome) {
  const client_secret = query.get("client_secret") ?? "";
  try {
    const response = await fetch(location.pathname, {
      method: "POST",
      body: new URLSearchParams({ client_secret, outcome }),
      signal: AbortSignal.timeout(30_000),
    });
    const answer = await response.json();
    if (!response.ok) return { error: answer.error };
    if (isFullPage && answer.return_url) location.assign(answer.return_url);
    return { paymentIntent: answer.payment_intent };
  } catch {
    const message = textsFor(document.documentElement.lang).texts.bank.unreachable;
    return { error: { type: "api_connection_error", message } };
  }
}

/** @param {boolean} busy */
function setBusy(busy) {
  card.setAttribute("aria-busy", String(busy));
  for (const button of card.querySelectorAll("button")) button.disabled = busy;
}

/** @param {string} outcome */
async function choose(outcome) {
  setBusy(true);
  alert.textContent = "";
  const answer = await decide(outcome);
  if (!isFullPage) return tell("done", answer);
  if (!answer.error) return undefined;
  alert.textContent = answer.error.message;
  return setBusy(false);
}

for (const button of card.querySelectorAll("button")) {
  button.addEventListener("click", () => choose(button.dataset.outcome ?? "fail"));
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isFullPage && !card.querySelector(":disabled")) choose("fail");
});
if (isFullPage) speak("auto");
// The buttons come disabled: nobody can press one before it does something.
setBusy(false);
/** @type {HTMLElement} */ (card.querySelector(".button--main")).focus();
