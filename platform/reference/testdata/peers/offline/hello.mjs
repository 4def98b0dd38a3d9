// hello: see fixtures/functions/hello. Served is 1 in a worker thread that is new.
let served = 0;

export const handler = async (event) => {
  const greeting = event?.greeting ?? "hello";
  return { greeting, bytes: Buffer.byteLength(JSON.stringify(event)), served: ++served };
};
