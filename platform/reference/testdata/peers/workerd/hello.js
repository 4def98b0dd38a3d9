// hello: see fixtures/functions/hello. Served is 1 in an isolate that is new.
let served = 0;

export default {
  async fetch(request) {
    const event = await request.json();
    const greeting = event?.greeting ?? "hello";
    const bytes = new TextEncoder().encode(JSON.stringify(event)).length;
    return Response.json({ greeting, bytes, served: ++served });
  },
};
