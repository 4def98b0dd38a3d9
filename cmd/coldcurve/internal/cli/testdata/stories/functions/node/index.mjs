import { readFileSync } from "node:fs";

const says = readFileSync("says.txt", "utf8").trim();

export const handler = async (event, context) => {
  console.log("serving", event.name ?? "");
  if (event.fail) throw new Error("as it was asked to");
  return {
    says,
    greeting: process.env.GREETING ?? "",
    name: event.name ?? "",
    memory: context.memoryLimitInMB,
  };
};
