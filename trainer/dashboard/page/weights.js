// Weights: which there are, for who chooses some.

import { ask } from "./connection.js";
import { make } from "./elements.js";

/** Offer all weights in a choice; what was chosen before stays chosen. */
export async function offerWeights(...choices) {
  const { weights } = await ask("/weights");
  for (const choice of choices) {
    const before = choice.value;
    choice.replaceChildren(
      ...weights.map(({ name, model, layers, accuracy }) => {
        const known = accuracy === null ? "" : `, MNIST ${(100 * accuracy).toFixed(2)} %`;
        return make("option", { value: name }, `${name} (${model.slice(0, 8)}, ${layers.join("–")}${known})`);
      }),
    );
    if (weights.some(({ name }) => name === before)) choice.value = before;
  }
  return weights;
}
