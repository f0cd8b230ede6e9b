const COPIED_MILLISECONDS = 2000;

/** <copy-button data-text data-copied>: its button copies the text and says so. */
class CopyButton extends HTMLElement {
  /** @type {number | undefined} */
  #timer;

  connectedCallback() {
    this.addEventListener("click", () => this.#copy());
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  async #copy() {
    const { text = "", copied = "" } = this.dataset;
    if (!(await write(text))) return;
    this.#say(copied);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(""), COPIED_MILLISECONDS);
  }

  /** @param {string} feedback */
  #say(feedback) {
    this.toggleAttribute("data-done", feedback !== "");
    const place = this.querySelector("[role=status]");
    if (place) place.textContent = feedback;
  }
}

/** @param {string} text */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed here; the text can still be selected by hand.
    return false;
  }
}

customElements.define("copy-button", CopyButton);
