// Puts the key of the server into every request: the conformance suite has no credentials of its own.
// Node loads this file before the suite; what the suite sends is otherwise as it is.

import { subscribe } from "node:diagnostics_channel";

const bearer = `Bearer ${process.env.FLOWMASTER_KEY}`;

// fetch
subscribe("undici:request:create", ({ request }) => request.addHeader("authorization", bearer));
// node:http
subscribe("http.client.request.created", ({ request }) => request.setHeader("authorization", bearer));
