// The subject as a function behind a URL answers: with headers, its beacon among
// them. serverless-offline sends no log with its answers.
import { handler as subject } from "./index.mjs";

export const handler = async (event) => {
  const answer = await subject(event);
  if (!answer.instance) return answer; // a large one, which is a string
  const headers = { "X-Coldcurve-Instance": answer.instance, "X-Coldcurve-Ordinal": String(answer.ordinal) };
  return { ...answer, headers };
};
