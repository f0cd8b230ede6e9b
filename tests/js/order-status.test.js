import assert from "node:assert/strict";
import { test } from "node:test";
import { pause } from "../../static/js/order-status.js";

test("the shop is asked often at first, then less and less", () => {
  assert.deepEqual([0, 4_999, 5_000, 29_999, 30_000, 600_000].map(pause), [500, 500, 1000, 1000, 5000, 5000]);
});
