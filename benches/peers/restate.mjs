// Restate: a handler of two durable steps, called through the ingress, closed loop.
//
// restate.mjs MODULES FOLDER INSTANCES CONCURRENCY
//
// The server, the service and the load are three processes. Prints the figures as JSON.
import { fork, spawn } from "node:child_process";
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";

const require = createRequire(path.join(process.argv[2], "node_modules/"));

async function freePort() {
  const server = net.createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

function serve(port) {
  const restate = require("@restatedev/restate-sdk");
  const approval = restate.service({
    name: "approval",
    handlers: {
      run: async (ctx, { amount }) => {
        const double = await ctx.run("script", () => amount * 2);
        return await ctx.run("task", () => ({ double, approved: true }));
      },
    },
  });
  restate.serve({ services: [approval], port });
}

async function until(ask) {
  for (const patience = Date.now() + 60_000; ; await new Promise((again) => setTimeout(again, 50))) {
    try {
      const response = await ask();
      if (response.ok) return;
    } catch (error) {
      if (Date.now() > patience) throw error;
    }
    if (Date.now() > patience) throw new Error("Restate did not answer for a minute");
  }
}

async function load(url, instances, concurrency) {
  const millis = [];
  const work = async () => {
    while (instances-- > 0) {
      const started = performance.now();
      const body = JSON.stringify({ amount: 1200 });
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${url}/approval/run`, { method: "POST", headers, body });
      const { approved } = await response.json();
      if (approved !== true) throw new Error(`Restate answered ${response.status}`);
      millis.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return millis;
}

async function main([modules, folder, instances, concurrency]) {
  const [ingress, admin, node, service] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const server = spawn(path.join(modules, "node_modules/.bin/restate-server"), ["--base-dir", folder], {
    stdio: "ignore",
    env: {
      ...process.env,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
      RESTATE_DISABLE_TELEMETRY: "true",
    },
  });
  const endpoint = fork(process.argv[1], [modules, "service", String(service)], { stdio: "ignore" });
  try {
    await until(() => fetch(`http://127.0.0.1:${admin}/health`));
    await until(() =>
      fetch(`http://127.0.0.1:${admin}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri: `http://127.0.0.1:${service}` }),
      }),
    );
    const url = `http://127.0.0.1:${ingress}`;
    await load(url, Math.ceil(instances / 10), Number(concurrency));
    const started = performance.now();
    const millis = await load(url, Number(instances), Number(concurrency));
    const seconds = (performance.now() - started) / 1000;
    millis.sort((a, b) => a - b);
    const quantile = (share) => millis[Math.round((millis.length - 1) * share)];
    console.log(JSON.stringify({ per_s: millis.length / seconds, p50_ms: quantile(0.5), p99_ms: quantile(0.99) }));
  } finally {
    endpoint.kill();
    server.kill();
  }
}

if (process.argv[3] === "service") {
  serve(Number(process.argv[4]));
} else {
  await main(process.argv.slice(2));
}
