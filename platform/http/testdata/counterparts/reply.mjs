// One request of the conformance kit to the subject: its text in, the answer's
// text out, with the beacon among the headers.
import { handler } from "./index.mjs";

export async function reply(text) {
  try {
    const answer = await handler(JSON.parse(text));
    const headers = {};
    if (answer.instance) {
      headers["X-Coldcurve-Instance"] = answer.instance;
      headers["X-Coldcurve-Ordinal"] = String(answer.ordinal);
    }
    return { status: 200, headers, body: JSON.stringify(answer) };
  } catch {
    return { status: 500, headers: {}, body: "" };
  }
}
