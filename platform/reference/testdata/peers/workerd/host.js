// A path is a worker's name: one that was not asked for before gets an isolate.
import hello from "hello.js";

export default {
  fetch(request, env) {
    const worker = env.LOADER.get(new URL(request.url).pathname, () => ({
      compatibilityDate: "2025-06-01",
      mainModule: "hello.js",
      modules: { "hello.js": hello },
      globalOutbound: null,
    }));
    return worker.getEntrypoint().fetch(request);
  },
};
