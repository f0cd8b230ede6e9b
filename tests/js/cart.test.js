import assert from "node:assert/strict";
import { test } from "node:test";
import { orderedLines, readQuantity, totalOf } from "../../static/js/cart.js";

const LINES = [
  { product: "notebook", quantity: 2, unitAmount: 1290 },
  { product: "mug", quantity: 0, unitAmount: 1850 },
  { product: "lamp", quantity: 1, unitAmount: 6400 },
];

test("a total is quantity times price over all lines", () => {
  assert.equal(totalOf(LINES), 8980);
  assert.equal(totalOf([]), 0);
});

test("only what was chosen is ordered", () => {
  assert.deepEqual(orderedLines(LINES), [
    { product: "notebook", quantity: 2 },
    { product: "lamp", quantity: 1 },
  ]);
});

for (const [typed, quantity] of [["", 0], ["7", 7], ["-1", 0], ["2.9", 2], ["100", 99], ["1e9", 99], ["x", 0]]) {
  test(`"${typed}" is a quantity of ${quantity}`, () => assert.equal(readQuantity(typed), quantity));
}
