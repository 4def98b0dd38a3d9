// The subject on Google's functions-framework. Its command listens on every
// interface and takes no other word for it; its server, as it gives it to
// tests, listens where it is told.
import functions from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { reply } from "./reply.mjs";

functions.http("subject", async (request, response) => {
  const { status, headers, body } = await reply(request.rawBody.toString());
  response.status(status).set(headers).send(body);
});

const server = getTestServer("subject").listen(0, "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
