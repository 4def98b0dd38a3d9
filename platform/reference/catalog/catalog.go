// Package catalog owns what functions exist: their configuration, code,
// versions, aliases, states and revisions, in AWS Lambda's terms.
//
// In: requests to create, change, publish, route and delete, as typed values;
// names as callers write them (a bare name, a partial ARN, an ARN, with a
// qualifier or without). Out: the functions as they stand, and, for a name, the
// engine's version that serves it. Refusals are [*Error]s in Lambda's words. It
// keeps what it is told in a folder and finds it there again. It knows no HTTP
// and runs nothing: requests are the engine's, asynchronous ones the events
// room's.
package catalog
