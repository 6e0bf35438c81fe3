// Times evaluations of a decision table, from inputs as JSON text to the answer as JSON text, on one
// thread; checks every answer, and prints the figures as JSON.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

export async function measured(file, prepare) {
  const task = JSON.parse(readFileSync(file, "utf8"));
  const evaluate = await prepare(task);
  const run = (seconds) => {
    const micros = [];
    const started = performance.now();
    while (performance.now() - started < seconds * 1000) {
      for (const { inputs, answer } of task.questions) {
        const asked = performance.now();
        const given = JSON.stringify(evaluate(JSON.parse(inputs)));
        micros.push((performance.now() - asked) * 1000);
        if (given !== answer) throw new Error(`${inputs}: ${given}`);
      }
    }
    const per_s = (micros.length * 1000) / (performance.now() - started);
    micros.sort((one, other) => one - other);
    return { per_s, p50_us: micros[Math.floor(micros.length / 2)] };
  };
  run(task.seconds);
  const turns = [1, 2, 3, 4, 5].map(() => run(task.seconds));
  turns.sort((one, other) => one.per_s - other.per_s);
  console.log(JSON.stringify(turns[2]));
}
