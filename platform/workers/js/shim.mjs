// The shim: what stands in an isolate between the loader and the function. It
// serves a handler as Lambda has them, or a module worker's default export, and
// tells with each answer which isolate it is of, and its how manieth.

import { WorkerEntrypoint, abortIsolate } from "cloudflare:workers";

const ERROR = "X-Coldcurve-Error";

let instance = ""; // drawn at the first request: there is no chance before it
let ordinal = 0;

/** next is the ordinal of the next request, taken in the same turn in which the function begins. */
function next() {
  if (ordinal === 0) instance = crypto.randomUUID();
  return ++ordinal;
}

class Refusal extends Error {}

async function eventOf(request) {
  const text = await request.text();
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch (error) {
    throw new Refusal(`the payload is not JSON: ${error.message}`);
  }
}

/** find gives what "export" or "export.property" names; of CommonJS it is a property of the default. */
function find(module, name) {
  const within = (from) => name.split(".").reduce((value, property) => value?.[property], from);
  const found = within(module) ?? within(module.default);
  if (typeof found !== "function" && typeof found?.fetch !== "function") {
    throw new Error(`${name} is neither a function nor an object with fetch`);
  }
  if (typeof found === "function" && found.length > 2) {
    throw new Error(`${name} takes a callback: make it async, or have it return its answer`);
  }
  return found;
}

const failure = (kind, error) => {
  const thrown = error instanceof Error ? error : new Error(String(error));
  const text = JSON.stringify({ errorType: thrown.name, errorMessage: thrown.message });
  return new Response(text, { status: kind === "refused" ? 400 : 500, headers: { [ERROR]: kind } });
};

/** serve is an isolate's default export. */
export function serve(module, name, functionName) {
  const found = find(module, name);
  const answer = async (request, env, ctx, count) => {
    if (typeof found !== "function") {
      count();
      return found.fetch(request, env, ctx);
    }
    const event = await eventOf(request);
    count();
    const result = await found(event, { functionName, awsRequestId: crypto.randomUUID() });
    return new Response(JSON.stringify(result ?? null), { headers: { "Content-Type": "application/json" } });
  };
  return {
    async fetch(request, env, ctx) {
      let own = 0;
      const count = () => (own ||= next());
      let response;
      try {
        response = await answer(request, env, ctx, count);
      } catch (error) {
        count();
        response = failure(error instanceof Refusal ? "refused" : "handler", error);
      }
      const headers = new Headers(response.headers);
      headers.set("X-Coldcurve-Instance", instance);
      headers.set("X-Coldcurve-Ordinal", String(own));
      return new Response(response.body, { status: response.status, headers });
    },
  };
}

/** End ends the isolate. */
export class End extends WorkerEntrypoint {
  end() {
    abortIsolate("evicted");
  }
}
