/** Everything a page of the shop may come to life with. */
import "./copy-button.js";
import "./order-card.js";
import "./payment-form.js";
