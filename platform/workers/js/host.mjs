// The host: the one worker that workerd is started with. It keeps the functions
// that the adapter hands it, has the worker loader start isolates of them, and
// tells with each answer what the loader did for it. It reads no clock: a
// worker's stands still between its inputs and outputs.

const KEY = "X-Coldcurve-Key";
const START = "X-Coldcurve-Start";
const ERROR = "X-Coldcurve-Error";

const functions = new Map(); // by name
let names = 0; // of isolates, so far: none is used twice

/** isolate is a name that the loader has not heard, and what has become of it. */
const isolate = () => ({ name: `isolate-${++names}`, asked: false, answered: false });

/** decode gives a module as the loader wants it; what is no text came in base64. */
function decode({ kind, content }) {
  switch (kind) {
    case "json":
      return { json: JSON.parse(content) };
    case "data":
    case "wasm":
      return { [kind]: new Uint8Array(Buffer.from(content, "base64")).buffer };
  }
  return { [kind]: content };
}

const failure = (status, kind, message) =>
  new Response(JSON.stringify({ errorMessage: message }), { status, headers: { [ERROR]: kind } });

const done = () => new Response(null, { status: 204 });

async function deploy(name, request, env) {
  const { main, modules, variables } = await request.json();
  const code = {
    compatibilityDate: env.COMPATIBILITY_DATE,
    compatibilityFlags: ["nodejs_compat"],
    mainModule: main,
    modules: Object.fromEntries(Object.entries(modules).map(([path, module]) => [path, decode(module)])),
    env: variables ?? {},
  };
  functions.set(name, { code, isolate: isolate() });
  return done();
}

/** end puts an isolate away. One that was never asked for is not there. */
async function end(fn, env) {
  const old = fn.isolate;
  fn.isolate = isolate();
  if (!old.asked) return;
  try {
    await load(fn, old, env).getEntrypoint("End").end();
  } catch {
    // Its end is that of the call, too.
  }
}

const load = (fn, isolate, env, loading = () => {}) =>
  env.LOADER.get(isolate.name, () => {
    loading();
    return fn.code;
  });

async function evict(name, env) {
  const fn = functions.get(name);
  if (!fn) return failure(404, "refused", "there is no such function");
  await end(fn, env);
  return done();
}

async function remove(name, env) {
  const fn = functions.get(name);
  functions.delete(name);
  if (fn) await end(fn, env);
  return done();
}

/** failed says what became of a request that no shim has answered. */
function failed(fn, own, message) {
  if (/ had hung /.test(message)) return failure(500, "handler", message); // its promise is nobody's to keep
  if (fn.isolate === own) fn.isolate = isolate(); // the loader keeps one that is of no use
  return failure(500, own.answered ? "crash" : "init", message);
}

async function invoke(name, request, env) {
  const fn = functions.get(name);
  if (!fn) return failure(404, "refused", "there is no such function");
  const own = fn.isolate;
  let start = own.asked && !own.answered ? "queued" : "warm";
  own.asked = true;
  const worker = load(fn, own, env, () => (start = "cold"));
  let answer;
  try {
    answer = await worker.getEntrypoint().fetch(request);
  } catch (error) {
    return failed(fn, own, String(error));
  }
  own.answered = true;
  const headers = new Headers(answer.headers);
  headers.set(START, start);
  return new Response(answer.body, { status: answer.status, headers });
}

export default {
  async fetch(request, env) {
    if (request.headers.get(KEY) !== env.KEY) return failure(403, "refused", "the key is missing");
    const [, what, name] = new URL(request.url).pathname.split("/").map(decodeURIComponent);
    switch (`${request.method} ${what}`) {
      case "PUT functions":
        return deploy(name, request, env);
      case "DELETE functions":
        return remove(name, env);
      case "POST evictions":
        return evict(name, env);
      case "POST invocations":
        return invoke(name, request, env);
    }
    return failure(404, "refused", "there is nothing at this path");
  },
};
