/** The hidden frame: API calls of the page that need no form. */
import { confirm, retrieve } from "./api.js";
import { connect } from "./channel.js";
import { outcomeOf, translated } from "./outcome.js";
import { textsFor } from "./texts.js";

connect({
  retrieve,
  confirm: async ({ key, clientSecret, confirmParams, locale }) => {
    const answer = await confirm({ key, clientSecret, params: confirmParams });
    const { texts } = textsFor(locale);
    return answer.error ? { error: translated(answer.error, texts) } : answer;
  },
  outcome: ({ intent, locale }) => outcomeOf(intent, textsFor(locale).texts),
});
