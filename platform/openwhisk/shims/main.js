// The shim: an action of OpenWhisk around a handler as Lambda has them. It loads
// the handler while the action is initialized, and wraps its answer, for an
// action's is an object, and one with a field "error" is a failure.
"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");

const { handler, name } = require("./coldcurve.json");

const slash = handler.lastIndexOf("/") + 1;
const dot = handler.indexOf(".", slash);
const base = join(__dirname, "function", handler.slice(0, dot));
const file = [".mjs", ".js", ".cjs"].map((ending) => base + ending).find(existsSync);
if (!file) throw new Error(`Cannot find module '${handler.slice(0, dot)}'`);
const loading = import(file);
loading.catch(() => {}); // the first request is told

const find = (from) => handler.slice(dot + 1).split(".").reduce((value, property) => value?.[property], from);

exports.main = async (params) => {
  const module = await loading;
  const found = find(module) ?? find(module.default);
  if (typeof found !== "function") throw new Error(`${handler} is undefined or not exported`);
  return { answer: (await found(params, { functionName: name })) ?? null };
};
