/** The frame of an Element: mounts its form and speaks with the page. */
import { dress } from "./appearance.js";
import { connect } from "./channel.js";
import { EmailForm } from "./email-form.js";
import { make } from "./fields.js";
import { PaymentForm } from "./payment-form.js";
import { textsFor } from "./texts.js";

const root = /** @type {HTMLElement} */ (document.getElementById("root"));

/** @type {PaymentForm | EmailForm | undefined} */
let form;

const tell = connect({
  mount,
  update,
  reload: () => form?.load(),
  submit: () => form?.submit(),
  confirm: (call) => form?.confirm(call),
  createPaymentMethod: (call) => form?.createPaymentMethod(call),
  outcome: (call) => form?.outcome(call),
  focus: () => form?.focus(),
  blur: () => /** @type {HTMLElement | null} */ (document.activeElement)?.blur(),
  clear: () => form?.clear(),
  collapse: () => form?.collapse(),
});

/** @param {{type: string, key: string, group: any, element: any}} settings */
async function mount(settings) {
  paint(settings.group.appearance);
  if (settings.group.loader !== "never") showSkeleton(settings.group.locale);
  const Form = settings.type === "payment" ? PaymentForm : EmailForm;
  form = new Form(root, settings, tell);
  const { error } = await form.load();
  if (error) {
    tell("loaderror", { error });
    return;
  }
  new ResizeObserver(tellHeight).observe(root);
  tellHeight();
  tell("ready");
  form.start();
}

/** @param {any} changes */
async function update(changes) {
  if (changes.group && "appearance" in changes.group) paint(changes.group.appearance);
  const answer = await form?.update(changes);
  tellHeight();
  return answer;
}

/** @param {any} appearance */
function paint(appearance) {
  tell("painted", { scheme: dress(appearance) });
}

/** @param {string | undefined} locale */
function showSkeleton(locale) {
  const rows = ["wide", "half", "half", "half", "half"].map((size) =>
    make("span", { class: `Skeleton-field Skeleton-field--${size}`, "aria-hidden": "true" }),
  );
  const words = make("span", { class: "visually-hidden" }, textsFor(locale).texts.loading);
  root.replaceChildren(make("div", { class: "Skeleton", role: "status" }, words, ...rows));
  tell("loaderstart");
}

let height = 0;

function tellHeight() {
  const now = Math.ceil(root.getBoundingClientRect().height);
  if (now !== height) tell("height", (height = now));
}

root.addEventListener("focusin", ({ relatedTarget }) => {
  if (!relatedTarget) tell("focus");
});
root.addEventListener("focusout", ({ relatedTarget }) => {
  if (!relatedTarget) tell("blur");
});
root.addEventListener("keydown", (event) => {
  if (event.key === "Escape") tell("escape");
  if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
    event.preventDefault();
    tell("enter");
  }
});
