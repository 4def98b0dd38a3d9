// The subject in JavaScript: see subject.go, whose behaviour this is.
import { next } from "./beacon.mjs";

if (process.env.SUBJECT_BROKEN) throw new Error("broken, as it was told");

const wait = (ms) => new Promise((wake) => setTimeout(wake, ms));

export const handler = async (event) => {
  const { instance, ordinal } = next();
  switch (event.do) {
    case "sleep":
      await wait(event.ms);
      break;
    case "fail":
      throw new Error(`failed as it was told: ${event.text}`);
    case "exit":
      process.exit(3);
      break;
    case "large":
      return "x".repeat(event.bytes - 2);
  }
  const size = new TextEncoder().encode(JSON.stringify(event)).length;
  return { text: event.text ?? "", instance, ordinal, size };
};
