// The subject as a plain HTTP server, on Deno or on Bun.
import { reply } from "./reply.mjs";

const serve = async (request) => {
  const { status, headers, body } = await reply(await request.text());
  return new Response(body, { status, headers });
};

const where = { hostname: "127.0.0.1", port: 0 };
const port = globalThis.Deno
  ? Deno.serve({ ...where, onListen() {} }, serve).addr.port
  : Bun.serve({ ...where, fetch: serve }).port;
console.log(`listening on 127.0.0.1:${port}`);
